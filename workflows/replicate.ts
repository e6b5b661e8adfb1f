/**
 * `replicate`: takes a recovery point, within its deadline. It does not wait forever for a region that does not answer.
 */
import type { RunSummary } from '../src/run/progress.ts';
import type { RunStart } from '../src/run/reference.ts';
import { takeUp } from './run.ts';

/** One recovery point. Its result says how the run ended. */
export async function replicate(start: RunStart): Promise<RunSummary> {
  const run = takeUp(start);
  await run.begin();
  await run.interpretWithinDeadline();
  await run.undoIfCancelled();
  return run.end();
}
