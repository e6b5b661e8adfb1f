/**
 * Wherever a run is broken off, and whatever answers of Azure were lost on the way: after its undo, Azure and the
 * region pointer are as they were, but for the epoch. Held for the undos that need ARM and the control store alone;
 * those of files, keys and roles have tests of their own, and `test/e2e/cancels.test.ts` tries all of them together.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { readPointerIfAny } from '../../src/control-store/region-pointer.ts';

import { isUnderstudyError } from '../../src/errors/error.ts';
import { returnPointer, takePointer } from '../../src/fence/take-pointer.ts';
import { startOldIntake, stopOldIntake } from '../../src/fence/stop-intake.ts';
import { actions as actionTable, isUndoable, type ActionName } from '../../src/plan/actions.ts';
import { compileUndo } from '../../src/plan/undo.ts';
import { scaleComputes, scaleComputesBack } from '../../src/provision/scale-computes.ts';
import { scaleDeployments, scaleDeploymentsBack } from '../../src/provision/scale-deployments.ts';
import { listSteps } from '../../src/run/journal.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import { stepUndoer, type Undos } from '../../src/run/undo-step.ts';
import type { Action } from '../../src/run/work/step-context.ts';
import { switchServing, switchServingBack } from '../../src/switch/switch-serving.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { shiftTraffic, shiftTrafficBack } from '../../src/traffic/shift-traffic.ts';
import { fakeArm, type FakeArm } from '../fakes/arm.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { seal } from '../recovery-point/sealed.ts';
import { subscription } from '../topology/minimal.ts';
import { environmentsOf, makeScene } from './scene.ts';

const tried: Partial<Record<ActionName, Action>> = {
  takePointer,
  stopOldIntake,
  scaleComputes,
  scaleDeployments,
  shiftTraffic,
  switchServing,
};
const undos = {
  takePointer: returnPointer,
  stopOldIntake: startOldIntake,
  scaleComputes: scaleComputesBack,
  scaleDeployments: scaleDeploymentsBack,
  shiftTraffic: shiftTrafficBack,
  switchServing: switchServingBack,
} as unknown as Undos;

/** Undos that are not tried here: see the head of the file. */
const elsewhere: ActionName[] = [
  'readmitWriters',
  'drainJobs',
  'shutOutOldWriters',
  'configureSchedules',
  'enableSchedules',
  'rewriteConfigs',
];

const profile = `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Cdn/profiles/p`;
const more = `traffic: { frontDoor: { subscriptionId: ${subscription}, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, westus3: w } } }`;

