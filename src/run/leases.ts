/** The leases that an execution must have to act for its run, as its operation's row says. */
import { holdWriterLease, readPointerIfAny, releaseWriterLease } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import type { Plan } from '../plan/plan.ts';
import { isOver } from '../plan/run-states.ts';
import { toSeconds } from '../topology/duration.ts';
import type { RegionPointer } from '../topology/pointer.ts';
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
 * Acquires or renews. A move has the run lease, as long as no other run has moved the pointer; one that takes a
 * recovery point has the writer lease too, until it takes the pointer. Every other operation has the writer lease of
 * its epoch. Throws FencedError; NotYetError while writers of the epoch before may still write, or a replication still
 * writes what the run waits for.
 */
export async function holdLeases(holding: Holding, run: RunExecution, now: () => Date): Promise<void> {
  const { store, plan } = holding;
  const at = now().getTime();
  const { lease, recoveryPoint } = rowOf(run.operation);
  if (lease === 'run') {
    await holdRunLease(store, { runId: run.runId, holder: run.holder, ttlMs: runLeaseMs, now: at });
    const pointer = await assertNotOvertaken(store, run.runId, plan);
    if (recoveryPoint === 'makes one' && pointer.takenBy?.run !== run.runId) await waitForWriterLease(holding, run, at);
    return;
  }
  if (recoveryPoint === 'none') await waitForWriterLease(holding, run, at);
  else await holdWriterLeaseOf(holding, run, at);
  await refuseEnded(store, run);
}

function holdWriterLeaseOf({ store, plan, bundle }: Holding, { runId }: RunExecution, now: number): Promise<void> {
  const { leaseTtl, clockSkew } = bundle.topology.policies;
  return holdWriterLease(store, {
    holder: runId,
    epoch: plan.madeInEpoch,
    ttlMs: toSeconds(leaseTtl) * 1000,
    skewMs: toSeconds(clockSkew) * 1000,
    now,
  });
}

/** A replication that is under way is no reason to fail: it ends. NotYetError until then. */
async function waitForWriterLease(holding: Holding, run: RunExecution, now: number): Promise<void> {
  try {
    await holdWriterLeaseOf(holding, run, now);
  } catch (error) {
    if (!isUnderstudyError(error, 'FencedError')) throw error;
    // It may be fenced for another reason, which does not pass.
    await assertNotOvertaken(holding.store, run.runId, holding.plan);
    throw new UnderstudyError('NotYetError', `it waits: ${error.message}`, { ...error.details, cause: error });
  }
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
  const { lease, recoveryPoint } = rowOf(run.operation);
  const hasWriterLease = lease === 'writer' || recoveryPoint === 'makes one';
  if (hasWriterLease && (await readPointerIfAny(store))) await releaseWriterLease(store, run.runId);
  if (lease === 'run') await releaseRunLease(store, { ...run, ended });
}

/**
 * A plan is valid as long as the region pointer is where the plan was made, or where its own run has moved it. Returns
 * the pointer. FencedError if another run has moved the pointer since.
 */
export async function assertNotOvertaken(
  store: ControlStore,
  runId: string,
  { madeInEpoch }: Pick<Plan, 'madeInEpoch'>,
): Promise<RegionPointer> {
  const pointer = (await readPointerIfAny(store))?.value;
  if (pointer && (pointer.epoch.number === madeInEpoch || pointer.takenBy?.run === runId)) return pointer;
  throw new UnderstudyError(
    'FencedError',
    `the plan was made in epoch ${madeInEpoch}, and the region pointer is ${pointer ? `at ${pointer.epoch.number}` : 'missing'}: something moved since`,
    { next: 'Make a new plan.' },
  );
}
