/** How a run begins (its epoch is right, its lease is taken) and ends (state, report, leases given back). */
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { releaseWriterLease } from '../control-store/region-pointer.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { mayMove } from '../plan/run-states.ts';
import { loadReportInput } from '../report/load.ts';
import { buildReport } from '../report/report.ts';
import { writeReport } from '../report/write.ts';
import type { OpenEnvironment } from './environment.ts';
import { changeRun, listSteps, readRun, recordStep, type RunDocument } from './journal.ts';
import { holdRunLease, readRunLease, releaseRunLease, runLeaseMs } from './lease.ts';
import type { RunHeader, RunState, StepRecord } from './outcome.ts';
import { assertNotOvertaken } from './overtaken.ts';
import { isMove, type RunExecution } from './reference.ts';

export interface BegunRun {
  header: RunHeader;
  /** The plan's steps without what only their actions need. */
  steps: Omit<Step, 'input'>[];
  /** Outcomes that the journal has already: of an earlier execution of this run. */
  records: StepRecord[];
}

export function runBeginner(open: OpenEnvironment, now: () => Date = () => new Date()) {
  return async (run: RunExecution): Promise<BegunRun> => {
    const { store, plan } = await open(run);
    const header = await readRun(store, run.runId);
    if (!header)
      throw new UnderstudyError('ControlStoreError', `run "${run.runId}" has no header in the control store`);
    try {
      await assertMayBegin(store, run, header, plan, now());
    } catch (error) {
      if (isUnderstudyError(error) && !error.retryable)
        await neverBegun(store, run, header, error.message, now());
      throw error;
    }
    await changeRun(store, run.runId, {
      state: 'running',
      startedAt: header.startedAt ?? now().toISOString(),
      // Of an earlier execution that failed: it goes on.
      endedAt: null,
      stateReason: null,
    });
    return {
      header,
      steps: plan.steps.map(({ input: _input, ...step }) => step),
      records: await listSteps(store, run.runId),
    };
  };
}

/** Keeps nobody else waiting for a run that does not begin, and writes down that it did not. */
async function neverBegun(
  store: ControlStore,
  run: RunExecution,
  { state }: RunDocument,
  reason: string,
  now: Date,
): Promise<void> {
  if (isMove(run.operation)) await releaseRunLease(store, { ...run, now: now.getTime() });
  if (state !== 'pending') return;
  await changeRun(store, run.runId, { state: 'failed', stateReason: reason, endedAt: now.toISOString() });
}

/** Throws FencedError where the run has ended for good, another run acts, or the pointer has moved since it was planned. */
async function assertMayBegin(
  store: ControlStore,
  run: RunExecution,
  { state }: RunDocument,
  plan: Plan,
  now: Date,
): Promise<void> {
  if (!mayMove(state, 'running'))
    throw new UnderstudyError('FencedError', `run "${run.runId}" is ${state}: it cannot run again`);
  if (!isMove(run.operation)) return;
  await holdRunLease(store, {
    runId: run.runId,
    holder: run.holder,
    ttlMs: runLeaseMs,
    now: now.getTime(),
    takeOver: run.resumed === true,
  });
  await assertNotOvertaken(store, run.runId, plan);
}

export interface EndOfRun {
  run: RunExecution;
  state: Extract<RunState, 'completed' | 'failed' | 'cancelled'>;
  reason?: string;
  /** What the executor gave up: the journal has not heard of it where no worker answered, or time ran out between two attempts. */
  givenUp?: GivenUp[];
}

export interface GivenUp {
  step: string;
  state: 'failed' | 'undo-failed';
  message: string;
}

export function runEnder(open: OpenEnvironment, now: () => Date = () => new Date()) {
  return async ({ run, state, reason, givenUp = [] }: EndOfRun): Promise<void> => {
    const { store } = await open(run);
    const at = now();
    if (isMove(run.operation)) await refuseFenced(store, run);
    for (const each of givenUp) await giveUp(store, run, each, at);
    await endSteps(store, run, state, at);
    await changeRun(store, run.runId, {
      state,
      endedAt: at.toISOString(),
      ...(reason === undefined ? {} : { stateReason: reason }),
    });
    await writeReport(store, run.runId, buildReport(await loadReportInput(store, run.runId, at)));
    if (isMove(run.operation)) await releaseRunLease(store, { ...run, now: at.getTime() });
    else await releaseWriterLease(store, run.runId);
  };
}

/** An execution that was taken over says nothing about the run any more: its successor does. */
async function refuseFenced(store: ControlStore, run: RunExecution): Promise<void> {
  const lease = await readRunLease(store);
  if (lease?.runId !== run.runId || lease.holder === run.holder) return;
  throw new UnderstudyError('FencedError', `another execution has taken over run "${run.runId}"`);
}

/** Writes down what was given up; what the journal has as failed already keeps its own reason. */
async function giveUp(
  store: ControlStore,
  run: RunExecution,
  { step, state, message }: GivenUp,
  at: Date,
): Promise<void> {
  const endedAt = at.toISOString();
  const error = { code: 'NotYetError', message };
  await recordStep(store, run.runId, step, (record) => {
    if (state === 'failed') {
      if (record && record.state !== 'running') return undefined;
      const begun = record ?? { step, holder: run.holder, attempts: 0, startedAt: endedAt };
      return { ...begun, state, endedAt, error: record?.error ?? error };
    }
    if (!record || !['running', 'completed', 'failed'].includes(record.state)) return undefined;
    return { ...record, state, endedAt, detail: [record.detail, message].filter(Boolean).join(' — ') };
  });
}

/** No step of a run that has ended is running: what was broken off has failed, and says so. */
async function endSteps(store: ControlStore, run: RunExecution, state: RunState, at: Date): Promise<void> {
  const brokenOff =
    state === 'cancelled'
      ? { code: 'Declined', message: 'cancelled while it ran' }
      : { code: 'NotYetError', message: 'given up: its time was over' };
  for (const { step } of await listSteps(store, run.runId)) {
    await recordStep(store, run.runId, step, (record) =>
      record?.state === 'running'
        ? { ...record, state: 'failed', endedAt: at.toISOString(), error: record.error ?? brokenOff }
        : undefined,
    );
  }
}
