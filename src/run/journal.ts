/** The run journal: each step's outcome is here before it counts. A run can be taken up from it on any Temporal. */
import { UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { RunHeader, RunState, StepRecord } from './outcome.ts';

const folder = (runId: string) => `runs/${runId}`;
const stepName = (runId: string, step: string) => `${folder(runId)}/steps/${step.replaceAll('/', '.')}.json`;

export interface RunDocument extends RunHeader {
  state: RunState;
  stateReason?: string;
  /** The run lost something, or left something for a person: said first, everywhere. */
  lost?: string[];
  startedAt?: string;
  endedAt?: string;
}

/** Writes the header of a new run. FencedError if the id is taken by a run of another plan. */
export async function openRun(store: ControlStore, header: RunHeader): Promise<void> {
  const document: RunDocument = { ...header, state: 'pending' };
  if (await store.swap(`${folder(header.runId)}/run.json`, document, undefined)) return;
  const there = await readRun(store, header.runId);
  if (there?.plan !== header.plan) {
    throw new UnderstudyError('FencedError', `run "${header.runId}" exists already, with another plan`);
  }
}

export async function readRun(store: ControlStore, runId: string): Promise<RunDocument | undefined> {
  return (await store.read<RunDocument>(`${folder(runId)}/run.json`))?.value;
}

/** Moves the run's own state. Idempotent. What `change` gives as `null` is removed. */
export async function changeRun(
  store: ControlStore,
  runId: string,
  change: { [Field in keyof RunDocument]?: RunDocument[Field] | null },
): Promise<RunDocument> {
  const name = `${folder(runId)}/run.json`;
  for (;;) {
    const found = await store.read<RunDocument>(name);
    if (!found)
      throw new UnderstudyError('ControlStoreError', `there is no run "${runId}" in the control store`);
    const merged = Object.entries({ ...found.value, ...change }).filter(([, value]) => value !== null);
    const next = Object.fromEntries(merged) as unknown as RunDocument;
    if (await store.swap(name, next, found.etag)) return next;
  }
}

export async function readStep(
  store: ControlStore,
  runId: string,
  step: string,
): Promise<StepRecord | undefined> {
  return (await store.read<StepRecord>(stepName(runId, step)))?.value;
}

/** Replaces a step's record by `change(what is there)`, by compare-and-swap; undefined leaves it as it is. */
export async function recordStep(
  store: ControlStore,
  runId: string,
  step: string,
  change: (record: StepRecord | undefined) => StepRecord | undefined,
): Promise<StepRecord | undefined> {
  for (;;) {
    const found = await store.read<StepRecord>(stepName(runId, step));
    const next = change(found?.value);
    if (!next) return found?.value;
    if (await store.swap(stepName(runId, step), next, found?.etag)) return next;
  }
}

export async function listSteps(store: ControlStore, runId: string): Promise<StepRecord[]> {
  const records: StepRecord[] = [];
  for await (const name of store.list(`${folder(runId)}/steps/`)) {
    const found = await store.read<StepRecord>(name);
    if (found) records.push(found.value);
  }
  return records;
}

/** All runs, newest first (a run's id begins with its time). */
export async function listRuns(store: ControlStore): Promise<RunDocument[]> {
  const runs = await Promise.all((await runIds(store)).map((id) => readRun(store, id)));
  return runs.filter((run) => run !== undefined);
}

/** The newest run that is so; the older ones are not read. */
export async function findNewestRun(
  store: ControlStore,
  matches: (run: RunDocument) => boolean,
): Promise<RunDocument | undefined> {
  for (const id of await runIds(store)) {
    const run = await readRun(store, id);
    if (run && matches(run)) return run;
  }
  return undefined;
}

async function runIds(store: ControlStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const name of store.list('runs/'))
    if (name.endsWith('/run.json')) ids.push(name.split('/')[1] ?? '');
  return ids.toSorted().toReversed();
}
