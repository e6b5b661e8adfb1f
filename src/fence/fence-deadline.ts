/**
 * How long the old side is asked. One deadline (policy `fenceDeadline`), counted from when the fence of the run began or from when the
 * region last got on with the work: neither an answer that moves nothing, nor another attempt, starts it again.
 */
import { z } from 'zod';
import type { CallOptions } from '../azure/azure.ts';
import { isThrottled } from '../azure/errors.ts';
import { documentKind } from '../control-store/document.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';

/** Asks once for what `work` asks; how long, and how often, is for whoever made it. */
export type Ask = <T>(work: (options: CallOptions) => Promise<T>) => Promise<T>;

/** The deadline is over. */
export class GaveUp extends Error {
  /** The region has answered nothing for as long as the deadline is: what runs there cannot be known. */
  readonly isSilent: boolean;

  constructor(reason: string, isSilent: boolean) {
    super(reason);
    this.name = 'GaveUp';
    this.isSilent = isSilent;
  }
}

export interface FenceDeadlineOptions {
  signal: AbortSignal;
  /** How long the region may take to get on with the work. */
  limitMs: number;
  /** How much of that was over before this attempt of the step. */
  overMs?: number;
  /** Whether the region has answered in that time. */
  heard?: boolean;
  /** However late it is, this attempt asks for at least so long. */
  leastMs?: number;
  /** Asks once, and throws what it is answered; waits only where Azure says that it takes no more requests. */
  isHasty?: boolean;
  /** the last deadline, however well the work goes on. */
  endsInMs?: number;
}

/** A timer that is so late tells of a process that was stopped, or starved. */
const stoodStillMs = 1000;

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

  /** Whether the region has answered since it last got on with the work. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Milliseconds since the region last got on with the work, if it has in this attempt. */
  get quietMs(): number | undefined {
    return this.#progressAt === undefined ? undefined : performance.now() - this.#progressAt;
  }

  /** The region has got on with the work. */
  progress(): void {
    this.#progressAt = performance.now();
    this.#until = performance.now() + this.#options.limitMs;
    this.#heard = false;
  }

  /** Throws GaveUp once the deadline is over. */
  check(reason: string): void {
    if (this.#over || this.#leftMs() <= 0) throw this.#giveUp(reason);
  }

  /** Throws GaveUp at the last deadline only: whatever goes on as it should. */
  checkEnd(reason: string): void {
    if (this.#over || performance.now() >= this.#endsAt) throw this.#giveUp(reason);
  }

  #giveUp(reason: string, queuedMs = 0): GaveUp {
    // At the last deadline the region may have got on with the work a moment ago.
    const isSlow = performance.now() < this.#until + queuedMs;
    this.#over ??= new GaveUp(reason, !this.#heard && !isSlow);
    return this.#over;
  }

  /**
   * Asks the region until it answers. Errors: GaveUp; the region's refusal (AzureError); whatever is not the region's at once: of the
   * control store, of signing in, of a lost lease.
   */
  async ask<T>(work: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const askedAt = performance.now();
    /** Until it was sent first: that it was our own pace which kept it waiting is no silence. */
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
      // It answers, and says when to ask again: nothing is silent here.
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
        // What we threw says what it is; anything else is how a request ends that was cut off.
        if (isUnderstudyError(error) ? !isUnanswered(error) : !cut.signal.aborted) {
          if (isRefusal(error)) this.#heard = true;
          throw error;
        }
        if (isThrottled(error)) this.progress();
        else if (this.#options.isHasty === true && !cut.signal.aborted) throw error;
        const leftMs = this.#leftMs(queuedMs);
        if (leftMs <= 0)
          throw this.#giveUp(cut.signal.aborted ? 'no answer in time' : messageOf(error), queuedMs);
        await wait(Math.min(retryMs(error) ?? pause, leftMs), signal);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** Cuts a request off; not where it is this process that stood still, and may have an answer that it has not read yet. */
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

/** Azure did not answer, or could not just now; it is neither the control store nor our sign-in that failed. */
export function isUnanswered(error: unknown): boolean {
  return isUnderstudyError(error, 'AzureUnavailable') && error.details.origin === undefined;
}

/** Azure answered, and would not do it. */
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

/** By region: when the run began to ask it to stop (ISO 8601). The undo of a run may shut out the other one again. */
const FenceBegan = z.strictObject({ since: z.record(z.string(), z.string()) });
const began = documentKind('beginning of a fence', 1, FenceBegan);

/** When the fence of a region began: written down by the first step of the run that asks it. */
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

/** For one attempt of a step of the fence. `progressAt` (ISO 8601): when the region last got on with this step's work. */
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
