/** The runs of a topology as one list, with damaged ones in their places. */
import { listRuns } from '../../run/journal.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';

/** A run, or the id of one that cannot be read, and why. */
export type ListedRun = RunDocument | { runId: string; damaged: string };

/** The newest runs, and whether there are older ones. */
export interface NewestRuns {
  /** Newest first: a run's id begins with its time. */
  runs: ListedRun[];
  /** There are older ones. */
  isCut: boolean;
}

/** The newest `limit` runs, readable or not. */
export async function listNewestRuns({ store }: Session, limit: number): Promise<NewestRuns> {
  // One more tells whether there are more.
  const { runs, damaged } = await listRuns(store, { limit: limit + 1 });
  const all = [...runs, ...damaged.map(({ runId, error }) => ({ runId, damaged: error.message }))];
  const newestFirst = all.toSorted((one, other) => (one.runId < other.runId ? 1 : -1));
  return { runs: newestFirst.slice(0, limit), isCut: newestFirst.length > limit };
}
