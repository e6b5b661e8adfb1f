/**
 * What runs saw of the old jobs and did to them (their fences, drains, and the ends of jobs that ran on unseen), as the
 * control store has it. Below `runs/{run}/`:
 *
 *   stopped-jobs.json        how far the fence of the run has come (`Stopping`)
 *   stopped-jobs/{n}.json    what it saw, in parts that are written once: not all jobs again for each that ends
 *
 * `fence/{region}/cancelled-jobs.json` names the runs whose fences have set out to cancel jobs there.
 */
import { z } from 'zod';
import { mapBounded } from '../run/work/bounded.ts';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';

/** An unfinished job that a fence set out to cancel, in its state before that. */
const StoppedJob = z.strictObject({
  status: z.string(),
  lineageRoot: z.string(),
  hop: z.int().nonnegative(),
  owner: z.string().optional(),
  /** A part of another job, or a smoke job of ours: nobody misses it. */
  minor: z.literal(true).optional(),
  /**
   * ISO 8601: when it was seen to have ended because of the fence. Absent: it was cancelled, and nobody has seen it
   * end.
   */
  canceledAt: z.string().optional(),
  /** A switchover drained it, before it took the region pointer. */
  drained: z.literal(true).optional(),
  /** It ended in this status, not `Canceled`: while it stops jobs, the fence removes their write access. */
  endedAs: z.string().optional(),
});
export type StoppedJob = z.infer<typeof StoppedJob>;

/** A job of the ledger that had ended by itself. */
const EndedJob = z.strictObject({
  /** `gone`: the old workspace answered, and had no such job. */
  status: z.string(),
  /** ISO 8601: when the fence saw it. Azure does not say when a job ended. */
  seenAt: z.string(),
});
export type EndedJob = z.infer<typeof EndedJob>;

/** What the fence of one run found about the old jobs. */
const StoppedJobs = z.strictObject({
  /** By name; recorded before the first is cancelled. */
  stopped: z.record(z.string(), StoppedJob),
  ended: z.record(z.string(), EndedJob),
});
export type StoppedJobs = z.infer<typeof StoppedJobs>;

/**
 * `stopped`: every job has ended. `gone`: so has the workspace. `silent`: the region does not answer, and what runs
 * there cannot be known. `unconfirmed`: it answers, and has not confirmed that all of them ended: some may still run.
 */
const StoppingEnd = z.strictObject({
  as: z.enum(['stopped', 'gone', 'silent', 'unconfirmed']),
  reason: z.string(),
});
export type StoppingEnd = z.infer<typeof StoppingEnd>;

/** How far the fence of a run has come with the jobs. */
const Stopping = z.strictObject({
  region: z.string(),
  /** ISO 8601: when the region last made progress; at first, when the fence began. */
  progressAt: z.string(),
  /** Whether the region has answered since then. */
  heard: z.boolean(),
  /**
   * How long attempts of the step have worked on it. Time that nobody could record, because the control store did not
   * answer, does not count.
   */
  spentMs: z.number().nonnegative(),
  /** The attempt of the step that works on it: what an earlier one records is ignored. */
  attempt: z.int().positive(),
  /** How many were unfinished; absent: those that could be resumed are not all known yet. */
  found: z.int().nonnegative().optional(),
  /** Absent: still going on. */
  end: StoppingEnd.optional(),
});
export type Stopping = z.infer<typeof Stopping>;

const Fences = z.strictObject({ runs: z.array(z.string()) });

const stoppings = documentKind('state of the stopping of jobs', 1, Stopping);
const parts = documentKind('record of stopped jobs', 1, StoppedJobs);
const fences = documentKind('list of fences', 1, Fences);

/** What a fence knows of one job of the ledger. `unseen`: the old side did not answer, or not for long enough. */
export type OldJobState =
  | { is: 'unseen' }
  | ({ is: 'ended' } & EndedJob)
  /** It ended because of the fence, or of a drain; `endedAs` unless it is `Canceled`. */
  | { is: 'cancelled'; at: string; endedAs?: string; drained?: true }
  /**
   * No fence has ended it, but an outage: it is resubmitted where it ran. `lastSeenAt`: unfinished; absent: not known.
   */
  | { is: 'interrupted'; endedAs: string; seenAt: string; lastSeenAt?: string }
  /** It was cancelled, and may still run. */
  | { is: 'asked' }
  /** The region answers, and has not confirmed that it ended. */
  | { is: 'unconfirmed'; reason: string };

const stateName = (runId: string) => `runs/${runId}/stopped-jobs.json`;
const partsOf = (runId: string) => `runs/${runId}/stopped-jobs/`;
const partName = (runId: string, part: number) => `${partsOf(runId)}${String(part).padStart(5, '0')}.json`;
const cancelledName = (region: string) => `fence/${region}/cancelled-jobs.json`;

/** A job of a region that a fence set out to cancel, with the last run whose fence saw it. */
export interface CancelledJob extends Pick<StoppedJob, 'lineageRoot' | 'hop'> {
  run: string;
}

/** Undefined before the fence of the run has begun to stop jobs. */
export async function readStopping(store: ControlStore, runId: string): Promise<Stopping | undefined> {
  return (await stoppings.read(store, stateName(runId)))?.value;
}

/**
 * An attempt begins. The end of the previous attempt says nothing about the jobs now. `first`: written if nothing is
 * there yet.
 */
export async function beginStopping(
  store: ControlStore,
  runId: string,
  first: Pick<Stopping, 'region' | 'progressAt' | 'attempt'>,
): Promise<Stopping> {
  for (;;) {
    const found = await stoppings.read(store, stateName(runId));
    if (found && found.value.attempt > first.attempt) throw overtaken(runId);
    const { end: _ofEarlier, ...before } = found?.value ?? { heard: false, spentMs: 0, ...first };
    const next: Stopping = { ...before, attempt: first.attempt };
    if (await stoppings.swap(store, stateName(runId), next, found?.etag)) return next;
  }
}

