/** Starts a run, finds the open one, takes one up again, cancels one: every door into a run is here. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { findRunning, startRun, type RunHandle } from '../client/runs.ts';
import { readPointer } from '../control-store/region-pointer.ts';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { actionOf } from '../plan/actions.ts';
import { rowOf, type Operation } from '../plan/operations.ts';
import type { Plan } from '../plan/plan.ts';
import { isOpen, isOver } from '../plan/run-states.ts';
import { bundleFolder, bundles } from '../run/bundle.ts';
import { describeRun, howToEnd } from '../run/describe-run.ts';
import { changeRun, findNewestRun, openRun, requireRun } from '../run/journal.ts';
import { findOpenRun, releaseRunLease, takeRunLease, type OpenRun } from '../run/lease.ts';
import { planFolder, plans } from '../run/plan-document.ts';
import type { RunReference } from '../run/reference.ts';
import { planned, type RunDocument } from '../run/run-document.ts';
import { outageOf } from './outage.ts';
import { registerIfNone } from './register.ts';
import type { Session } from './session.ts';

export interface StartedRun {
  runId: string;
  handle: RunHandle;
  /** False: one ran already, and this is it. */
  started: boolean;
}

export interface Trigger {
  reason: string;
  triggeredAt: Date;
  /** What the person says; else what the health checks saw. */
  outageBeganAt?: string;
  /** How long it may take in all, in seconds; default: the topology's policy. */
  deadlineSeconds?: number;
}

interface Start {
  operation: Operation;
  /** A plan that a person has confirmed; without one the run makes its own. */
  plan?: Plan;
  /** Digest of a bundle in the control store; default: the session's. */
  bundle?: string;
  trigger: Trigger;
}

/** Who gives a command. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** FencedError where another run is open: how to end that one. */
export async function startOperation(
  session: Session,
  client: Client,
  { operation, plan, bundle, trigger }: Start,
): Promise<StartedRun> {
  const { store } = session;
  const runId = newRunId(operation, trigger.triggeredAt);
  // Where the pointer is lost nothing begins: said at once, with what to do.
  await readPointer(store, { topology: session.topology, who: runId, now: new Date() });
  if (rowOf(operation).lease === 'run') {
    const open = await takeRunLease(store, { runId, now: new Date() });
    if (open) return watchSame(session, client, open, plan);
  }
  const sealed = bundle ?? (await bundles.seal(store, bundleFolder, await session.bundle()));
  await registerIfNone(store, sealed, whoAmI());
  const { reason, triggeredAt, outageBeganAt, deadlineSeconds } = trigger;
  const run: Omit<RunDocument, 'state'> = {
    runId,
    topology: session.topology.name,
    operation,
    bundle: sealed,
    reason,
    triggeredBy: whoAmI(),
    triggeredAt: triggeredAt.toISOString(),
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    ...(plan ? await confirmed(session, plan, { triggeredAt, ...(outageBeganAt && { outageBeganAt }) }) : {}),
  };
  await openRun(store, run);
  return startWorkflow(session, client, run);
}

/** How long the run of somebody who was faster by a moment may take to show itself. */
const startingMs = 15_000;

/** Somebody was faster: the same move is watched; for any other run FencedError. */
async function watchSame(
  session: Session,
  client: Client,
  open: OpenRun,
  plan: Plan | undefined,
): Promise<StartedRun> {
  for (const until = Date.now() + startingMs; ; await delay(300)) {
    const now = await findOpenRun(session.store, new Date());
    const run = now?.runId === open.runId ? now.run : open.run;
    const isSame =
      !run ||
      (run.operation === plan?.operation && run.to === plan.to && !run.cancelled && !isOver(run.state));
    if (!isSame) throw refusedBy({ ...open, ...(run ? { run } : {}) });
    const running = run && (await attach(session, client, run.operation));
    if (running?.runId === open.runId) return running;
    if (Date.now() > until) throw refusedBy({ ...open, ...(run ? { run } : {}) });
  }
}

async function confirmed(
  { store }: Session,
  plan: Plan,
  trigger: Pick<Trigger, 'triggeredAt' | 'outageBeganAt'>,
) {
  const { from, to, recoveryPoint } = plan;
  return {
    plan: await plans.seal(store, planFolder, plan),
    from,
    to,
    ...(recoveryPoint ? { recoveryPoint: recoveryPoint.id } : {}),
    ...(rowOf(plan.operation).movesWriter
      ? await outageOf(store, from, { ...trigger, readAt: recoveryPoint?.startedAt })
      : {}),
  };
}

/** A run whose workflow cannot be started never began: it is written down so, and keeps nobody else waiting. */
async function startWorkflow(
  session: Session,
  client: Client,
  run: Omit<RunDocument, 'state'>,
): Promise<StartedRun> {
  const { store } = session;
  const give = async (change: Pick<RunDocument, 'state' | 'stateReason'>) => {
    await changeRun(store, run.runId, { ...change, endedAt: new Date().toISOString() });
    await releaseRunLease(store, { runId: run.runId, ended: true });
  };
  try {
    const { handle, started, runId } = await startRun(client, referenceOf(session, run));
    if (!started) await give({ state: 'cancelled', stateReason: `run "${runId}" was started first` });
    return { runId, handle, started };
  } catch (error) {
    await give({ state: 'failed', stateReason: `its workflow was not started: ${messageOf(error)}` });
    throw error;
  }
}

