/** Describes a run and how to end it, in the same words for commands, findings and notifications. */
import { rowOf } from '../plan/operations.ts';
import { isOver } from '../plan/run-states.ts';
import { afterOvertaken, type Overtaken } from './overtaken.ts';
import type { RunDocument } from './run-document.ts';

/** `20261121T030000Z-failover-3f9a (failover, eastus → westus3): failed: …` */
export function describeRun(run: RunDocument): string {
  const where = run.from === undefined ? '' : `, ${run.from} → ${run.to}`;
  const state = run.paused && !isOver(run.state) ? `${run.state}, paused by ${run.paused.by}` : run.state;
  return `"${run.runId}" (${run.operation}${where}): ${state}${run.stateReason === undefined ? '' : `: ${run.stateReason}`}`;
}

/** What a person can do next about a run that is not over, or has failed. `overtaken`: see `overtakenBy`. */
export function howToEnd({ runId, operation, state, cancelled }: RunDocument, overtaken?: Overtaken): string {
  if (state === 'failed' && overtaken) return afterOvertaken(overtaken);
  // A failed replication is not retried: a new recovery point is taken, and what was copied is not copied again.
  if (state === 'failed' && rowOf(operation).lease !== 'run')
    return `Fix what failed, then run "understudy ${operation}" again.`;
  if (cancelled) return `It was cancelled by ${cancelled.by}; if nothing undoes it: "understudy retry ${runId}".`;
  if (state === 'failed')
    return `Fix what failed, then "understudy retry ${runId}"; or undo it with "understudy cancel ${runId}".`;
  return `Watch it with "understudy status --watch"; end it with "understudy cancel ${runId}"; if nothing executes it: "understudy retry ${runId}".`;
}
