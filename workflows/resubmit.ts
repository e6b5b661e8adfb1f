/** `resubmit`: jobs go on in the workspace in which an outage has failed them. */
import type { RunSummary } from '../src/run/progress.ts';
import type { RunStart } from '../src/run/reference.ts';
import { takeUp } from './run.ts';

/** One run. Its result says how it ended. */
export async function resubmit(start: RunStart): Promise<RunSummary> {
  const run = takeUp(start);
  await run.begin();
  await run.interpret();
  await run.undoIfCancelled();
  return run.end();
}
