/**
 * An HTTPS proxy (`CONNECT`) that leads every name of this cloud to this machine, and leads nowhere else: for clients
 * on a machine that does not resolve `{account}.blob.core.localhost`. Azure's own clients take its address from
 * `HTTPS_PROXY`. What it carries stays TLS from end to end.
 */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const HOST = '127.0.0.1';

export class NameProxy {
  /** The ports it leads to: those of the cloud's own listeners. */
  serves: ReadonlySet<number> = new Set();
  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();
  private port = 0;

  constructor() {
    this.server = createServer((_request, response) => {
      response.writeHead(405, { 'Content-Type': 'text/plain', Allow: 'CONNECT' });
      response.end('This is an HTTPS proxy for the local Azure: set HTTPS_PROXY to its address.\n');
    });
    this.server.on('connection', (socket: Socket) => this.keep(socket));
    this.server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) =>
      this.join(request.url ?? '', client, head),
    );
  }

  /** Listens on `port`, or on a free one (0). Throws an Error if the port is taken. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(new Error(`the local Azure's proxy cannot start: ${error.message}`, { cause: error }));
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
    return `http://${HOST}:${this.port}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private join(target: string, client: Duplex, head: Buffer): void {
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(target) ?? [];
    if (!/^(127\.0\.0\.1|\[::1\]|([a-z0-9.-]+\.)?localhost)$/i.test(host) || !this.serves.has(Number(port))) {
      const why = `The local Azure's proxy leads to the local Azure only, not to '${target}'.\n`;
      client.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${Buffer.byteLength(why)}\r\n\r\n${why}`);
      return;
    }
    const upstream = connect(Number(port), HOST);
    this.keep(upstream);
    let isJoined = false;
    upstream.on('connect', () => {
      isJoined = true;
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    // A dark region's listener refuses: the client learns it as from any proxy, and never as an answer of the service.
    upstream.on('error', () => {
      if (isJoined) client.destroy();
      else client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    });
    upstream.on('close', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }
}
