/**
 * A stand-in for ARM that holds jobs and throttles as Azure does: per subscription, writes 200 deep and refilled at
 * 10/s, reads 250 deep and 25/s; beyond that 429 with Retry-After. Each answer takes a latency. All of it `scale` times
 * as fast as Azure.
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Figures {
  /** Jobs that were made. */
  jobs: number;
  writes: number;
  reads: number;
  /** Of both: answered with 429. */
  throttled: number;
}

export interface ThrottledArm {
  /** `https://localhost:PORT` */
  endpoint: string;
  figures(): Figures;
  close(): Promise<void>;
}

interface Options {
  scale: number;
  /** Of Azure, not of the scaled clock. */
  latencyMs: number;
  /** What the standby has beside jobs, by path in lower case; lists by the path of their type. */
  resources: Record<string, unknown>;
  certificate: { cert: string; key: string };
}

interface Bucket {
  depth: number;
  perSecond: number;
  tokens: number;
  filledAt: number;
}

export async function startThrottledArm(options: Options): Promise<ThrottledArm> {
  const { scale, latencyMs, resources, certificate } = options;
  const seconds = () => (performance.now() / 1000) * scale;
  const bucket = (depth: number, perSecond: number): Bucket => ({
    depth,
    perSecond,
    tokens: depth,
    filledAt: seconds(),
  });
  const buckets = { write: bucket(200, 10), read: bucket(250, 25) };
  const jobs = new Map<string, string>();
  const figures: Figures = { jobs: 0, writes: 0, reads: 0, throttled: 0 };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    await delay(latencyMs / scale);
    const isRead = request.method === 'GET';
    figures[isRead ? 'reads' : 'writes'] += 1;
    const wait = take(buckets[isRead ? 'read' : 'write'], seconds());
    if (wait > 0) {
      figures.throttled += 1;
      const error = { error: { code: 'TooManyRequests', message: 'The request is being throttled.' } };
      answer(response, 429, JSON.stringify(error), { 'retry-after': String(Math.ceil(wait)) });
      return;
    }
    const path = (request.url?.split('?', 1)[0] ?? '').toLowerCase();
    if (isRead) {
      const found = jobs.get(path) ?? (path in resources ? JSON.stringify(resources[path]) : undefined);
      answer(response, found === undefined ? 404 : 200, found ?? '{"error":{"code":"NotFound","message":"not found"}}');
      return;
    }
    const made = asHeld(request.url ?? '', body);
    if (!jobs.has(path)) figures.jobs += 1;
    jobs.set(path, made);
    answer(response, 201, made);
  };

  const server = createServer(certificate, (request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `https://localhost:${(server.address() as AddressInfo).port}`,
    figures: () => ({ ...figures }),
    close: () => close(server),
  };
}

/** Takes a token; answers how many seconds it is until there is one, if there is none. */
function take(bucket: Bucket, now: number): number {
  bucket.tokens = Math.min(bucket.depth, bucket.tokens + (now - bucket.filledAt) * bucket.perSecond);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return (1 - bucket.tokens) / bucket.perSecond;
  bucket.tokens -= 1;
  return 0;
}

/** A job as ARM answers it after a PUT. */
function asHeld(url: string, body: string): string {
  const path = url.split('?', 1)[0] ?? '';
  const { properties } = JSON.parse(body) as { properties: object };
  return JSON.stringify({
    id: path,
    name: path.split('/').at(-1),
    type: 'Microsoft.MachineLearningServices/workspaces/jobs',
    properties: { status: 'NotStarted', ...properties },
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
