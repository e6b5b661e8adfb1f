/**
 * The peer: a bare node:https server, a program of its own, that answers whatever it is asked with the bytes it was
 * given: `node bare-server.ts FOLDER`, FOLDER holding certificates and `answers.json`, a body by method. It prints its
 * port.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ensureCertificates } from '../../simulator/certificates.ts';

const folder = process.argv[2] ?? '';
const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Record<string, string>;
const { cert, key } = await ensureCertificates(folder);

const server = createServer({ cert, key }, (request, response) => {
  request.resume().on('end', () => {
    const body = answers[request.method ?? ''] ?? '';
    response.writeHead(request.method === 'PUT' ? 201 : 200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.on('SIGTERM', () => process.exit(0));
