/** `switchover`: moves the workspace to the standby as planned work, from a recovery point that it seals itself. */
import type { RunSummary } from '../src/run/progress.ts';
import type { RunStart } from '../src/run/reference.ts';
import { takeUp } from './run.ts';

/** One run. Its id is the run's; its result says how it ended; the journal and the report have the details. */
export async function switchover(start: RunStart): Promise<RunSummary> {
  const run = takeUp(start);
  await run.begin();
  await run.interpret();
  await run.undoIfCancelled();
  return run.end();
}
