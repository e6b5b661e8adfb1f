/**
 * How long the fence tries to reach the old side. One deadline (policy `fenceDeadline`), counted from the beginning of
 * the run's fence or from when the region last made progress: neither an answer without progress nor another attempt
 * restarts it.
 */
import { z } from 'zod';
import type { CallOptions } from '../azure/azure.ts';
import { isThrottled } from '../azure/errors.ts';
import { documentKind } from '../control-store/document.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';

/** Makes one request to the region; how long and how often it is tried is up to the implementation. */
export type Ask = <T>(work: (options: CallOptions) => Promise<T>) => Promise<T>;

/** The deadline has passed. */
export class GaveUp extends Error {
  /** The region has answered nothing for the whole deadline: what runs there cannot be known. */
  readonly isSilent: boolean;

  constructor(reason: string, isSilent: boolean) {
    super(reason);
    this.name = 'GaveUp';
    this.isSilent = isSilent;
  }
}

/** How long a fence waits for the region. */
export interface FenceDeadlineOptions {
  signal: AbortSignal;
  /** How long the region may make no progress. */
  limitMs: number;
  /** How much of that had passed before this attempt of the step. */
  overMs?: number;
  /** Whether the region has answered in that time. */
  heard?: boolean;
  /** However late it is, this attempt tries for at least this long. */
  leastMs?: number;
  /** Asks once, and throws the error that is returned; waits only if Azure throttles. */
  isHasty?: boolean;
  /** The last deadline, however much progress there is. */
  endsInMs?: number;
}

/** A timer that is this late means that the process was stopped, or starved. */
const stoodStillMs = 1000;

/** The deadline of one attempt of a step of the fence, and the requests that are made under it. */
export class FenceDeadline {
  readonly #options: FenceDeadlineOptions;
  readonly #leastMs: number;
  readonly #endsAt: number;
  #until: number;
  #progressAt: number | undefined;
  #heard: boolean;
  #over: GaveUp | undefined;

