/** An HTTPS (or, for the admin API, HTTP) listener on loopback that can go dark and come back on the same port. */

import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ArmError } from '../provider.ts';
import { errorBody } from './answer.ts';
import { send } from './body.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const HOST = '127.0.0.1';

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
      handler(request, response).catch((error: unknown) => {
        onError(error);
        if (response.headersSent) response.destroy();
        else send(response, 500, {}, errorBody(unexpected()));
      });
    };
    this.server = certificate ? createHttps(certificate, serve) : createHttp(serve);
    // Clients keep connections for minutes; Node's 5 s would cut them just as they send.
    this.server.keepAliveTimeout = 120_000;
    this.server.requestTimeout = 0;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket));
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
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ArmError(431, 'RequestHeaderFieldsTooLarge', 'The headers of the request are too large.')
      : new ArmError(400, 'BadRequest', 'The request is no valid HTTP.');
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    `HTTP/1.1 ${refusal.status} ${refusal.code}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function unexpected(): ArmError {
  return new ArmError(
    500,
    'InternalServerError',
    'The local Azure failed to answer. Its log has the reason.',
  );
}
