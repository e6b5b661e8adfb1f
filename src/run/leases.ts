/** The leases that an execution must have to act for its run, as its operation's row says. */
import { holdWriterLease, readPointerIfAny, releaseWriterLease } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import type { Plan } from '../plan/plan.ts';
import { isOver } from '../plan/run-states.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Bundle } from './bundle.ts';
import { readRun } from './journal.ts';
import { holdRunLease, releaseRunLease, runLeaseMs } from './lease.ts';
import type { RunExecution } from './reference.ts';

interface Holding {
  store: ControlStore;
  bundle: Bundle;
  plan: Plan;
}

/**
 * Acquires or renews. A move has the run lease, as long as no other run has moved the pointer; replication has the
 * writer lease of its epoch. Throws FencedError; NotYetError while writers of the epoch before may still write.
 */
export async function holdLeases({ store, plan, bundle }: Holding, run: RunExecution, now: () => Date): Promise<void> {
  const at = now().getTime();
  if (rowOf(run.operation).lease === 'run') {
    await holdRunLease(store, { runId: run.runId, holder: run.holder, ttlMs: runLeaseMs, now: at });
    await assertNotOvertaken(store, run.runId, plan);
    return;
  }
  const { leaseTtl, clockSkew } = bundle.topology.policies;
  await holdWriterLease(store, {
    holder: run.runId,
    epoch: plan.madeInEpoch,
    ttlMs: toSeconds(leaseTtl) * 1000,
    skewMs: toSeconds(clockSkew) * 1000,
    now: at,
  });
  await refuseEnded(store, run);
}

/**
 * A step that was given up for dead may still run after its run has ended, and acquire the writer lease again. So the
 * run is checked once the lease is acquired: a run is recorded as ended before its lease is released.
 */
async function refuseEnded(store: ControlStore, { runId }: RunExecution): Promise<void> {
  const state = (await readRun(store, runId))?.state;
  if (state === undefined || !isOver(state)) return;
  await releaseWriterLease(store, runId);
  throw new UnderstudyError('FencedError', `run "${runId}" is ${state}: it writes no more`);
}

/** At the beginning: `retry` takes the run over from an execution that may still be alive. */
export async function takeLease(store: ControlStore, run: RunExecution, now: Date): Promise<void> {
  if (rowOf(run.operation).lease !== 'run') return;
  await holdRunLease(store, {
    runId: run.runId,
    holder: run.holder,
    ttlMs: runLeaseMs,
    now: now.getTime(),
    takeOver: run.resumed === true,
  });
}

/** At the end. `ended`: the run is over for good; otherwise it stays open, for a person to retry or cancel. */
export async function releaseLeases(store: ControlStore, run: RunExecution, ended: boolean): Promise<void> {
  if (rowOf(run.operation).lease === 'run') await releaseRunLease(store, { ...run, ended });
  else if (await readPointerIfAny(store)) await releaseWriterLease(store, run.runId);
}

/**
 * A plan is valid as long as the region pointer is where the plan was made, or where its own run has moved it.
 * FencedError if another run has moved the pointer since.
 */
export async function assertNotOvertaken(
  store: ControlStore,
  runId: string,
  { madeInEpoch }: Pick<Plan, 'madeInEpoch'>,
): Promise<void> {
  const pointer = (await readPointerIfAny(store))?.value;
  if (pointer && (pointer.epoch.number === madeInEpoch || pointer.takenBy?.run === runId)) return;
  throw new UnderstudyError(
    'FencedError',
    `the plan was made in epoch ${madeInEpoch}, and the region pointer is ${pointer ? `at ${pointer.epoch.number}` : 'missing'}: something moved since`,
    { next: 'Make a new plan.' },
  );
}
