/** What an action is given, in a test: a scene's run, ARM in memory, and one step of the plan. */
import type { Azure } from '../../src/azure/azure.ts';
import type { Bundle } from '../../src/run/bundle.ts';
import type { Operation } from '../../src/plan/operations.ts';
import { readStep, recordStep } from '../../src/run/journal.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { Progress, StepContext } from '../../src/run/work/step-context.ts';
import { sideOf } from '../../src/topology/sides.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { topologyOf } from '../topology/minimal.ts';
import { fakeArm, type FakeArm } from '../fakes/arm.ts';
import { makeScene, type Scene } from './scene.ts';

export interface Stage {
  scene: Scene;
  arm: FakeArm;
  /** A context for a step of the plan, or for one that the test makes up. */
  context(step: string, change?: Partial<StepContext>): StepContext;
  told: Progress[];
}

export async function makeStage(more = '', operation: Operation = 'failover'): Promise<Stage> {
  const scene = await makeScene(operation);
  const topology: Topology = topologyOf(more);
  const arm = fakeArm();
  const told: Progress[] = [];
  const { store, plan, header } = scene;
  const bundle: Bundle = { topology, templates: {} };
  return {
    scene,
    arm,
    told,
    context(id, change = {}) {
      const step = plan.steps.find((each) => each.id === id);
      const [, resourceClass = 'platform'] = id.split('/');
      return {
        run: header,
        plan,
        step: step ?? {
          id,
          class: resourceClass as 'platform',
          action: 'takePointer',
          title: id,
          needs: [],
          input: {},
          undoable: true,
        },
        topology,
        from: sideOf(topology, plan.from),
        to: sideOf(topology, plan.to),
        azure: { arm } as unknown as Azure,
        store,
        bundle,
        signal: new AbortController().signal,
        cursor: undefined,
        now: scene.clock.now,
        checkpoint: (progress) => {
          told.push(progress);
          return Promise.resolve();
        },
        async recordUndo<T>(make: () => T | Promise<T>): Promise<T> {
          const kept = await readStep(store, header.runId, id);
          if (kept?.undo !== undefined) return kept.undo as T;
          const undo = await make();
          await recordStep(store, header.runId, id, () => ({
            step: id,
            state: 'running',
            holder: 'wf-1',
            attempts: 1,
            startedAt: scene.clock.now().toISOString(),
            undo,
          }));
          return undo;
        },
        outcomeOf: async ({ id: other }) => (await readStep(store, header.runId, other)) as StepResult | undefined,
        ...change,
      };
    },
  };
}
