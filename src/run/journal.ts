/** The run journal: a step's outcome is here before it counts. Any Temporal can continue a run from it. */
import { documentKind } from '../control-store/document.ts';
import { newestFirst } from '../control-store/newest-first.ts';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isOver } from '../plan/run-states.ts';
import { addOpenRun, readOpenRuns, removeOpenRun } from './open-runs.ts';
import { batches, mapBounded } from './work/bounded.ts';
import { StepRecord } from './work/outcome.ts';
import { runDocuments, type RunDocument } from './run-document.ts';

const folder = (runId: string) => `runs/${runId}`;
const runName = (runId: string) => `${folder(runId)}/run.json`;
const stepName = (runId: string, step: string) => `${folder(runId)}/steps/${step.replaceAll('/', '.')}.json`;

const stepRecords = documentKind('step record', 2, StepRecord);

/** Records a new run. FencedError if another run has the id. */
export async function openRun(store: ControlStore, run: Omit<RunDocument, 'state'>): Promise<void> {
  await addOpenRun(store, run.runId, () => notOver(store));
  if (await runDocuments.swap(store, runName(run.runId), { ...run, state: 'pending' }, undefined)) return;
  const there = await readRun(store, run.runId);
  if (there?.triggeredAt === run.triggeredAt && there.plan === run.plan) return;
  throw new UnderstudyError('FencedError', `run "${run.runId}" exists already, and is another one`);
}

/** Undefined if there is none. ControlStoreError if it is damaged. */
export async function readRun(store: ControlStore, runId: string): Promise<RunDocument | undefined> {
  return (await runDocuments.read(store, runName(runId)))?.value;
}

/** UsageError if there is none. */
export async function requireRun(store: ControlStore, runId: string): Promise<RunDocument> {
  const run = await readRun(store, runId);
  if (run) return run;
  throw new UnderstudyError('UsageError', `there is no run "${runId}" in the control store`, {
    next: 'List the runs there are with "understudy runs".',
  });
}

type Change = { [Field in keyof RunDocument]?: RunDocument[Field] | null };

/**
 * Changes a run by compare-and-swap. `change` is the change, or a function of the current document; undefined changes
 * nothing. A member that it sets to `null` is removed. Idempotent as far as `change` is.
 */
export async function changeRun(
  store: ControlStore,
  runId: string,
  change: Change | ((run: RunDocument) => Change | undefined),
): Promise<RunDocument> {
  for (;;) {
    const found = await runDocuments.read(store, runName(runId));
    if (!found) throw new UnderstudyError('ControlStoreError', `there is no run "${runId}" in the control store`);
    const changed = typeof change === 'function' ? change(found.value) : change;
    if (!changed) return found.value;
    const merged = Object.entries({ ...found.value, ...changed }).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    const next = Object.fromEntries(merged) as unknown as RunDocument;
    if (!(await runDocuments.swap(store, runName(runId), next, found.etag))) continue;
    await noteOpen(store, next, found.value);
    return next;
  }
}

async function noteOpen(store: ControlStore, { runId, state }: RunDocument, before: RunDocument): Promise<void> {
  if (isOver(state) === isOver(before.state)) return;
  if (isOver(state)) await removeOpenRun(store, runId, () => hasEnded(store, runId));
  else await addOpenRun(store, runId, () => notOver(store));
}

async function hasEnded(store: ControlStore, runId: string): Promise<boolean> {
  const run = await tryRun(store, runId);
  return run !== undefined && !('error' in run) && isOver(run.state);
}

/** A step's record; undefined before the step has begun. */
export async function readStep(store: ControlStore, runId: string, step: string): Promise<StepRecord | undefined> {
  return (await stepRecords.read(store, stepName(runId, step)))?.value;
}

/** Replaces a step's record by `change(current record)`, by compare-and-swap; undefined changes nothing. */
export async function recordStep(
  store: ControlStore,
  runId: string,
  step: string,
  change: (record: StepRecord | undefined) => StepRecord | undefined,
): Promise<StepRecord | undefined> {
  const name = stepName(runId, step);
  for (;;) {
    const found = await stepRecords.read(store, name);
    const next = change(found?.value);
    if (!next) return found?.value;
    if (await stepRecords.swap(store, name, next, found?.etag)) return next;
  }
}

