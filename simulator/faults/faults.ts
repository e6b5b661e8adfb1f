/**
 * Faults on demand, per region: outages, latency, throttling, errors at a rate, long-running operations that fail,
 * answers that are lost after the work was done. Those that the admin API sets one by one are kept in the journal, so
 * that a dark region is dark after a restart, too; over them lie the disturbances of the scenarios that run (chaos/),
 * each of which can be taken away alone.
 */

import type { Chance } from './chance.ts';
import { isWrite, type Asked, type Part } from './parts.ts';
import { Unanswered } from '../http/answer.ts';
import { injected, readOnlyRefusal, tooManyRequests } from './injected.ts';
import type { Journal, Table } from '../state/journal.ts';
import { TokenBucket } from '../clock/token-bucket.ts';

export { dataPlaneParts, managementParts, PARTS, type Part } from './parts.ts';

export interface Outage {
  /** 'read-only': what would change anything is refused, with a reason. */
  mode: 'none' | 'dark' | 'hang' | 'read-only';
  /** Which parts are out; absent: all of the region. */
  parts?: Part[];
  /** How 'read-only' refuses: 503 (unless said) or 409. */
  status?: number;
  /** 'killed': the computes are lost, too, and with them the jobs that ran there. Absent: they run on unseen. */
  jobs?: 'unseen' | 'killed';
}

export interface RegionFaults {
  throttle?: { perSecond: number; burst: number };
  /** The share of requests (0 to 1) that are answered with `status` (500 unless said). */
  errorRate?: number;
  status?: number;
  latencyMs?: number;
  /** The next long-running operation on this type (or any) fails after this share of its time (0.5 unless said). */
  failNextLongRunning?: OperationFailure[];
  /**
   * The next request that matches is carried out, then its socket is destroyed. `path`: a regular expression,
   * case-insensitive.
   */
  dropNextAnswer?: { method?: string; path?: string }[];
}

interface OperationFailure {
  type?: string;
  after?: number;
  code?: string;
  message?: string;
}

/** What one scenario does to one region while it lasts. */
export interface Disturbance {
  outage?: Outage;
  throttle?: { perSecond: number; burst: number };
  errorRate?: number;
  status?: number;
  latencyMs?: number;
  /** Up to this much more, evenly. */
  jitterMs?: number;
  /** The share of requests that are carried out and whose answer is lost. */
  lostAnswerRate?: number;
  /** The share of long-running operations that fail. */
  failOperations?: OperationFailure & { rate: number };
  /** Multiplies the time of long-running operations. */
  operationFactor?: number;
  /** Until a new resource is in lists, and a removed one is not: each lag differs by up to `spread` (0 to 1) of it. */
  listLag?: { appearMs: number; vanishMs: number; spread: number };
  /** How far readable secondaries of the region's accounts lag behind. */
  secondaryLagMs?: number;
  /** Of Resource Manager's limits per principal, the share that is left. */
  armLimitShare?: number;
}

interface Layer {
  region: string;
  disturbance: Disturbance;
  chance: Pick<Chance, 'draw' | 'of'>;
  bucket: TokenBucket;
}

/** The pseudo-region whose faults (not outages) meet every request at the ARM endpoint. */
export const GLOBAL = 'global';

const MODES = ['dark', 'hang'] as const;

export class Faults {
  private readonly outages: Table<Outage>;
  private readonly faults: Table<RegionFaults>;
  private readonly buckets = new Map<string, TokenBucket>();
  private readonly layers = new Map<string, Layer>();
  private readonly random: () => number;
  /** Called when what is out in a region, or how far its secondaries lag, has changed. */
  onOutage: (region: string) => Promise<void> = () => Promise.resolve();

  constructor(journal: Journal, random: () => number) {
    this.outages = journal.table<Outage>('outages');
    this.faults = journal.table<RegionFaults>('faults');
    this.random = random;
  }

  /** The outage that was set by itself; those of scenarios come on top. */
  outage(region: string): Outage {
    return this.outages.get(region) ?? { mode: 'none' };
  }