  constructor(options: FenceDeadlineOptions) {
    const { limitMs, overMs = 0, heard = false, leastMs = limitMs, endsInMs = Infinity } = options;
    this.#options = options;
    this.#leastMs = Math.min(leastMs, limitMs);
    this.#endsAt = performance.now() + endsInMs;
    this.#until = performance.now() + Math.max(limitMs - overMs, this.#leastMs);
    this.#heard = heard;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Whether the region has answered since it last made progress. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Milliseconds since the region last made progress, if it has in this attempt. */
  get quietMs(): number | undefined {
    return this.#progressAt === undefined ? undefined : performance.now() - this.#progressAt;
  }

  /** Records that the region has made progress. */
  progress(): void {
    this.#progressAt = performance.now();
    this.#until = performance.now() + this.#options.limitMs;
    this.#heard = false;
  }

  /** Throws GaveUp once the deadline has passed. */
  check(reason: string): void {
    if (this.#over || this.#leftMs() <= 0) throw this.#giveUp(reason);
  }

  /** Throws GaveUp at the last deadline only: for work that makes progress. */
  checkEnd(reason: string): void {
    if (this.#over || performance.now() >= this.#endsAt) throw this.#giveUp(reason);
  }

  #giveUp(reason: string, queuedMs = 0): GaveUp {
    // At the last deadline, the region may have made progress a moment ago.
    const isSlow = performance.now() < this.#until + queuedMs;
    this.#over ??= new GaveUp(reason, !this.#heard && !isSlow);
    return this.#over;
  }

  /**
   * Asks the region until it answers. Errors: GaveUp; the region's refusal (AzureError). Errors that are not the
   * region's are thrown at once: of the control store, of signing in, of a lost lease.
   */
  async ask<T>(work: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const askedAt = performance.now();
    /** The time until it was first sent: waiting for our own rate limit is not silence of the region. */
    let queuedMs: number | undefined;
    for (let pause = 200; ; pause = Math.min(pause * 2, 2000)) {
      if (this.#over) throw this.#over;
      const cut = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      const begin = () => {
        const leastMs = queuedMs === undefined ? this.#leastMs : 1;
        queuedMs ??= performance.now() - askedAt;
        clearTimeout(timer);
        timer = this.#timeOut(cut, Math.max(this.#leftMs(queuedMs), leastMs), (again) => (timer = again));
      };
      // It answers, and says when to ask again: that is not silence.
      const onThrottled = () => {
        clearTimeout(timer);
        this.progress();
      };
      try {
        const options = { signal: AbortSignal.any([signal, cut.signal]), onSent: begin, onThrottled };
        const answer = await work(options);
        this.#heard = true;
        return answer;
      } catch (error) {
        if (signal.aborted) throw error;
        // Our own errors say what they are; any other error comes from a request that was cut off.
        if (isUnderstudyError(error) ? !isUnanswered(error) : !cut.signal.aborted) {
          if (isRefusal(error)) this.#heard = true;
          throw error;
        }
        if (isThrottled(error)) this.progress();
        else if (this.#options.isHasty === true && !cut.signal.aborted) throw error;
        const leftMs = this.#leftMs(queuedMs);
        if (leftMs <= 0) throw this.#giveUp(cut.signal.aborted ? 'no answer in time' : messageOf(error), queuedMs);
        await wait(Math.min(retryMs(error) ?? pause, leftMs), signal);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /**
   * Cuts a request off, unless this process itself was stopped: then it may have an answer that it has not read yet.
   */
  #timeOut(cut: AbortController, ms: number, rearmed: (timer: NodeJS.Timeout) => void): NodeJS.Timeout {
    const dueAt = performance.now() + ms;
    return setTimeout(() => {
      const lateMs = performance.now() - dueAt;
      if (lateMs < stoodStillMs) return cut.abort();
      this.#until += lateMs;
      rearmed(this.#timeOut(cut, this.#leastMs, rearmed));
    }, ms);
  }

  #leftMs(queuedMs = 0): number {
    return Math.min(this.#until + queuedMs, this.#endsAt) - performance.now();
  }
}

/** Azure did not answer, or could not just now; neither the control store nor our sign-in failed. */
export function isUnanswered(error: unknown): boolean {
  return isUnderstudyError(error, 'AzureUnavailable') && error.details.origin === undefined;
}

/** Azure answered, and refused. */
export function isRefusal(error: unknown): error is UnderstudyError {
  return isUnderstudyError(error, 'AzureError') && error.details.origin === undefined;
}

function retryMs(error: unknown): number | undefined {
  const seconds = isUnderstudyError(error) ? error.details.retryAfterSeconds : undefined;
  return seconds === undefined ? undefined : Math.min(seconds, 60) * 1000;
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(new DOMException('cancelled between two requests', 'AbortError'));
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/** By region: when the run began to stop it (ISO 8601). The undo of a run may shut out the other region again. */
const FenceBegan = z.strictObject({ since: z.record(z.string(), z.string()) });
const began = documentKind('beginning of a fence', 1, FenceBegan);

/** When the fence of a region began (ISO 8601): recorded by the first step of the run that asks. */
export async function fenceBegan({
  store,
  run,
  from,
  now,
}: Pick<StepContext, 'store' | 'run' | 'from' | 'now'>): Promise<string> {
  const name = `runs/${run.runId}/fence.json`;
  for (;;) {
    const found = await began.read(store, name);
    const since = found?.value.since[from.region];
    if (since !== undefined) return since;
    const next = { since: { ...found?.value.since, [from.region]: now().toISOString() } };
    await began.swap(store, name, next, found?.etag);
  }
}

/**
 * The deadline for one attempt of a step of the fence. `progressAt` (ISO 8601): when the region last made progress with
 * this step.
 */
export async function fenceDeadlineOf(
  context: StepContext,
  { progressAt, heard = false, endsInMs }: { progressAt?: string; heard?: boolean; endsInMs?: number } = {},
): Promise<FenceDeadline> {
  const { topology, signal, now } = context;
  const { fenceDeadline, requestTimeout } = topology.policies;
  const since = progressAt ?? (await fenceBegan(context));
  return new FenceDeadline({
    signal,
    limitMs: toSeconds(fenceDeadline) * 1000,
    overMs: now().getTime() - Date.parse(since),
    heard,
    leastMs: toSeconds(requestTimeout) * 1000,
    ...(endsInMs === undefined ? {} : { endsInMs }),
  });
}
