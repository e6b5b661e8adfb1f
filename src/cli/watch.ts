/** Watches a run in the terminal. Ctrl-C ends the watching; the run continues. */
import type { StartedRun } from '../operations/runs/open-run.ts';
import type { Session } from '../operations/session.ts';
import { watchRun, type Watched } from '../operations/runs/watch-run.ts';
import type { Output } from './output.ts';
import { createView } from './view/index.ts';

/** Shows the run until it is over, or `leaving` is aborted. Returns how it ended. */
export async function showRun(
  { stream }: Pick<Output, 'stream'>,
  session: Session,
  run: StartedRun,
  leaving: AbortSignal,
): Promise<Watched> {
  const view = createView(stream);
  // If nobody reads the output any more (a pipe into "head"), nobody watches.
  const unread = new AbortController();
  const leave = () => unread.abort();
  stream.on('error', leave);
  try {
    return await watchRun(session, run, view, AbortSignal.any([leaving, unread.signal]));
  } finally {
    stream.off('error', leave);
    view.finish();
  }
}
