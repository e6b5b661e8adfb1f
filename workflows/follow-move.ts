/**
 * `followMove`: follows a completed move. Once the region that it has left has answered for long enough without a break,
 * it is reprotected. Ends when that is done, or a move has changed who writes.
 */
import {
  continueAsNew,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import { workflowIdOf } from '../src/plan/operations.ts';
import { searchAttributes } from '../src/plan/search-attributes.ts';
import type { RunSummary } from '../src/run/progress.ts';
import type { RunReference } from '../src/run/reference.ts';
import { causeOf } from './interpret.ts';
import { optionsOf } from './profiles.ts';

const { lookAtDeparted, openReprotect } = proxyActivities<Activities>(optionsOf('control'));

/** What is known of the region between two executions of the workflow. */
interface Seen {
  /** Milliseconds since 1970: since when it has answered without a break. */
  steadySince?: number | undefined;
}

/** An execution's history stays small: then another goes on. */
const looksEach = 300;

/** Returns once there is nothing left to follow. */
export async function followMove(move: RunReference, seen: Seen = {}): Promise<void> {
  let { steadySince } = seen;
  for (let look = 0; look < looksEach; look++) {
    const found = await lookAtDeparted(move);
    if (found.state === 'over') return;
    if (found.state === 'answers') steadySince ??= Date.now();
    else steadySince = undefined;
    if (steadySince !== undefined && Date.now() - steadySince >= found.steadySeconds * 1000) {
      if (await reprotected(move)) return;
      // What was in its way has a whole steady time to pass.
      steadySince = undefined;
    }
    await sleep(found.againSeconds * 1000);
  }
  await continueAsNew<typeof followMove>(move, { steadySince });
}

async function reprotected(move: RunReference): Promise<boolean> {
  try {
    const run = await openReprotect({ move, at: new Date().toISOString() });
    if (!run) return false;
    const summary = await executeChild<(start: RunReference) => Promise<RunSummary>>('reprotect', {
      workflowId: workflowIdOf(run),
      args: [run],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      memo: { runId: run.runId },
      typedSearchAttributes: new TypedSearchAttributes(
        (['topology', 'operation', 'outcome'] as const).map((name) => ({
          key: defineSearchAttributeKey(searchAttributes[name], 'KEYWORD'),
          value: name === 'outcome' ? 'running' : run[name],
        })),
      ),
      staticSummary: `${run.operation} of ${run.topology}: ${run.runId}`,
    });
    return summary.state === 'completed';
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the region was not reprotected', { move: move.runId, cause: causeOf(error) });
    return false;
  }
}
