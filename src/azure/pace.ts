/**
 * Client-side token buckets, below Azure Resource Manager's own (per principal and subscription: reads 250 deep, 25/s;
 * writes 200 deep, 10/s; deletes 200 deep, 10/s): pacing ourselves loses no request and wastes none, where running into
 * 429 does both.
 */
import type { PipelinePolicy } from '@azure/core-rest-pipeline';

interface Bucket {
  depth: number;
  perSecond: number;
  tokens: number;
  filledAt: number;
}

const limits = {
  read: { depth: 237, perSecond: 23.7 },
  write: { depth: 190, perSecond: 9.5 },
  delete: { depth: 190, perSecond: 9.5 },
};

/** A policy for a client's pipeline; its buckets are shared by everything that goes through that client. */
export function pacePolicy(now: () => number = Date.now): PipelinePolicy {
  const buckets = new Map<string, Bucket>();
  const bucketFor = (method: string, url: string): Bucket => {
    const kind = method === 'DELETE' ? 'delete' : method === 'GET' || method === 'HEAD' ? 'read' : 'write';
    const subscription = /\/subscriptions\/([^/?]+)/i.exec(url)?.[1] ?? '';
    const key = `${kind} ${subscription}`;
    const found = buckets.get(key);
    if (found) return found;
    const made = { ...limits[kind], tokens: limits[kind].depth, filledAt: now() };
    buckets.set(key, made);
    return made;
  };
  return {
    name: 'pacePolicy',
    async sendRequest(request, next) {
      const bucket = bucketFor(request.method, request.url);
      const at = now();
      bucket.tokens = Math.min(
        bucket.depth,
        bucket.tokens + ((at - bucket.filledAt) / 1000) * bucket.perSecond,
      );
      bucket.filledAt = at;
      bucket.tokens -= 1; // below zero: a place in the queue
      if (bucket.tokens < 0) await wait((-bucket.tokens / bucket.perSecond) * 1000, request.abortSignal);
      return next(request);
    },
  };
}

function wait(
  milliseconds: number,
  signal?: { aborted: boolean; addEventListener: AbortSignal['addEventListener'] },
) {
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('cancelled while waiting for a place under the rate limit', 'AbortError'));
    });
  });
}
