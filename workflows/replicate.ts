/** `replicate`: a recovery point, within its deadline. A region that does not answer is not waited for without end. */
import type { RunSummary } from '../src/run/progress.ts';
import type { RunStart } from '../src/run/reference.ts';
import { takeUp } from './run.ts';

export async function replicate(start: RunStart): Promise<RunSummary> {
  const run = takeUp(start);
  await run.begin();
  await run.interpretWithinDeadline();
  await run.undoIfCancelled();
  return run.end();
}