/** What keeps another run from beginning, and how to end that. */
export function refusedBy({ runId, run }: OpenRun): UnderstudyError {
  if (!run)
    return new UnderstudyError('FencedError', `run "${runId}" is being started by somebody else`, {
      next: 'See "understudy status".',
    });
  return new UnderstudyError('FencedError', `another run is open: ${describeRun(run)}`, {
    next: howToEnd(run),
  });
}

/** The run of an operation that is open: by the run lease, or the newest that is not over. */
export async function findOpen({ store }: Session, operation: Operation): Promise<RunDocument | undefined> {
  if (rowOf(operation).lease === 'run') {
    const open = await findOpenRun(store, new Date());
    if (open && !open.run) throw refusedBy(open);
    return open?.run;
  }
  return findNewestRun(store, (run) => run.operation === operation && !isOver(run.state));
}

/** The open run of this operation, if this Temporal executes it now. */
export async function attach(
  session: Session,
  client: Client,
  operation: Operation,
): Promise<StartedRun | undefined> {
  const running = await findRunning(client, { topology: session.topology.name, operation });
  return running ? { ...running, started: false } : undefined;
}

/** Takes a run up again from its journal, on whatever Temporal there is now: a cancelled one to be undone. */
export async function retryRun(
  session: Session,
  client: Client,
  runId: string,
  loss?: { steps: string[]; reason: string },
): Promise<StartedRun> {
  const { store } = session;
  const run = await requireRun(store, runId);
  if (!isOpen(run.state))
    throw new UnderstudyError(
      'PreconditionError',
      `run "${runId}" is ${run.state}: there is nothing to retry`,
      {
        next: `See "understudy report ${runId}".`,
      },
    );
  if (rowOf(run.operation).lease === 'run') {
    const open = await findOpenRun(store, new Date());
    if (open && open.runId !== runId) throw refusedBy(open);
  }
  if (loss) await acceptLoss(session, run, loss);
  const started = await startRun(client, { ...referenceOf(session, run), resumed: true });
  if (started.runId !== runId)
    throw new UnderstudyError(
      'FencedError',
      `run "${started.runId}" is running: "${runId}" cannot be taken up next to it`,
    );
  return started;
}

/** UsageError where a step is not of the run, or may not go on without what it cannot do. */
async function acceptLoss(
  { store }: Session,
  run: RunDocument,
  { steps, reason }: { steps: string[]; reason: string },
): Promise<void> {
  const plan = await plans.open(store, planFolder, planned(run).plan);
  const acceptable = plan.steps.filter(({ action }) => actionOf(action).loss === 'acceptable');
  const unknown = steps.find((id) => !acceptable.some((step) => step.id === id));
  if (unknown !== undefined)
    throw new UnderstudyError(
      'UsageError',
      `--accept-loss "${unknown}": expected one of the steps ${acceptable.map(({ id }) => id).join(', ')}`,
    );
  const accepted = { by: whoAmI(), at: new Date().toISOString(), reason };
  await changeRun(store, run.runId, (found) => ({
    accepted: { ...found.accepted, ...Object.fromEntries(steps.map((id) => [id, accepted])) },
  }));
}

/**
 * Cancels a run by compare-and-swap, before Temporal is told: from then on it is only undone, whoever takes it up. PreconditionError where
 * it has ended.
 */
export async function cancelRun({ store }: Session, runId: string): Promise<RunDocument> {
  await requireRun(store, runId);
  const run = await changeRun(store, runId, (found) =>
    isOpen(found.state) && !found.cancelled
      ? {
          state: 'undoing',
          stateReason: null,
          endedAt: null,
          cancelled: { by: whoAmI(), at: new Date().toISOString() },
        }
      : undefined,
  );
  if (isOpen(run.state)) return run;
  throw new UnderstudyError(
    'PreconditionError',
    `run "${runId}" is ${run.state}: there is nothing to cancel`,
    {
      next: 'What is completed is taken back by a move the other way: see "understudy runs".',
    },
  );
}

/** Tells Temporal of a cancel: the workflow that runs, or a new one that undoes. */
export async function carryOutCancel(
  session: Session,
  client: Client,
  run: RunDocument,
): Promise<StartedRun> {
  const running = await attach(session, client, run.operation);
  if (running?.runId === run.runId) {
    await running.handle.cancel();
    return running;
  }
  return retryRun(session, client, run.runId);
}

function referenceOf(session: Session, run: Omit<RunDocument, 'state'>): RunReference {
  return {
    runId: run.runId,
    topology: run.topology,
    operation: run.operation,
    controlStore: session.topology.controlStore,
  };
}

/** `20261121T101500Z-failover-3f9a`: sorts by time, says what it is. */
function newRunId(operation: string, at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${time}-${operation}-${randomBytes(2).toString('hex')}`;
}
