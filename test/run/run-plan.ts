/**
 * Carries out a plan in this process, as a workflow would: each step as soon as what it needs is done, tried again
 * while that may help.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { actions } from '../../src/actions.ts';
import { summarise } from '../../src/recovery-point/read-seal.ts';
import { openRecoveryPoint } from '../../src/recovery-point/recovery-point.ts';
import type { Azure } from '../../src/azure/azure.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { isUnderstudyError } from '../../src/errors/error.ts';
import { compileFailover } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { bundleFolder, bundles, type Bundle } from '../../src/run/bundle.ts';
import { openRun, readStep } from '../../src/run/journal.ts';
import { takeRunLease } from '../../src/run/lease.ts';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import type { RunExecution } from '../../src/run/reference.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import type { Progress } from '../../src/run/work/step-context.ts';
import { otherRegion } from '../../src/topology/sides.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { environmentsOf } from './scene.ts';

export interface PlannedRun {
  azure: Azure;
  store: ControlStore;
  plan: Plan;
  run: RunExecution;
}

/** A failover of this topology from the recovery point, opened and not begun. */
export async function openFailover(
  azure: Azure,
  store: ControlStore,
  topology: Topology,
  recoveryPointId: string,
): Promise<PlannedRun> {
  const now = new Date();
  const pointer = await ensurePointer(store, { topology, who: 'failover', now });
  const bundle: Bundle = { topology, templates: {} };
  const recoveryPoint = summarise(await openRecoveryPoint(store, recoveryPointId));
  const digest = await bundles.seal(store, bundleFolder, bundle);
  const to = otherRegion(topology, pointer.writer);
  const plan = compileFailover({ topology, pointer, to, bundle: digest, recoveryPoint });
  const runId = `${now.toISOString().replaceAll(/[-:.]/g, '')}-failover`;
  const operation = 'failover';
  await takeRunLease(store, { runId, now });
  await openRun(store, {
    runId,
    topology: topology.name,
    operation,
    bundle: digest,
    plan: await plans.seal(store, planFolder, plan),
    from: plan.from,
    to: plan.to,
    reason: 'planned',
    triggeredBy: 'a test',
    triggeredAt: now.toISOString(),
  });
  const { controlStore, name } = topology;
  return {
    azure,
    store,
    plan,
    run: { runId, topology: name, operation, controlStore, holder: 'in-process' },
  };
}

export interface Watching {
  progress?: (step: string, progress: Progress) => void;
  /** A step has ended, or an attempt of it has failed. */
  ended?: (step: string, end: StepRecord | Error) => void;
}

/** Answers how each step ended that was run. */
export async function runPlan(
  planned: PlannedRun,
  { progress, ended }: Watching = {},
): Promise<Map<string, StepRecord>> {
  const { run, store, plan } = planned;
  const runStep = stepRunner(environmentsOf(planned.store, planned.azure), actions);
  const signal = new AbortController().signal;
  const records = new Map<string, StepRecord>();
  const attempts = async (step: string): Promise<boolean> => {
    let last: Progress | undefined;
    const heartbeat = (each: Progress) => {
      last = each;
      progress?.(step, each);
    };
    for (;;) {
      try {
        await runStep({ run, step }, { signal, lastProgress: last, heartbeat, alive: () => undefined });
        const record = await readStep(store, run.runId, step);
        if (!record) throw new TypeError(`step "${step}" has no record`);
        records.set(step, record);
        ended?.(step, record);
        return true;
      } catch (error) {
        ended?.(step, error as Error);
        if (!isUnderstudyError(error) || !error.retryable) return false;
        await wait((error.details.retryAfterSeconds ?? 1) * 1000);
      }
    }
  };
  const done = new Map<string, Promise<boolean>>();
  for (const { id, needs } of plan.steps) {
    const ready = Promise.all(needs.map((need) => done.get(need) ?? Promise.resolve(false)));
    done.set(
      id,
      ready.then((all) => (all.every(Boolean) ? attempts(id) : false)),
    );
  }
  await Promise.all(done.values());
  return records;
}