/** The records of all steps that have begun. */
export async function listSteps(store: ControlStore, runId: string): Promise<StepRecord[]> {
  const records: StepRecord[] = [];
  for await (const name of store.list(`${folder(runId)}/steps/`)) {
    const found = await stepRecords.read(store, name);
    if (found) records.push(found.value);
  }
  return records;
}

/** Runs, and the documents of runs that cannot be read. */
export interface RunList {
  /** Newest first: a run's id begins with its time. */
  runs: RunDocument[];
  /** Runs whose document cannot be parsed; newest first. */
  damaged: DamagedRun[];
}

/** A run whose document cannot be read. */
export interface DamagedRun {
  runId: string;
  error: UnderstudyError;
}

const runsAtOnce = 16;
/** For a caller that wants one of the newest few. */
const soughtAtOnce = 4;

/**
 * Runs, newest first; `limit`: at most that many are returned, and no more are read. A damaged run does not hide the
 * others: a caller that needs it throws its error.
 */
export async function listRuns(
  store: ControlStore,
  { limit = Infinity, now = new Date() }: { limit?: number; now?: Date } = {},
): Promise<RunList> {
  const list: RunList = { runs: [], damaged: [] };
  for await (const each of readNewestFirst(store, now, Math.min(limit, runsAtOnce))) {
    if ('error' in each) list.damaged.push(each);
    else list.runs.push(each);
    if (list.runs.length + list.damaged.length >= limit) break;
  }
  return list;
}

/**
 * The runs that are not over, ordered by id, however many there were. Reads each of them, and those that may be open.
 */
export async function listOpenRuns(store: ControlStore, alsoRead: readonly string[] = []): Promise<RunList> {
  const ids = new Set([...(await readOpenRuns(store, () => notOver(store))), ...alsoRead]);
  const list: RunList = { runs: [], damaged: [] };
  for (const each of await mapBounded([...ids].toSorted().toReversed(), runsAtOnce, (id) => tryRun(store, id))) {
    if (!each) continue;
    if ('error' in each) list.damaged.push(each);
    else if (!isOver(each.state)) list.runs.push(each);
    else await removeOpenRun(store, each.runId, () => hasEnded(store, each.runId));
  }
  return list;
}

/**
 * The newest run that matches; older ones are not read. ControlStoreError if none matches and one was damaged: it may
 * have been that one.
 */
export async function findNewestRun(
  store: ControlStore,
  matches: (run: RunDocument) => boolean,
  now = new Date(),
): Promise<RunDocument | undefined> {
  let damaged: DamagedRun | undefined;
  for await (const run of readNewestFirst(store, now, soughtAtOnce)) {
    if ('error' in run) damaged ??= run;
    else if (matches(run)) return run;
  }
  if (damaged) throw damaged.error;
  return undefined;
}

/** A few at a time: a caller that has found its run reads no more. */
async function* readNewestFirst(
  store: ControlStore,
  now: Date,
  atOnce: number,
): AsyncGenerator<RunDocument | DamagedRun> {
  const dayPrefix = (day: string) => `${day.replaceAll('-', '')}T`;
  const ids = newestFirst(store, { folder: 'runs/', dayPrefix, now });
  for await (const batch of batches(ids, atOnce)) {
    const read = await mapBounded(batch, atOnce, (runId) => tryRun(store, runId));
    for (const each of read) if (each) yield each;
  }
}

async function notOver(store: ControlStore): Promise<string[]> {
  const { runs, damaged } = await listRuns(store);
  const open = runs.filter(({ state }) => !isOver(state));
  return [...open, ...damaged].map(({ runId }) => runId);
}

async function tryRun(store: ControlStore, runId: string): Promise<RunDocument | DamagedRun | undefined> {
  try {
    return await readRun(store, runId);
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return { runId, error };
  }
}
