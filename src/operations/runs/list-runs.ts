/** The runs of a topology as one list, damaged ones in their places. */
import { listRuns } from '../../run/journal.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';

/** A run, or of one that cannot be read its id and why. */
export type ListedRun = RunDocument | { runId: string; damaged: string };

/** Newest first: a run's id begins with its time. */
export async function listAllRuns({ store }: Session): Promise<ListedRun[]> {
  const { runs, damaged } = await listRuns(store);
  const all = [...runs, ...damaged.map(({ runId, error }) => ({ runId, damaged: error.message }))];
  return all.toSorted((one, other) => (one.runId < other.runId ? 1 : -1));
}
