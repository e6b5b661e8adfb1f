/**
 * Faults on demand, per region: outages, latency, throttling, errors at a rate, long-running operations that fail, answers that
 * are lost after the work was done. What lasts is kept in the journal, so that a dark region is dark after a restart, too.
 */

import { Unanswered } from './http/answer.ts';
import { ArmError } from './provider.ts';
import type { Journal, Table } from './state.ts';

export type OutageMode = 'none' | 'dark' | 'hang';

export interface Outage {
  mode: OutageMode;
  /** Which parts are out; absent: all of the region. */
  parts?: Part[];
}

/**
 * 'arm': management of anything in the region; 'blob': the blob fronts; 'storage': blobs and the management of accounts; 'ml', 'keyvault':
 * management and data plane of that service.
 */
export const PARTS = ['arm', 'blob', 'storage', 'ml', 'keyvault'] as const;
export type Part = (typeof PARTS)[number];

export interface RegionFaults {
  throttle?: { perSecond: number; burst: number };
  /** The share of requests (0 to 1) that are answered with `status` (500 unless said). */
  errorRate?: number;
  status?: number;
  latencyMs?: number;
  /** The next long-running operation on this type (or any) fails after this share of its time (0.5 unless said). */
  failNextLongRunning?: { type?: string; after?: number; code?: string; message?: string }[];
  /** The next request that matches is carried out, then its socket is destroyed. `path`: a regular expression, case-insensitive. */
  dropNextAnswer?: { method?: string; path?: string }[];
}

/** The pseudo-region whose faults (not outages) meet every request at the ARM endpoint. */
export const GLOBAL = 'global';

const SERVICES: Record<string, Part> = {
  'microsoft.machinelearningservices': 'ml',
  'microsoft.storage': 'storage',
  'microsoft.keyvault': 'keyvault',
};

/** The parts that a management request belongs to. */
export function managementParts(namespace: string): Part[] {
  const service = SERVICES[namespace.toLowerCase()];
  return service ? ['arm', service] : ['arm'];
}

/** The part of a data plane below `/_/{prefix}/`: the vaults' own, all others are Azure Machine Learning's. */
export function dataPlaneParts(prefix: string): Part[] {
  return prefix === 'vault' ? ['keyvault'] : ['ml'];
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

export class Faults {
  private readonly outages: Table<Outage>;
  private readonly faults: Table<RegionFaults>;
  private readonly buckets = new Map<string, Bucket>();
  private readonly random: () => number;
  /** Called when a region's outage has changed. */
  onOutage: (region: string, outage: Outage) => Promise<void> = () => Promise.resolve();

  constructor(journal: Journal, random: () => number) {
    this.outages = journal.table<Outage>('outages');
    this.faults = journal.table<RegionFaults>('faults');
    this.random = random;
  }

  outage(region: string): Outage {
    return this.outages.get(region) ?? { mode: 'none' };
  }

  async setOutage(region: string, outage: Outage): Promise<void> {
    this.outages.set(region, outage);
    await this.onOutage(region, outage);
  }

  of(region: string): RegionFaults {
    return this.faults.get(region) ?? {};
  }

  set(region: string, faults: RegionFaults): void {
    this.faults.set(region, faults);
    this.buckets.delete(region);
  }

  /** Ends all faults and outages. */
  async clear(regions: readonly string[]): Promise<void> {
    for (const region of [...regions, GLOBAL]) this.faults.delete(region);
    this.buckets.clear();
    for (const region of regions)
      if (this.outage(region).mode !== 'none') await this.setOutage(region, { mode: 'none' });
  }

  /** Is the region out for any of these parts? */
  modeOf(region: string, parts: readonly Part[]): OutageMode {
    const { mode, parts: out } = this.outage(region);
    return out === undefined || parts.some((part) => out.includes(part)) ? mode : 'none';
  }

  /** Throws `Unanswered` if the region is out for any of these parts. */
  requireUp(region: string, parts: readonly Part[]): void {
    const mode = this.modeOf(region, parts);
    if (mode !== 'none') throw new Unanswered(mode, region);
  }

  /** Latency, then throttling and errors. Throws ArmError 429 with Retry-After, or the status asked for. */
  async disturb(region: string): Promise<void> {
    const { latencyMs, throttle, errorRate, status = 500 } = this.of(region);
    if (latencyMs) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    if (throttle) this.spend(region, throttle);
    if (errorRate && this.random() < errorRate) {
      const code = status === 503 ? 'ServiceUnavailable' : 'InternalServerError';
      throw new ArmError(
        status,
        code,
        'Encountered internal server error. Diagnostic information: fault injected by the admin API.',
      );
    }
  }

  /** Takes the failure that awaits a long-running operation of this type, if any: how far it gets, and its error. */
  takeLongRunningFailure(
    region: string | null,
    type: string,
  ): { after: number; code: string; message: string } | undefined {
    const fault = this.take(
      region,
      'failNextLongRunning',
      (one) => !one.type || one.type.toLowerCase() === type.toLowerCase(),
    );
    return (
      fault && {
        after: fault.after ?? 0.5,
        code: fault.code ?? 'InternalServerError',
        message:
          fault.message ?? `The operation on '${type}' failed half-way: fault injected by the admin API.`,
      }
    );
  }

  /** Takes the order to lose this request's answer, if there is one. */
  takeDrop(region: string | null, method: string, path: string): boolean {
    const matches = (one: { method?: string; path?: string }): boolean =>
      (!one.method || one.method.toUpperCase() === method) &&
      (!one.path || new RegExp(one.path, 'i').test(path));
    return this.take(region, 'dropNextAnswer', matches) !== undefined;
  }

  private take<K extends 'failNextLongRunning' | 'dropNextAnswer'>(
    region: string | null,
    kind: K,
    matches: (one: NonNullable<RegionFaults[K]>[number]) => boolean,
  ): NonNullable<RegionFaults[K]>[number] | undefined {
    for (const place of region === null ? [GLOBAL] : [region, GLOBAL]) {
      const faults = this.of(place);
      const waiting: NonNullable<RegionFaults[K]>[number][] = faults[kind] ?? [];
      const index = waiting.findIndex(matches);
      if (index < 0) continue;
      const taken = waiting[index];
      this.faults.set(place, { ...faults, [kind]: waiting.filter((_, i) => i !== index) });
      return taken;
    }
    return undefined;
  }

  private spend(region: string, throttle: { perSecond: number; burst: number }): void {
    const now = Date.now();
    const bucket = this.buckets.get(region) ?? { tokens: throttle.burst, filledAt: now };
    bucket.tokens = Math.min(
      throttle.burst,
      bucket.tokens + ((now - bucket.filledAt) / 1000) * throttle.perSecond,
    );
    bucket.filledAt = now;
    this.buckets.set(region, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return;
    }
    const seconds =
      throttle.perSecond > 0 ? Math.max(1, Math.ceil((1 - bucket.tokens) / throttle.perSecond)) : 60;
    throw new ArmError(
      429,
      'TooManyRequests',
      `Too many requests: the limit is ${throttle.perSecond} per second. Please try again after '${seconds}' seconds.`,
      {
        headers: { 'Retry-After': String(seconds), 'x-ms-ratelimit-remaining-subscription-writes': '0' },
      },
    );
  }
}
