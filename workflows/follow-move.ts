/**
 * `followMove`: follows a completed move. Once the region that it has left has answered for long enough without a
 * break, it is reprotected. Ends when that is done, or a move has changed who writes.
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
import { workflowOfRun } from '../src/plan/workflow-of-run.ts';
import type { Departed, DropReprotect } from '../src/operations/follow-move.ts';
import type { RunSummary } from '../src/run/progress.ts';
import type { RunReference } from '../src/run/reference.ts';
import { causeOf } from './interpret.ts';
import { optionsOf } from './profiles.ts';

const { lookAtDeparted, openReprotect, dropReprotect } = proxyActivities<Activities>(optionsOf('control'));

/** How long the region has answered without a break, in milliseconds since 1970. */
interface Steady {
  since: number;
  /** When it last answered. */
  until: number;
}

/** What is known of the region between two executions of the workflow. */
interface Seen {
  steady?: Steady | undefined;
}

/** An execution's history stays small: then another goes on. */
const looksEach = 300;
/** Nobody has looked for longer than this many looks take: what the region did meanwhile is unknown. */
const looksMissed = 3;
/** Seconds from a look that failed to the next, as long as none has succeeded. */
const firstAgainSeconds = 60;

/** Returns once there is nothing left to follow. */
export async function followMove(move: RunReference, seen: Seen = {}): Promise<void> {
  let { steady } = seen;
  let againSeconds = firstAgainSeconds;
  for (let look = 0; look < looksEach; look++) {
    const found = await lookOnce(move);
    if (found?.state === 'over') return;
    if (found) {
      againSeconds = found.againSeconds;
      steady = found.state === 'answers' ? lengthened(steady, Date.now(), againSeconds) : undefined;
      if (steady && steady.until - steady.since >= found.steadySeconds * 1000) {
        if (await reprotected(move)) return;
        // What was in its way has a whole steady time to pass.
        steady = undefined;
      }
    }
    await sleep(againSeconds * 1000);
  }
  await continueAsNew<typeof followMove>(move, { steady });
}

/** Undefined if nothing could be seen: the control store may be away for hours, and this outlasts it. */
async function lookOnce(move: RunReference): Promise<Departed | undefined> {
  try {
    return await lookAtDeparted(move);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the region could not be looked at', { move: move.runId, cause: causeOf(error) });
    return undefined;
  }
}

function lengthened(steady: Steady | undefined, now: number, againSeconds: number): Steady {
  const isUnbroken = steady && now - steady.until <= looksMissed * againSeconds * 1000;
  return { since: isUnbroken ? steady.since : now, until: now };
}

async function reprotected(move: RunReference): Promise<boolean> {
  const request = { move, at: new Date().toISOString() };
  try {
    const run = await openReprotect(request);
    if (!run) return false;
    const { options, attributes } = workflowOfRun(run);
    const summary = await executeChild<(start: RunReference) => Promise<RunSummary>>('reprotect', {
      ...options,
      typedSearchAttributes: new TypedSearchAttributes(
        Object.entries(attributes).map(([name, value]) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value })),
      ),
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return summary.state === 'completed';
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the region was not reprotected', { move: move.runId, cause: causeOf(error) });
    await drop({ ...request, why: causeOf(error) });
    return false;
  }
}

/** A run that was opened, and whose workflow could not be started, would be waited for until a person ends it. */
async function drop(request: DropReprotect): Promise<void> {
  try {
    await dropReprotect(request);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('its run was left open', { move: request.move.runId, cause: causeOf(error) });
  }
}
