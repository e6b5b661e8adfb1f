/** A client that costs as little as Node's own allows: HTTPS over connections that stay, so many requests in flight. */
import { Agent, request } from 'node:https';
import { forEachBounded } from '../../src/run/work/bounded.ts';

export const inFlight = 16;

export interface Ask {
  method: 'GET' | 'PUT' | 'POST';
  /** With its query. */
  path: string;
  body?: string;
}

export interface Answer {
  status: number;
  body: string;
}

export interface Client {
  ask(ask: Ask): Promise<Answer>;
  /** Throws an Error naming the first request that was not answered with 200 or 201. Answers requests per second. */
  rate(asks: readonly Ask[]): Promise<number>;
  close(): void;
}

export function openClient(endpoint: string, ca: string, headers: Record<string, string> = {}): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight, ca });
  const ask = ({ method, path, body }: Ask): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const content: Record<string, string | number> =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request(`${endpoint}${path}`, { agent, method, headers: { ...headers, ...content } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    ask,
    async rate(asks) {
      const began = performance.now();
      await forEachBounded(asks, inFlight, async (each) => {
        const { status, body } = await ask(each);
        if (status !== 200 && status !== 201)
          throw new Error(`${each.method} ${each.path}: ${status} ${body.slice(0, 300)}`);
      });
      return asks.length / ((performance.now() - began) / 1000);
    },
    close: () => agent.destroy(),
  };
}
