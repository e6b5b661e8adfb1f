/** The step of every move that commits it: takes the region pointer, with a new epoch, which fences the old writers. */
import { setTimeout as delay } from 'node:timers/promises';
import { assertEpoch, movePointer } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import { changeRun } from '../run/journal.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { isTakenBy, takeOver, type RegionPointer } from '../topology/pointer.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { endDeparture, recordDeparture, reopenDeparture } from './departures.ts';
import { forgiveDebts } from './old-side.ts';

/** Takes the region pointer for the target with a new epoch, by compare-and-swap. */
export async function takePointer(context: StepContext): Promise<StepResult> {
  const { store, run, plan, topology, to } = context;
  await context.recordUndo(() => ({ writer: plan.from }));
  await commit(context);
  const pointer = await movePointer(store, (found) => {
    if (isTakenBy(found, run.runId, to.region)) return undefined;
    assertEpoch(found, plan.madeInEpoch);
    return takeOver(found, to.region, run.runId, context.now(), toSeconds(topology.policies.clockSkew) * 1000);
  });
  const waited = await outwaitOldWriters(context, pointer);
  const epoch = pointer.epoch.number;
  await recordDeparture(store, { region: plan.from, run: run.runId, epoch });
  await endDeparture(store, { region: to.region, by: run.runId, epoch }, context.now());
  return {
    state: 'completed',
    detail:
      `epoch ${epoch}: ${to.region} is the writer` +
      (waited > 0 ? `; waited ${showDuration(waited)} for the lease of the old writer to end` : ''),
    facts: { epoch },
  };
}

/**
 * By compare-and-swap on the run's document, as a failover that ends the run does: one of the two succeeds.
 * Errors: CancelledRun.
 */
async function commit({ store, run: { runId }, now }: StepContext): Promise<void> {
  const { cancelled } = await changeRun(store, runId, (found) =>
    found.cancelled || found.committedAt !== undefined ? undefined : { committedAt: now().toISOString() },
  );
  if (cancelled) throw new UnderstudyError('CancelledRun', `run "${runId}" was cancelled by ${cancelled.by}`);
}

async function outwaitOldWriters(context: StepContext, pointer: RegionPointer): Promise<number> {
  const began = context.now().getTime();
  const until = pointer.oldWritersUntil ?? 0;
  for (let left = until - began; left > 0; left = until - context.now().getTime()) {
    await context.checkpoint({
      unit: 'seconds of lease',
      done: Math.max(0, Math.round((context.now().getTime() - began) / 1000)),
    });
    await delay(Math.min(left, 1000), undefined, { signal: context.signal });
  }
  return Math.max(0, Math.min(until, context.now().getTime()) - began);
}

/** The writer moves back, with another new epoch: epochs only rise. */
export async function returnPointer({ store, run, plan, now }: StepContext): Promise<string> {
  const pointer = await movePointer(store, (found) =>
    isTakenBy(found, run.runId, plan.to) ? takeOver(found, plan.from, run.runId, now(), 0) : undefined,
  );
  if (pointer.writer === plan.from) {
    await forgiveDebts(store, { region: plan.from, run: run.runId }, now());
    await endDeparture(store, { region: plan.from, by: run.runId, epoch: pointer.epoch.number }, now());
    await reopenDeparture(store, plan.to, run.runId);
  }
  return pointer.writer === plan.from
    ? `${plan.from} is the writer again, in epoch ${pointer.epoch.number}`
    : `left as it is: ${pointer.takenBy?.run ?? pointer.changedBy} has moved the pointer since`;
}