  async setOutage(region: string, outage: Outage): Promise<void> {
    this.outages.set(region, outage);
    await this.onOutage(region);
  }

  of(region: string): RegionFaults {
    return this.faults.get(region) ?? {};
  }

  set(region: string, faults: RegionFaults): void {
    this.faults.set(region, faults);
    this.buckets.delete(region);
  }

  /** Lays a scenario's disturbance over a region, in place of the one of the same key; undefined takes it away. */
  async lay(key: string, region: string, disturbance: Disturbance | undefined, chance: Layer['chance']): Promise<void> {
    const before = this.layers.get(key);
    if (disturbance === undefined) this.layers.delete(key);
    else this.layers.set(key, { region, disturbance, chance, bucket: before?.bucket ?? new TokenBucket() });
    const changes = [before?.disturbance, disturbance];
    if (changes.some((one) => one?.outage !== undefined || one?.secondaryLagMs !== undefined))
      await this.onOutage(region);
  }

  /** Ends all faults and outages but those of scenarios. */
  async clear(regions: readonly string[]): Promise<void> {
    for (const region of [...regions, GLOBAL]) this.faults.delete(region);
    this.buckets.clear();
    for (const region of regions)
      if (this.outage(region).mode !== 'none') await this.setOutage(region, { mode: 'none' });
  }

  /** Everything that is out in a region. */
  outagesOf(region: string): Outage[] {
    const laid = this.over(region).flatMap(({ disturbance }) => disturbance.outage ?? []);
    return [this.outage(region), ...laid].filter(({ mode }) => mode !== 'none');
  }

  /** Is all of the region dark, so that it does not even listen? */
  isWhollyDark(region: string): boolean {
    return this.outagesOf(region).some(({ mode, parts }) => mode === 'dark' && parts === undefined);
  }

  /** Does the region answer nothing for any of these parts? */
  modeOf(region: string, parts: readonly Part[]): 'none' | 'dark' | 'hang' {
    const out = this.outagesOf(region).filter((outage) => meets(outage, parts));
    return MODES.find((mode) => out.some((outage) => outage.mode === mode)) ?? 'none';
  }

  /**
   * Throws `Unanswered` if the region is out for any of these parts, ArmError if it may only be read and `asked`
   * writes.
   */
  requireUp(region: string, parts: readonly Part[], asked?: Asked): void {
    const mode = this.modeOf(region, parts);
    if (mode !== 'none') throw new Unanswered(mode, region);
    if (!asked || !isWrite(asked)) return;
    const readOnly = this.outagesOf(region).find((outage) => outage.mode === 'read-only' && meets(outage, parts));
    if (readOnly) throw readOnlyRefusal(region, readOnly.status ?? 503);
  }

  /** Latency, then throttling and errors. Throws ArmError 429 with Retry-After, or the status asked for. */
  async disturb(region: string, asked: Asked): Promise<void> {
    const { latencyMs = 0, throttle, errorRate = 0, status } = this.of(region);
    const layers = this.over(region);
    const what = `${asked.method} ${asked.path}`;
    const delays = layers.map(
      ({ disturbance: { latencyMs: least = 0, jitterMs }, chance }) =>
        least + (jitterMs ? jitterMs * chance.draw(`latency ${what}`) : 0),
    );
    const wait = delays.reduce((sum, delay) => sum + delay, latencyMs);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (throttle) spend(this.bucketOf(region), throttle);
    if (errorRate > 0 && this.random() < errorRate) throw injected(status, 'the admin API');
    for (const { disturbance, chance, bucket } of layers) {
      if (disturbance.throttle) spend(bucket, disturbance.throttle);
      if (disturbance.errorRate && chance.draw(`error ${what}`) < disturbance.errorRate)
        throw injected(disturbance.status, 'a scenario');
    }
  }

