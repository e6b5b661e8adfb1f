/** `failback`: brings over what only the region that a move has left has, and moves the workspace back to it. */
import type { RunSummary } from '../src/run/progress.ts';
import type { RunStart } from '../src/run/reference.ts';
import { takeUp } from './run.ts';

/** One run. Its id is the run's; its result says how it ended; the journal and the report have the details. */
export async function failback(start: RunStart): Promise<RunSummary> {
  const run = takeUp(start);
  await run.begin();
  await run.interpret();
  await run.undoIfCancelled();
  return run.end();
}
