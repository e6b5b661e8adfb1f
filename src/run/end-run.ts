/** How a run ends: its state, its steps, its lease. */
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import { cutReason, firstFailure } from '../plan/failure-reason.ts';
import type { RunState } from '../plan/run-states.ts';
import type { Environments } from './environment.ts';
import { changeRun, listSteps, readRun, recordStep } from './journal.ts';
import { readRunLease } from './lease.ts';
import { releaseLeases } from './leases.ts';
import type { RunExecution } from './reference.ts';
import type { StepRecord } from './work/outcome.ts';

/** How the workflow saw its run end. */
export interface EndOfRun {
  run: RunExecution;
  state: Extract<RunState, 'completed' | 'failed' | 'cancelled'>;
  reason?: string;
  /** What the run did has been undone, as far as possible. */
  undone?: boolean;
  /**
   * What the executor gave up. The journal does not have it where no worker answered, or time ran out between two
   * attempts.
   */
  givenUp?: GivenUp[];
}

/** A step that the workflow saw fail, or cancelled. */
export interface GivenUp {
  step: string;
  /** `cancelled`: the cancel interrupted it. */
  state: 'failed' | 'undo-failed' | 'cancelled';
  message: string;
}

/** Whether the run has ended, or was cancelled at the last moment. */
export interface EndedRun {
  /** False: somebody has cancelled the run in the meantime, and it must be undone first. */
  ended: boolean;
}

/**
 * Makes the activity `endRun`. FencedError if another execution has taken the run over. A run that another has
 * superseded stays as that one has ended it.
 */
export function runEnder(open: Environments, now: () => Date = () => new Date()) {
  return async ({ run, state, reason, undone = false, givenUp = [] }: EndOfRun): Promise<EndedRun> => {
    const store = await open.openStore(run);
    const at = now();
    await refuseFenced(store, run);
    if ((await readRun(store, run.runId))?.supersededBy !== undefined) return { ended: true };
    for (const each of givenUp) await giveUp(store, run, each, at);
    const brokenOff = state === 'failed' ? await brokenOffIn(store, run) : [];
    const why = brokenOff.length > 0 ? cutReason([reason, firstFailure(brokenOff)].join('; ')) : reason;
    // A cancel that came before the end is carried out; one that comes later finds the run over.
    const ended = await changeRun(store, run.runId, (found) =>
      (found.cancelled && !undone) || found.supersededBy !== undefined
        ? undefined
        : {
            state,
            endedAt: at.toISOString(),
            paused: null,
            ...(why === undefined ? {} : { stateReason: why }),
          },
    );
    if (ended.supersededBy !== undefined) return { ended: true };
    if (ended.cancelled && !undone) return { ended: false };
    await endSteps(store, run, state, at);
    await releaseLeases(store, run, state !== 'failed');
    return { ended: true };
  };
}

/** An execution that was replaced must not record anything about the run: its successor does. */
async function refuseFenced(store: ControlStore, run: RunExecution): Promise<void> {
  if (rowOf(run.operation).lease !== 'run') return;
  const lease = await readRunLease(store);
  if (lease?.runId !== run.runId || lease.holder === undefined || lease.holder === run.holder) return;
  throw new UnderstudyError('FencedError', `another execution has taken over run "${run.runId}"`);
}

/** Records what was given up. A step that the journal already has as failed keeps its own reason. */
async function giveUp(
  store: ControlStore,
  run: RunExecution,
  { step, state, message }: GivenUp,
  at: Date,
): Promise<void> {
  const endedAt = at.toISOString();
  await recordStep(store, run.runId, step, (record) => {
    if (state !== 'undo-failed') {
      if (record && record.state !== 'running') return undefined;
      const begun = record ?? { step, holder: run.holder, attempts: 0, startedAt: endedAt };
      const why = state === 'cancelled' ? cancelledIn(record) : (record?.error ?? { code: 'NotYetError', message });
      return { ...begun, state: 'failed', endedAt, error: why };
    }
    if (!record || !['running', 'completed', 'owed', 'failed'].includes(record.state)) return undefined;
    return { ...record, state, endedAt, detail: [record.detail, message].filter(Boolean).join(' — ') };
  });
}

/** The reason a step ended is that a cancel interrupted it; the error of its last attempt is added. */
function cancelledIn(record: StepRecord | undefined): NonNullable<StepRecord['error']> {
  const { error } = record ?? {};
  const met = error === undefined ? '' : `; its last attempt had met: ${error.message}`;
  return { code: 'CancelledRun', message: `cancelled while it ran${met}` };
}

/** The last errors of the interrupted steps: the workflow does not know them. */
async function brokenOffIn(store: ControlStore, { runId }: RunExecution): Promise<string[]> {
  return (await listSteps(store, runId)).flatMap(({ step, state, error }) =>
    state === 'running' && error ? [`${step}: ${error.message}`] : [],
  );
}

/** No step of a run that has ended is running: an interrupted step has failed, and says so. */
async function endSteps(store: ControlStore, run: RunExecution, state: RunState, at: Date): Promise<void> {
  const overdue = { code: 'NotYetError', message: 'given up: its time was over' };
  for (const { step } of await listSteps(store, run.runId)) {
    await recordStep(store, run.runId, step, (record) =>
      record?.state === 'running'
        ? {
            ...record,
            state: 'failed',
            endedAt: at.toISOString(),
            error: state === 'cancelled' ? cancelledIn(record) : (record.error ?? overdue),
          }
        : undefined,
    );
  }
}
