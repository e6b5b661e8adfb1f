/** A little HTTPS server that answers as a test says, and remembers what it was asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { TokenCredential } from '@azure/core-auth';
import { connectArm } from '../../src/azure/arm.ts';
import type { Arm } from '../../src/azure/azure.ts';
import type { CloudSettings } from '../../src/azure/cloud.ts';
import { ensureCertificates } from '../../simulator/certificates.ts';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** `hang`: takes the request and says nothing; `cut`: closes the connection. */
export type Answer =
  | {
      status: number;
      headers?: Record<string, string>;
      body?: unknown;
      /** Sends the headers and so many bytes of the body, and then nothing, with the connection open. */
      stallsAfter?: number;
    }
  | 'hang'
  | 'cut';

export interface Server {
  url: string;
  asked: Asked[];
  /** One answer after the other; the last one again and again. */
  answers: (Answer | ((asked: Asked) => Answer))[];
  cloud: CloudSettings;
  arm(options?: { requestTimeoutMs?: number; credential?: TokenCredential }): Arm;
  close(): Promise<void>;
}

export const credential: TokenCredential = {
  getToken: () => Promise.resolve({ token: 'canary-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/**
 * Starts it; `trusted`: its authority is trusted by this process from now on; `madeAt`: its certificate is good for 390
 * days from then.
 */
export async function startServer({ trusted = true, madeAt = new Date() } = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-certificates-'));
  const made = await ensureCertificates(folder, madeAt);
  rmSync(folder, { recursive: true });
  const before = getCACertificates('default');
  if (trusted) setDefaultCACertificates([...before, made.ca]);
  const asked: Asked[] = [];
  const answers: Server['answers'] = [];
  const server = createServer({ key: made.key, cert: `${made.cert}${made.ca}` }, (request, response) => {
    void respond(request, response);
  });
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'https://localhost');
    const one: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text.startsWith('{') ? JSON.parse(text) : text,
    };
    asked.push(one);
    const next = answers.length > 1 ? answers.shift() : answers[0];
    const answer = typeof next === 'function' ? next(one) : next;
    if (answer === 'hang') return;
    if (answer === undefined || answer === 'cut') {
      request.socket.destroy();
      return;
    }
    const { status, headers = {}, body, stallsAfter } = answer;
    const content = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-ms-request-id': 'req-1',
      ...headers,
    });
    if (stallsAfter === undefined) response.end(content);
    else {
      response.flushHeaders();
      response.write(content.slice(0, stallsAfter));
    }
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const cloud: CloudSettings = {
    resourceManager: url,
    resourceManagerAudience: url,
    keyVaultAudience: 'https://vault.azure.net',
    authorityHost: undefined,
  };
  return {
    url,
    asked,
    answers,
    cloud,
    arm: ({ requestTimeoutMs = 2000, credential: own = credential } = {}) =>
      connectArm(own, cloud, { requestTimeoutMs, pollIntervalMs: 5 }),
    async close() {
      setDefaultCACertificates(before);
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A port where nobody listens. */
export function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createNetServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
