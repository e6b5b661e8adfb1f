/**
 * Carries out steps of a plan as a run would, without Temporal: outcomes are kept here, progress and cursors are taken
 * and let go.
 */
import type { Azure } from '../src/azure/azure.ts';
import type { ControlStore } from '../src/control-store/store.ts';
import type { ActionName } from '../src/plan/actions.ts';
import type { Plan, RecoveryPointRef, Step } from '../src/plan/plan.ts';
import type { StepResult } from '../src/run/work/outcome.ts';
import type { Action, Progress, StepContext } from '../src/run/work/step-context.ts';
import { copyBlobs } from '../src/blobs/copy-blobs.ts';
import { escrowSecrets } from '../src/secrets/escrow-secrets.ts';
import { listActive } from '../src/inventory/list-active.ts';
import { sealRecoveryPoint } from '../src/inventory/seal-recovery-point.ts';
import { sideOf } from '../src/topology/sides.ts';
import type { Topology } from '../src/topology/topology.ts';

export interface StepRunOptions {
  azure: Azure;
  store: ControlStore;
  topology: Topology;
  operation: Plan['operation'];
  recoveryPoint?: RecoveryPointRef;
  epoch?: number;
  onProgress?: (progress: Progress) => void;
}

export interface StepRun {
  context(step: Step): StepContext;
  /** Carries out one action as a step of its own, and keeps its outcome for later steps. */
  step(id: string, action: ActionName, implementation: Action): Promise<StepResult>;
}

let runs = 0;

export function startStepRun(options: StepRunOptions): StepRun {
  const { azure, store, topology, operation, recoveryPoint, epoch = 1, onProgress } = options;
  const runId = `bench-${process.pid}-${++runs}`;
  const [from = '', to = ''] = Object.keys(topology.regions);
  const outcomes = new Map<string, StepResult>();
  const plan: Plan = {
    operation,
    topology: topology.name,
    bundle: 'bench',
    from,
    to,
    madeInEpoch: epoch,
    steps: [],
    notes: [],
    ...(recoveryPoint ? { recoveryPoint } : {}),
  };
  const context = (step: Step): StepContext => ({
    run: {
      runId,
      topology: topology.name,
      operation,
      from,
      to,
      plan: 'bench',
      bundle: 'bench',
      reason: 'a benchmark',
      triggeredBy: 'a benchmark',
      state: 'running',
      triggeredAt: new Date().toISOString(),
    },
    plan,
    step,
    topology,
    from: sideOf(topology, from),
    to: sideOf(topology, to),
    azure,
    store,
    bundle: { topology, templates: {} },
    signal: new AbortController().signal,
    cursor: undefined,
    checkpoint: (progress) => {
      onProgress?.(progress);
      return Promise.resolve();
    },
    outcomeOf: ({ id }) => Promise.resolve(outcomes.get(id)),
    recordUndo: async (make) => make(),
    now: () => new Date(),
  });
  return {
    context,
    async step(id, action, implementation) {
      const step: Step = { id, class: 'data', action, title: id, needs: [], input: {}, undoable: false };
      plan.steps.push(step);
      const result = await implementation(context(step));
      outcomes.set(id, result);
      return result;
    },
  };
}

/** The rest of `replicate` after `listActive` and `copyBlobs`; answers the recovery point. */
async function seal(run: StepRun): Promise<RecoveryPointRef> {
  await run.step('escrow', 'escrowSecrets', escrowSecrets);
  const { facts } = await run.step('seal', 'sealRecoveryPoint', sealRecoveryPoint);
  const { recoveryPoint, digest, startedAt } = facts ?? {};
  return { id: String(recoveryPoint), digest: String(digest), startedAt: String(startedAt) };
}

/** A whole `replicate`. `during` is given each step's work to carry out, in order. */
export async function replicate(
  run: StepRun,
  during: (step: 'list' | 'copy' | 'seal', work: () => Promise<unknown>) => Promise<unknown>,
): Promise<RecoveryPointRef> {
  let ref: RecoveryPointRef | undefined;
  await during('list', () => run.step('list', 'listActive', listActive));
  await during('copy', () => run.step('copy', 'copyBlobs', copyBlobs));
  await during('seal', async () => {
    ref = await seal(run);
  });
  if (!ref) throw new Error('the recovery point was not sealed');
  return ref;
}
