/**
 * Azure Resource Manager's own limits: token buckets per principal and subscription (or tenant), one each for reads,
 * writes and deletes, and per subscription fifteen times that for all principals together. Figures, headers and the
 * error's code as Azure documents them
 * (learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
 */

import { ArmError } from '../contract/index.ts';
import { TokenBucket } from '../clock/token-bucket.ts';
import type { ArmRequest } from '../http/answer.ts';

type Kind = 'reads' | 'writes' | 'deletes';

interface Asked {
  kind: Kind;
  /** Undefined: the tenant. */
  subscription: string | undefined;
  /** Object id of the principal. */
  actor: string;
}

/** How many at once, and how many a second from then on. */
const LIMITS: Record<Kind, { depth: number; perSecond: number }> = {
  reads: { depth: 250, perSecond: 25 },
  writes: { depth: 200, perSecond: 10 },
  deletes: { depth: 200, perSecond: 10 },
};
/** A subscription's limit for all principals, in limits of one. */
const PRINCIPALS = 15;

export interface RateLimitOptions {
  /** The time of the cloud's operations against Azure's; the buckets refill as much faster. */
  pace: number;
  /** Are Azure's limits in force? What a scenario leaves of them is in force in any case. */
  enforced: boolean;
  /** What scenarios leave of them; undefined: they do not touch them. */
  share: () => number | undefined;
  isSubscription: (id: string) => boolean;
}

export class RateLimits {
  private readonly options: RateLimitOptions;
  private readonly buckets = new Map<string, TokenBucket>();
  /** What scenarios leave, in buckets of its own: once they have stopped, the others are as if there had been none. */
  private readonly cut = new Map<string, TokenBucket>();

  constructor(options: RateLimitOptions) {
    this.options = options;
  }

  /**
   * Counts the request. Answers the headers that tell what is left; throws ArmError 429 with `Retry-After` if nothing
   * is.
   */
  take({ method, path, principal }: Pick<ArmRequest, 'method' | 'path' | 'principal'>): Record<string, string> {
    const share = this.options.share();
    const { enforced } = this.options;
    const kind = kindOf(method);
    const named = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1]?.toLowerCase();
    // What names no subscription of ours counts for the tenant: a client must not fill our memory with names.
    const subscription = named !== undefined && this.options.isSubscription(named) ? named : undefined;
    const asked = { kind, subscription, actor: principal.objectId };
    if (share === undefined) {
      this.cut.clear();
      return enforced ? this.draw(this.buckets, asked, 1) : {};
    }
    const left = this.draw(this.cut, asked, share);
    return enforced ? lesser(left, this.draw(this.buckets, asked, 1)) : left;
  }

  /**
   * A token of the principal's bucket, and one of all principals' together, each of this share of Azure's depth and
   * rate.
   */
  private draw(
    buckets: Map<string, TokenBucket>,
    { kind, subscription, actor }: Asked,
    share: number,
  ): Record<string, string> {
    const { depth, perSecond } = LIMITS[kind];
    const ours: [number, number] = [Math.floor(depth * share), (perSecond * share) / this.options.pace];
    const scope = subscription ?? 'tenant';
    const own = bucketOf(buckets, `${scope}|${kind}|${actor}`).take(...ours);
    if ('waitSeconds' in own) throw throttled(kind, subscription, actor, own.waitSeconds);
    const where = subscription === undefined ? 'tenant' : 'subscription';
    const headers = { [`x-ms-ratelimit-remaining-${where}-${kind}`]: String(own.left) };
    if (subscription === undefined) return headers;
    const all = bucketOf(buckets, `${scope}|${kind}`).take(ours[0] * PRINCIPALS, ours[1] * PRINCIPALS);
    if ('waitSeconds' in all) throw throttled(kind, subscription, undefined, all.waitSeconds);
    return { ...headers, [`x-ms-ratelimit-remaining-subscription-global-${kind}`]: String(all.left) };
  }
}

function bucketOf(buckets: Map<string, TokenBucket>, key: string): TokenBucket {
  let bucket = buckets.get(key);
  if (!bucket) buckets.set(key, (bucket = new TokenBucket()));
  return bucket;
}

/** Of two that tell what is left under the same names, the fewer of each. */
function lesser(one: Record<string, string>, other: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(one).map(([name, left]) => [name, String(Math.min(Number(left), Number(other[name])))]),
  );
}

function kindOf(method: string): Kind {
  if (method === 'DELETE') return 'deletes';
  return method === 'GET' || method === 'HEAD' ? 'reads' : 'writes';
}

function throttled(kind: Kind, subscription: string | undefined, actor: string | undefined, seconds: number): ArmError {
  const where = subscription === undefined ? 'tenant' : 'subscription';
  const of = subscription === undefined ? 'the tenant' : `subscription '${subscription}'`;
  const by = actor === undefined ? '' : ` actor '${actor}'`;
  return new ArmError(
    429,
    subscription === undefined ? 'TenantRequestsThrottled' : 'SubscriptionRequestsThrottled',
    `Number of '${kind.slice(0, -1)}' requests for ${of}${by} exceeded. Please try again after '${seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`,
    {
      headers: { 'Retry-After': String(seconds), [`x-ms-ratelimit-remaining-${where}-${kind}`]: '0' },
    },
  );
}
