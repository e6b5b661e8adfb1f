/**
 * Which jobs a run has asked for a checkpoint: a request outlives the attempt that made it, and is to be taken back
 * even if its job has ended meanwhile. In `runs/{run}/asked-jobs.json`.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';

const AskedJobs = z.strictObject({ jobs: z.array(z.string()) });
const documents = documentKind('list of jobs asked for a checkpoint', 1, AskedJobs);

const nameOf = (runId: string) => `runs/${runId}/asked-jobs.json`;

/** By name, in order. */
export async function readAsked(store: ControlStore, runId: string): Promise<string[]> {
  return (await documents.read(store, nameOf(runId)))?.value.jobs ?? [];
}

/** Call it before the first of them is asked. */
export async function noteAsked(store: ControlStore, runId: string, names: readonly string[]): Promise<void> {
  for (;;) {
    const found = await documents.read(store, nameOf(runId));
    const known = found?.value.jobs ?? [];
    const jobs = [...new Set([...known, ...names])];
    if (jobs.length === known.length) return;
    if (await documents.swap(store, nameOf(runId), { jobs }, found?.etag)) return;
  }
}
