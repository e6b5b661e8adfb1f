/**
 * Runs an operation as the workflow would, but without Temporal: its plan's steps one after the other, each by its
 * action.
 */
import { randomUUID } from 'node:crypto';
import { actions } from '../../../src/actions.ts';
import { isUnderstudyError } from '../../../src/errors/error.ts';
import { planMove, planReplicate, planReprotect } from '../../../src/operations/plans/plan-operation.ts';
import { planningOf } from '../../../src/operations/plans/planning.ts';
import type { Session } from '../../../src/operations/session.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Report } from '../../../src/report/schema.ts';
import { runBeginner } from '../../../src/run/begin-run.ts';
import { bundleFolder, bundles } from '../../../src/run/bundle.ts';
import { reportWriter } from '../../../src/report/report-writer.ts';
import { runEnder } from '../../../src/run/end-run.ts';
import type { Environments } from '../../../src/run/environment.ts';
import { openRun, requireRun } from '../../../src/run/journal.ts';
import { releaseRunLease, takeRunLease } from '../../../src/run/lease.ts';
import { planFolder, plans } from '../../../src/run/plan-document.ts';
import { withPlan } from '../../../src/run/run-document.ts';
import { stepRunner } from '../../../src/run/run-step.ts';

export interface Operated {
  plan: Plan;
  report: Report;
  /** What failed the run, by step. */
  errors: Record<string, string>;
}

/** `hurry` is called at each sign of progress: jobs that a step waits for live on the cloud's clock. */
export async function operate(
  session: Session,
  operation: 'replicate' | 'reprotect' | 'failover',
  hurry: () => void = () => undefined,
): Promise<Operated> {
  const { plan } =
    operation === 'replicate'
      ? await planReplicate(await planningOf(session))
      : operation === 'reprotect'
        ? await planReprotect(await planningOf(session))
        : await planMove(await planningOf(session), 'failover');
  return carryOut(session, plan, hurry);
}

/**
 * Restores and configures once more what `plan` has restored and configured, schedules enabled at last: as a new run,
 * in the epoch that is now.
 */
export async function restoreAgain(session: Session, plan: Plan, epoch: number): Promise<Operated> {
  const again = plan.steps.filter(
    ({ phase, action }) => phase === 'restore' || phase === 'configure' || action === 'enableSchedules',
  );
  const ids = new Set(again.map(({ id }) => id));
  const steps = again.map((step) => ({ ...step, needs: step.needs.filter((id) => ids.has(id)) }));
  return carryOut(session, { ...plan, steps, madeInEpoch: epoch }, () => undefined);
}

async function carryOut(session: Session, plan: Plan, hurry: () => void): Promise<Operated> {
  const { operation } = plan;
  const { store, azure } = session;
  const bundle = await bundles.seal(store, bundleFolder, await session.bundle());
  const digest = await plans.seal(store, planFolder, plan);
  const header = {
    runId: `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${operation}-${randomUUID().slice(0, 4)}`,
    topology: plan.topology,
    operation,
    from: plan.from,
    to: plan.to,
    plan: digest,
    bundle,
    reason: 'a test',
    triggeredBy: 'a test',
    triggeredAt: new Date().toISOString(),
  };
  await takeRunLease(store, { runId: header.runId, now: new Date() });
  await openRun(store, header);
  const environment = async () => ({
    azure,
    store,
    bundle: await session.bundle(),
    run: withPlan(await requireRun(store, header.runId)),
  });
  const open: Environments = {
    azure,
    openStore: () => Promise.resolve(store),

    open: environment,
    openPlanned: async () => ({ ...(await environment()), plan }),
  };
  const run = { ...header, controlStore: session.topology.controlStore, holder: header.runId };
  const runStep = stepRunner(open, actions);
  await runBeginner(open, () => Promise.resolve(plan))(run);
  const errors: Operated['errors'] = {};
  for (const step of plan.steps) {
    if (step.needs.some((id) => id in errors)) {
      errors[step.id] = 'not begun: a step that it needs failed';
      continue;
    }
    try {
      await again(() =>
        runStep(
          { run, step: step.id },
          {
            signal: new AbortController().signal,
            heartbeat: hurry,
            alive: () => undefined,
            lastProgress: undefined,
          },
        ),
      );
    } catch (error) {
      errors[step.id] = error instanceof Error ? error.message : String(error);
    }
  }
  const failed = Object.entries(errors);
  await runEnder(open)({
    run,
    state: failed.length === 0 ? 'completed' : 'failed',
    ...(failed[0] ? { reason: `${failed[0][0]}: ${failed[0][1]}` } : {}),
  });
  await reportWriter(open)(run);
  // The next one begins whether this one failed or not.
  await releaseRunLease(store, { ...run, ended: true });
  const text = await store.readText(`runs/${header.runId}/report.json`);
  return { plan, report: JSON.parse(text ?? '{}') as Report, errors };
}

/** As an activity's policy has it: what is retryable is tried again, a few times. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 5 || !isUnderstudyError(error) || !error.retryable) throw error;
    }
  }
}
