/**
 * A person decides at a gate of a run. The workflow that runs checks and records it; without one, or without Temporal,
 * it is recorded in the journal, where the run finds it.
 */
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { UnderstudyError, messageOf } from '../../errors/error.ts';
import { decide, gateOf } from '../../gates/decide.ts';
import { listGates } from '../../gates/gate-document.ts';
import type { Decision } from '../../plan/plan.ts';
import { requireRun } from '../../run/journal.ts';
import { planFolder, plans } from '../../run/plan-document.ts';
import { withPlan } from '../../run/run-document.ts';
import type { Session } from '../session.ts';
import { attach, requireOpen, whoAmI } from './open-run.ts';

/** What a person decides, and where. */
export interface GateRequest {
  /** Default: the open move. */
  runId?: string | undefined;
  /** Default: the one gate that asks. */
  gate?: string | undefined;
  approve: boolean;
  reason: string;
}

/** What became of it. */
export interface GateDecided {
  runId: string;
  gate: string;
  decision: Decision;
  /** One line: how the gate stands now. */
  stands: string;
}

/** Errors: PreconditionError if no such gate asks, or the decision does not count. */
export async function decideGate(
  session: Session,
  client: Client | undefined,
  { runId, gate: name, approve, reason }: GateRequest,
): Promise<GateDecided> {
  const { store } = session;
  const verb = approve ? 'approve' : 'decline';
  const run = runId === undefined ? await requireOpen(session, verb) : await requireRun(store, runId);
  const plan = await plans.open(store, planFolder, withPlan(run).plan);
  const gate = gateOf(plan, name ?? (await theOneThatAsks(session, run.runId)));
  const decision: Decision = { by: whoAmI(), at: new Date().toISOString(), approve, reason: reason.trim() };
  const running = client && (await attach(session, client, run.operation));
  const stands =
    (running?.runId === run.runId ? await byUpdate(running.handle, { gate: gate.name, decision }) : undefined) ??
    (await decide(store, { runId: run.runId, gate, decision }));
  return { runId: run.runId, gate: gate.name, decision, stands };
}

async function theOneThatAsks({ store }: Session, runId: string): Promise<string> {
  const asking = (await listGates(store, runId)).filter(({ closed }) => !closed).map(({ gate }) => gate);
  const [only, ...more] = asking;
  if (only !== undefined && more.length === 0) return only;
  throw new UnderstudyError(
    'PreconditionError',
    only === undefined
      ? `no gate of run "${runId}" asks now`
      : `several gates of run "${runId}" ask: expected --gate with one of ${asking.join(', ')}`,
    { next: 'See "understudy status".' },
  );
}

/** Undefined: the workflow has ended meanwhile. */
async function byUpdate(
  handle: NonNullable<Awaited<ReturnType<typeof attach>>>['handle'],
  made: { gate: string; decision: Decision },
): Promise<string | undefined> {
  try {
    return await handle.executeUpdate<string, [typeof made]>('decide', { args: [made] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new UnderstudyError('PreconditionError', messageOf(innermost(error)), { next: 'See "understudy status".' });
  }
}

function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
