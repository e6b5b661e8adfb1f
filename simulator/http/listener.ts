/** An HTTPS (or, for the admin API, HTTP) listener on loopback that can go dark and come back on the same port. */

import {
  createServer as createHttp,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ArmError } from '../contract/index.ts';
import { errorBody } from './answer.ts';
import { send } from './body.ts';
import { armHeaders } from './service-headers.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const HOST = '127.0.0.1';
/** Milliseconds that a connection stays for its client to read why it ends. */
const DRAIN_MS = 1000;

export class Listener {
  readonly name: string;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly tls: boolean;
  private port = 0;

  /** `certificate` absent: plain HTTP. A handler that rejects ends the connection; it should answer errors itself. */
  constructor(
    name: string,
    handler: Handler,
    onError: (error: unknown) => void,
    certificate?: { cert: string; key: string },
  ) {
    this.name = name;
    this.tls = certificate !== undefined;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers.host === undefined && request.httpVersion === '1.1') {
        send(response, 400, armHeaders(request), errorBody(NO_HOST));
        return;
      }
      handler(request, response).catch((error: unknown) => {
        onError(error);
        if (response.headersSent) response.destroy();
        else send(response, 500, armHeaders(request), errorBody(unexpected()));
      });
    };
    // Node would refuse in its own words, which are no error of Azure's.
    const options = { requireHostHeader: false };
    this.server = certificate ? createHttps({ ...options, ...certificate }, serve) : createHttp(options, serve);
    // Clients keep connections for minutes; Node's 5 s would cut them just as they send.
    this.server.keepAliveTimeout = 120_000;
    this.server.requestTimeout = 0;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseNonsense(error, socket));
    this.server.on('connect', (_request, socket) => refuse(NO_PROXY, socket));
    this.server.on('checkExpectation', (request, response) =>
      send(response, 417, armHeaders(request), errorBody(NO_EXPECTATION)),
    );
    this.server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** Listens on `port`, or on a free one (0). Throws an Error naming the listener if the port is taken. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        const why = error.code === 'EADDRINUSE' ? `port ${port} is taken by another process` : error.message;
        reject(new Error(`the local Azure's ${this.name} listener cannot start: ${why}`, { cause: error }));
      };
      this.server.once('error', fail);
      this.server.listen(port, HOST, () => {
        this.server.off('error', fail);
        resolve();
      });
    });
    this.port = (this.server.address() as AddressInfo).port;
    return this.port;
  }

  get url(): string {
    return `${this.tls ? 'https://localhost' : `http://${HOST}`}:${this.port}`;
  }

  get isListening(): boolean {
    return this.server.listening;
  }

  /** Refuses connections from now on, and destroys those there are. */
  async goDark(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.dropConnections();
    await closed;
  }

  /** Listens again where it listened before. */
  async comeBack(): Promise<void> {
    if (!this.server.listening) await this.listen(this.port);
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
    // A TLS server counts the encrypted sockets apart from the plain ones.
    this.server.closeAllConnections();
  }
}

/** What reached us is no HTTP: said in HTTP, and the connection ends. */
function refuseNonsense(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.writableEnded) return; // Refused already: this is more of the same.
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else refuse(error.code === 'HPE_HEADER_OVERFLOW' ? LARGE_HEADERS : NO_HTTP, socket);
}

function refuse(refusal: ArmError, socket: Duplex): void {
  const body = JSON.stringify(errorBody(refusal));
  const headers = Object.entries({
    ...armHeaders(),
    Date: new Date().toUTCString(),
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${headers.join('')}\r\n${body}`);
  // What still comes is taken and dropped for a moment: to close upon it would reset the connection, and lose the
  // answer.
  socket.resume();
  setTimeout(() => socket.destroy(), DRAIN_MS).unref();
}

const NO_HTTP = new ArmError(400, 'BadRequest', 'The request is no valid HTTP.');
const NO_HOST = new ArmError(400, 'BadRequest', "The request has no 'Host' header.");
const NO_PROXY = new ArmError(405, 'MethodNotAllowed', "The method 'CONNECT' is not supported.");
const NO_EXPECTATION = new ArmError(417, 'ExpectationFailed', "Only '100-continue' is supported in 'Expect'.");
const LARGE_HEADERS = new ArmError(431, 'RequestHeaderFieldsTooLarge', 'The headers of the request are too large.');

function unexpected(): ArmError {
  return new ArmError(500, 'InternalServerError', 'The local Azure failed to answer. Its log has the reason.');
}