  /** Takes the failure that awaits a long-running operation of this type, if any: how far it gets, and its error. */
  takeLongRunningFailure(
    region: string | null,
    type: string,
  ): { after: number; code: string; message: string } | undefined {
    const matches = (one: OperationFailure): boolean => !one.type || one.type.toLowerCase() === type.toLowerCase();
    const fault =
      this.take(region, 'failNextLongRunning', matches) ??
      this.everywhere(region).find(({ disturbance: { failOperations }, chance }) => {
        if (!failOperations || !matches(failOperations)) return false;
        return chance.draw(`operation ${type}`) < failOperations.rate;
      })?.disturbance.failOperations;
    return (
      fault && {
        after: fault.after ?? 0.5,
        code: fault.code ?? 'InternalServerError',
        message: fault.message ?? `The operation on '${type}' failed half-way: injected fault.`,
      }
    );
  }

  /** Takes the order to lose this request's answer, if there is one. */
  takeDrop(region: string | null, method: string, path: string): boolean {
    const matches = (one: { method?: string; path?: string }): boolean =>
      (!one.method || one.method.toUpperCase() === method) && (!one.path || new RegExp(one.path, 'i').test(path));
    if (this.take(region, 'dropNextAnswer', matches) !== undefined) return true;
    return this.everywhere(region).some(
      ({ disturbance: { lostAnswerRate }, chance }) =>
        lostAnswerRate !== undefined && chance.draw(`answer ${method} ${path}`) < lostAnswerRate,
    );
  }

  /** What multiplies the time of long-running operations in a region. */
  operationFactor(region: string | null): number {
    return this.everywhere(region).reduce((factor, { disturbance }) => factor * (disturbance.operationFactor ?? 1), 1);
  }

  /**
   * How long lists of the region do not know of a resource that was just made, or still know one that was removed; 0:
   * not at all.
   */
  listLagMs(region: string | null, kind: 'appear' | 'vanish', id: string): number {
    const lags = this.everywhere(region).map(({ disturbance: { listLag }, chance }) => {
      if (!listLag) return 0;
      const middle = kind === 'appear' ? listLag.appearMs : listLag.vanishMs;
      return middle * (1 + listLag.spread * (2 * chance.of(`${kind} ${id}`) - 1));
    });
    return Math.max(0, ...lags);
  }

  /** Do any lists lag now? */
  get listsLag(): boolean {
    return Array.from(this.layers.values()).some(({ disturbance }) => disturbance.listLag !== undefined);
  }

  /** How far readable secondaries of accounts in this region lag because of scenarios, in milliseconds. */
  secondaryLagMs(region: string): number {
    return Math.max(0, ...this.over(region).map(({ disturbance }) => disturbance.secondaryLagMs ?? 0));
  }

  /** What scenarios leave of Resource Manager's limits; undefined: they do not touch them. */
  get armLimitShare(): number | undefined {
    const shares = this.over(GLOBAL).flatMap(({ disturbance }) => disturbance.armLimitShare ?? []);
    return shares.length === 0 ? undefined : Math.min(...shares);
  }

  /** What scenarios do to a region now. */
  disturbancesOf(region: string): Disturbance[] {
    return this.over(region).map(({ disturbance }) => disturbance);
  }

  private over(region: string): Layer[] {
    return Array.from(this.layers.values()).filter((layer) => layer.region === region);
  }

  private everywhere(region: string | null): Layer[] {
    return region === null ? this.over(GLOBAL) : [...this.over(region), ...this.over(GLOBAL)];
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

  private bucketOf(region: string): TokenBucket {
    let bucket = this.buckets.get(region);
    if (!bucket) this.buckets.set(region, (bucket = new TokenBucket()));
    return bucket;
  }
}

function meets({ parts: out }: Outage, parts: readonly Part[]): boolean {
  return out === undefined || parts.some((part) => out.includes(part));
}

function spend(bucket: TokenBucket, { perSecond, burst }: { perSecond: number; burst: number }): void {
  const taken = bucket.take(burst, perSecond);
  if ('left' in taken) return;
  throw tooManyRequests(perSecond, taken.waitSeconds);
}