/** Changes how far the fence has come, by compare-and-swap. FencedError: another attempt has begun since. */
export async function changeStopping(
  store: ControlStore,
  runId: string,
  attempt: number,
  change: Partial<Stopping>,
): Promise<void> {
  for (;;) {
    const found = await stoppings.read(store, stateName(runId));
    if (found?.value.attempt !== attempt) throw overtaken(runId);
    if (await stoppings.swap(store, stateName(runId), { ...found.value, ...change }, found.etag)) return;
  }
}

function overtaken(runId: string): UnderstudyError {
  return new UnderstudyError('FencedError', `another attempt of run "${runId}" stops the jobs now`);
}

const jobsInPart = 500;
const window = 16;

/** What the fence of one run has seen: read once, then part by part as it grows, whoever writes it. */
export class StoppedRecord implements StoppedJobs {
  readonly stopped: StoppedJobs['stopped'] = {};
  readonly ended: StoppedJobs['ended'] = {};
  readonly #store: ControlStore;
  readonly #runId: string;
  #parts = 0;

  private constructor(store: ControlStore, runId: string) {
    this.#store = store;
    this.#runId = runId;
  }

  static async open(store: ControlStore, runId: string): Promise<StoppedRecord> {
    const record = new StoppedRecord(store, runId);
    const names = await Array.fromAsync(store.list(partsOf(runId)));
    const read = await mapBounded(names, window, (name) => parts.read(store, name));
    for (const part of read) if (part) record.#take(part.value);
    record.#parts = names.length;
    await record.refresh();
    return record;
  }

  /** Reads what has been written since. */
  async refresh(): Promise<void> {
    for (;;) {
      const part = await parts.read(this.#store, partName(this.#runId, this.#parts + 1));
      if (!part) return;
      this.#parts += 1;
      this.#take(part.value);
    }
  }

  async add(seen: StoppedJobs): Promise<void> {
    const all = [
      ...Object.entries(seen.stopped).map(([name, job]) => ({ stopped: { [name]: job }, ended: {} })),
      ...Object.entries(seen.ended).map(([name, job]) => ({ stopped: {}, ended: { [name]: job } })),
    ];
    for (let at = 0; at < all.length; at += jobsInPart) {
      const part: StoppedJobs = { stopped: {}, ended: {} };
      for (const { stopped, ended } of all.slice(at, at + jobsInPart)) {
        Object.assign(part.stopped, stopped);
        Object.assign(part.ended, ended);
      }
      // An attempt that was given up for dead may still be writing: parts are in the order in which they were written.
      while (!(await parts.swap(this.#store, partName(this.#runId, this.#parts + 1), part, undefined)))
        await this.refresh();
      this.#parts += 1;
      this.#take(part);
    }
  }

  #take({ stopped, ended }: StoppedJobs): void {
    for (const [name, job] of Object.entries(stopped)) {
      const known = this.stopped[name];
      const { canceledAt, endedAs } = job;
      // The first status that was seen is the one from before the cancel.
      this.stopped[name] = known
        ? { ...known, ...(canceledAt ? { canceledAt } : {}), ...(endedAs ? { endedAs } : {}) }
        : job;
    }
    Object.assign(this.ended, ended);
  }

  readonly oldState = (name: string): OldJobState => {
    const ended = this.ended[name];
    if (ended) return { is: 'ended', ...ended };
    const stopped = this.stopped[name];
    if (!stopped) return { is: 'unseen' };
    const { canceledAt: at, endedAs, drained } = stopped;
    if (at === undefined) return { is: 'asked' };
    return {
      is: 'cancelled',
      at,
      ...(endedAs === undefined ? {} : { endedAs }),
      ...(drained === undefined ? {} : { drained }),
    };
  };
}

/**
 * Jobs that the drain of a run set out to cancel, by name, without those that were seen to end by themselves. One
 * without `canceledAt` may still run, or may have ended unseen.
 */
export async function drainedBy(store: ControlStore, runId: string): Promise<ReadonlyMap<string, StoppedJob>> {
  const { stopped, ended } = await StoppedRecord.open(store, runId);
  return new Map(Object.entries(stopped).filter(([name, job]) => job.drained && !ended[name]));
}

/** Runs whose fences have set out to cancel jobs of a region, in order. */
export async function readFences(store: ControlStore, region: string): Promise<string[]> {
  return (await fences.read(store, cancelledName(region)))?.value.runs ?? [];
}

/** By name: the jobs that the fences of these runs have set out to cancel. */
export async function readCancelled(
  store: ControlStore,
  runs: readonly string[],
): Promise<Record<string, CancelledJob>> {
  const cancelled: Record<string, CancelledJob> = {};
  for (const run of runs) {
    const { stopped } = await StoppedRecord.open(store, run);
    for (const [name, { lineageRoot, hop }] of Object.entries(stopped)) cancelled[name] = { run, lineageRoot, hop };
  }
  return cancelled;
}

/**
 * Adds the run to the fences of a region, before it cancels the first job. For a later run, what this one cancels did
 * not end by itself. Jobs that an earlier fence cancelled, and that this one saw so, are from now on this run's to
 * account for.
 */
export async function rememberFence(store: ControlStore, region: string, run: string): Promise<void> {
  for (;;) {
    const found = await fences.read(store, cancelledName(region));
    const runs = found?.value.runs ?? [];
    if (runs.at(-1) === run) return;
    const next = { runs: [...runs.filter((each) => each !== run), run] };
    if (await fences.swap(store, cancelledName(region), next, found?.etag)) return;
  }
}
