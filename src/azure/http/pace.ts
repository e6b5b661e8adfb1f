/**
 * Client-side token buckets, kept below Azure Resource Manager's own (for each principal and subscription: reads 250
 * deep, 25/s; writes 200 deep, 10/s; deletes 200 deep, 10/s). Requests that run into 429 are lost or wasted. Paced
 * requests are not.
 */
import type { PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline';
import type { CallOptions } from '../azure.ts';
import { isThrottling } from '../errors.ts';

interface Bucket {
  depth: number;
  perSecond: number;
  tokens: number;
  filledAt: number;
  /** When the next patient request is sent, whatever the others need (milliseconds). */
  patientAt: number;
}

const limits = {
  read: { depth: 237, perSecond: 23.7 },
  write: { depth: 190, perSecond: 9.5 },
  delete: { depth: 190, perSecond: 9.5 },
};

type Manners = Pick<CallOptions, 'patient' | 'onSent' | 'onThrottled'>;

const manners = new WeakMap<PipelineRequest, Manners>();

/** Sets how a request waits for its turn. By default it queues, and no callback is called. */
export function setPacing(request: PipelineRequest, options: Manners): void {
  manners.set(request, options);
}

/**
 * The share of a full bucket that patient requests leave to the others. If the others empty the bucket, patient
 * requests still get a quarter of the rate, so that they make progress.
 */
const reserved = 0.25;
const patientShare = 0.25;

/** A policy for a client's pipeline. Everything that goes through that client shares its buckets. */
export function pacePolicy(now: () => number = Date.now): PipelinePolicy {
  const buckets = new Map<string, Bucket>();
  const bucketFor = (method: string, url: string): Bucket => {
    const kind = method === 'DELETE' ? 'delete' : method === 'GET' || method === 'HEAD' ? 'read' : 'write';
    const subscription = /\/subscriptions\/([^/?]+)/i.exec(url)?.[1] ?? '';
    const key = `${kind} ${subscription}`;
    const found = buckets.get(key);
    if (found) return found;
    const made = { ...limits[kind], tokens: limits[kind].depth, filledAt: now(), patientAt: 0 };
    buckets.set(key, made);
    return made;
  };
  return {
    name: 'pacePolicy',
    async sendRequest(request, next) {
      const bucket = bucketFor(request.method, request.url);
      const { patient, onSent, onThrottled } = manners.get(request) ?? {};
      if (patient) await patientTurn(bucket, now, request.abortSignal);
      else take(bucket, now());
      if (bucket.tokens < 0) await wait((-bucket.tokens / bucket.perSecond) * 1000, request.abortSignal);
      onSent?.();
      const response = await next(request);
      if (isThrottling(response)) onThrottled?.();
      return response;
    },
  };
}

/** Takes a token. A level below zero is a place in the queue. */
function take(bucket: Bucket, at: number): void {
  fill(bucket, at);
  bucket.tokens -= 1;
}

function fill(bucket: Bucket, at: number): void {
  bucket.tokens = Math.min(bucket.depth, bucket.tokens + ((at - bucket.filledAt) / 1000) * bucket.perSecond);
  bucket.filledAt = at;
}

/** Waits until there are more tokens than the others may need, or until the patient requests' share is due. */
async function patientTurn(bucket: Bucket, now: () => number, signal: PipelineRequest['abortSignal']): Promise<void> {
  for (;;) {
    const at = now();
    fill(bucket, at);
    const lacking = bucket.depth * reserved + 1 - bucket.tokens;
    if (lacking <= 0 || bucket.patientAt <= at) {
      bucket.patientAt = at + 1000 / (bucket.perSecond * patientShare);
      bucket.tokens -= 1;
      return;
    }
    const enoughAt = at + (lacking / bucket.perSecond) * 1000;
    await wait(Math.max(1, Math.min(enoughAt, bucket.patientAt) - at), signal);
  }
}

function wait(milliseconds: number, signal: PipelineRequest['abortSignal']): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted !== true) resolve();
      else reject(new DOMException('cancelled while waiting for a place under the rate limit', 'AbortError'));
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
