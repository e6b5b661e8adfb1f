import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** An origin that says who it is, what it was asked, and whether it is well. */
export class Origin {
  readonly name: string;
  private readonly server: Server;
  well = true;
  /** The headers of the last request, and of the last probe. */
  seen: IncomingHttpHeaders = {};
  probedBy: IncomingHttpHeaders = {};

  constructor(name: string, folder: string) {
    this.name = name;
    const certificate = {
      cert: readFileSync(join(folder, 'server.pem')),
      key: readFileSync(join(folder, 'server-key.pem')),
    };
    this.server = createServer(certificate, (request, response) => {
      const isProbe = request.url === '/health';
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.statusCode = isProbe && !this.well ? 500 : 200;
        response.setHeader('x-origin', this.name);
        response.end(
          isProbe ? '' : JSON.stringify({ method: request.method, url: request.url, host: request.headers.host, body }),
        );
        this.seen = request.headers;
        if (isProbe) this.probedBy = request.headers;
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
