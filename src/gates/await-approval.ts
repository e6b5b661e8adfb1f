/** The action `awaitApproval`: asks at a gate, and waits until people have decided, or its time is over. */
import { setTimeout as wait } from 'node:timers/promises';
import { UnderstudyError } from '../errors/error.ts';
import { showGate } from '../plan/gates.ts';
import type { Gate } from '../plan/plan.ts';
import { changeRun } from '../run/journal.ts';
import { tellOfWaiting } from '../run/notify.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { closeByDeadline, openGate, readGate, type GateDocument } from './gate-document.ts';

const pauseMs = 1000;

/**
 * Idempotent: a later attempt finds the gate as it is, and its decisions.
 * Errors: PreconditionError if it is declined.
 */
export async function awaitApproval(context: StepContext): Promise<StepResult> {
  const { store, run, step, now, signal } = context;
  const { gate } = step;
  if (!gate) throw new UnderstudyError('ControlStoreError', `step "${step.id}" is no gate`);
  const { document, isNew } = await openGate(store, {
    runId: run.runId,
    step: step.id,
    startedBy: run.triggeredBy,
    gate,
    now: now(),
  });
  let asked: GateDocument = document;
  const waits = showGate(gate, asked.decisions);
  await show(context, waits);
  const untold = isNew ? await tell(context, gate, waits) : [];
  if (untold.length > 0) await show(context, [waits, ...untold].join('; '));
  while (!asked.closed) {
    await context.checkpoint({
      unit: 'approvals',
      done: asked.decisions.filter(({ approve }) => approve).length,
      total: gate.approvals,
    });
    if (now().toISOString() > asked.deadlineAt) {
      asked = await closeByDeadline(store, { runId: run.runId, gate, now: now() });
      break;
    }
    await wait(pauseMs, undefined, { signal });
    asked = (await readGate(store, run.runId, gate.name)) ?? asked;
  }
  await show(context, undefined);
  if (asked.closed?.as === 'declined') throw declined(context, gate, asked);
  return {
    state: 'completed',
    detail: describe(gate, asked),
    waitedForPersonMs: Math.max(0, Date.parse(asked.closed?.at ?? asked.openedAt) - Date.parse(asked.openedAt)),
  };
}

function tell({ run, topology }: StepContext, { name }: Gate, waits: string): Promise<string[]> {
  const next = `Decide: understudy approve ${run.runId} --gate ${name} --reason "…", or understudy decline.`;
  return tellOfWaiting(run, topology, { waits, next });
}

/** The run shows that it waits, and for whom. It may have been cancelled meanwhile: then it stays as it is. */
async function show({ store, run }: StepContext, reason: string | undefined): Promise<void> {
  await changeRun(store, run.runId, ({ state }) => {
    if (reason !== undefined)
      return state === 'running' || state === 'waiting' ? { state: 'waiting', stateReason: reason } : undefined;
    return state === 'waiting' ? { state: 'running', stateReason: null } : undefined;
  });
}

function describe(gate: Gate, { decisions, closed }: GateDocument): string {
  const who = decisions.map(
    ({ by, at, approve, reason }) => `${approve ? 'approved' : 'declined'} by ${by} (claimed) at ${at}: ${reason}`,
  );
  const late = closed?.byDeadline === true ? [`${closed.as} at its deadline, ${closed.at}`] : [];
  return `gate "${gate.name}": ${[...who, ...late].join('; ')}`;
}

function declined({ run }: StepContext, gate: Gate, asked: GateDocument): UnderstudyError {
  return new UnderstudyError('PreconditionError', describe(gate, asked), {
    next: `Undo what was done with "understudy cancel ${run.runId}", or ask again with "understudy retry ${run.runId}".`,
  });
}