const size = fc.integer({ min: 0, max: 8 });
/** A cluster or a deployment: as large as it is on the active side and in the standby; undefined: not there. */
const pair = fc.record({ active: fc.integer({ min: 1, max: 8 }), standby: fc.option(size, { nil: undefined }) });
const origin = fc.record({
  enabledState: fc.constantFrom('Enabled', 'Disabled'),
  weight: fc.integer({ min: 1, max: 1000 }),
  priority: fc.integer({ min: 1, max: 5 }),
});
const world = fc.record({
  schedules: fc.array(fc.boolean(), { maxLength: 3 }),
  computes: fc.array(pair, { maxLength: 3 }),
  deployments: fc.array(pair, { maxLength: 3 }),
  east: origin,
  west: origin,
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** Of the changes in the standby and at the front, which meets which fault. */
const faults = fc.array(
  fc.record({
    method: fc.constantFrom('PUT' as const, 'PATCH' as const, 'DELETE' as const),
    kind: fc.constantFrom('silent' as const, 'lost' as const),
  }),
  { maxLength: 4 },
);

it('leaves what a run has changed as it was', { timeout: 240_000 }, async () => {
  const { id, digest } = await sealed(fakeControlStore());
  await fc.assert(
    fc.asyncProperty(world, faults, fc.nat(40), fc.boolean(), async (has, faulty, steps, midst) => {
      const scene = await makeScene('failover', { more, point: { ...pointOf(has), ref: { id, digest, startedAt } } });
      await sealed(scene.store);
      const arm = armOf(has, scene.plan);
      const before = structuredClone([...arm.resources]);
      const pointer = (await readPointerIfAny(scene.store))?.value;
      const open = environmentsOf(scene.store, { arm } as unknown as Azure);
      const run = stepRunner(open, { ...skipped(), ...tried }, scene.clock.now);
      arm.faults.push(...faulty.map((fault) => ({ ...fault, path: /ml-west|Microsoft\.Cdn/, times: 1 })));
      const planned = scene.plan.steps.slice(0, steps + 1);
      for (const [index, { id: step }] of planned.entries()) {
        const breaksOff = midst && index === planned.length - 1;
        await again(breaksOff ? 1 : 9, () => run({ run: scene.run, step }, scene.runtime));
      }
      const records = await listSteps(scene.store, scene.header.runId);
      const undo = stepUndoer(open, undos, scene.clock.now);
      for (const { id: step } of compileUndo(scene.plan, scene.header.plan, records).steps)
        expect(await again(9, () => undo({ run: scene.run, step }, scene.runtime))).toMatchObject({
          state: 'undone',
        });
      expect([...arm.resources].toSorted(byId)).toEqual(before.toSorted(byId));
      const now = (await readPointerIfAny(scene.store))?.value;
      expect([now?.writer, now?.serving]).toEqual([pointer?.writer, pointer?.serving]);
    }),
    { numRuns: 200 },
  );
});

it('is tried here for every undo that ARM alone can show', () => {
  const undoable = (Object.keys(actionTable) as ActionName[]).filter(isUndoable);
  expect([...Object.keys(tried), ...elsewhere].toSorted()).toEqual(undoable.toSorted());
});

const byId = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);

/** The recovery point that the plan names: the clusters to make are looked up in it, and are not there. */
const sealed = (store: FakeControlStore) => seal(store, startedAt, { jobs: [] });
const startedAt = '2026-11-21T09:55:00.000Z';

/** Tries again while the error may pass, as Temporal does. A final error, or none left to try, is the test's to see. */
async function again<T>(attempts: number, work: () => Promise<T>): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isUnderstudyError(error) || !error.retryable) throw error;
      if (attempt >= attempts) return undefined;
    }
  }
}

/** The other actions find nothing to do. */
function skipped(): Record<ActionName, Action> {
  const skip: Action = () => Promise.resolve({ state: 'skipped', detail: 'not part of this test' });
  return Object.fromEntries(Object.keys(actionTable).map((name) => [name, skip])) as Record<ActionName, Action>;
}

function pointOf({ computes, deployments }: World) {
  return {
    computes: computes.map(({ active }, index) => ({
      name: `c${index}`,
      type: 'AmlCompute',
      vmSize: 'S',
      maxNodes: active,
    })),
    endpoints: deployments.map(({ active }, index) => ({
      name: `e${index}`,
      deployments: [{ name: 'blue', instanceCount: active }],
    })),
  };
}

function armOf({ schedules, computes, deployments, east, west }: World, plan: { from: string; to: string }): FakeArm {
  const arm = fakeArm();
  const [active, standby] = [plan.from, plan.to].map((region) =>
    workspaceId({
      subscriptionId: subscription,
      resourceGroup: region === 'eastus' ? 'ml-east' : 'ml-west',
      name: region === 'eastus' ? 'fraud-east' : 'fraud-west',
    }),
  );
  for (const [index, isEnabled] of schedules.entries())
    arm.add(`${active}/schedules/s${index}`, { properties: { isEnabled } });
  for (const [index, { standby: maxNodeCount }] of computes.entries()) {
    if (maxNodeCount === undefined) continue;
    const scaleSettings = { minNodeCount: 0, maxNodeCount, nodeIdleTimeBeforeScaleDown: 'PT120S' };
    arm.add(`${standby}/computes/c${index}`, {
      properties: { computeType: 'AmlCompute', provisioningState: 'Succeeded', properties: { scaleSettings } },
    });
  }
  for (const [index, { standby: capacity }] of deployments.entries()) {
    if (capacity === undefined) continue;
    arm.add(`${standby}/onlineEndpoints/e${index}/deployments/blue`, {
      sku: { name: 'Default', capacity },
      properties: { provisioningState: 'Succeeded' },
    });
  }
  for (const [name, properties] of Object.entries({ e: east, w: west }))
    arm.add(`${profile}/originGroups/o/origins/${name}`, { properties });
  return arm;
}
