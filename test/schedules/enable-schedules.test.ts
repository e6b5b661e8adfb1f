/**
 * Schedules change sides at the switch, on the local Azure: those of one side are stopped before those of the other are
 * enabled.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureSchedules, enableAsBefore } from '../../src/schedules/configure-schedules.ts';
import { disableAgain, enableSchedules } from '../../src/schedules/enable-schedules.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { listDebts, owe } from '../../src/fence/old-side.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { replicate, startScene, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
  await addSchedule('nightly', true);
  await addSchedule('paused', false);
}, 120_000);
afterAll(() => scene?.close());

async function addSchedule(name: string, isEnabled: boolean, workspace = scene.east): Promise<void> {
  await scene.fixture.put(`${workspace}/environments/e/versions/1`, { properties: { image: 'x' } });
  await scene.fixture.put(`${workspace}/schedules/${name}`, {
    properties: {
      isEnabled,
      trigger: { triggerType: 'Cron', expression: '30 1 * * *', timeZone: 'UTC' },
      action: {
        actionType: 'CreateJob',
        jobDefinition: {
          jobType: 'Command',
          command: 'python nightly.py',
          environmentId: `${workspace}/environments/e/versions/1`,
        },
      },
    },
  });
}

async function enabled(workspace: string): Promise<string[]> {
  const names: string[] = [];
  const path = `${workspace}/schedules?listViewType=All`;
  for await (const { name, properties } of scene.azure.arm.list(path, apiVersions.machineLearning))
    if (properties.isEnabled === true) names.push(name);
  return names.toSorted();
}

function context(run: TestRun, id: string): StepContext {
  return run.context({
    id,
    class: 'training',
    action: 'takePointer',
    title: id,
    needs: [],
    input: {},
    undoable: true,
  });
}

const enable = (run: TestRun) => run.step('enable', 'enableSchedules', enableSchedules);

describe('schedules', () => {
  let run: TestRun;

  it('are made disabled, while those of the old side may fire', async () => {
    const { ref } = await replicate(scene.run());
    run = scene.run({ operation: 'failover', recoveryPoint: ref });
    await scene.fixture.put(`${scene.west}/environments/e/versions/1`, { properties: { image: 'x' } });
    expect(await run.step('schedules', 'configureSchedules', configureSchedules)).toMatchObject({
      detail: '2 schedules in westus3, disabled until the switch',
    });
    expect([await enabled(scene.east), await enabled(scene.west)]).toEqual([['nightly'], []]);
  });

  it('stay disabled where the old side answers, and refuses to have its own stopped', async () => {
    const lock = `${scene.east}/providers/Microsoft.Authorization/locks/l`;
    await scene.fixture.put(`${lock}?api-version=2020-05-01`, { properties: { level: 'ReadOnly' } });
    await expect(enable(run)).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringContaining('may still fire, and it refuses') as string,
    });
    expect([await enabled(scene.east), await enabled(scene.west)]).toEqual([['nightly'], []]);
    await scene.fixture.arm('DELETE', `${lock}?api-version=2020-05-01`);
  });

  it('are enabled after those of the old side are stopped, which is owed no longer', async () => {
    await addSchedule('since', true);
    await owe(context(run, 'fence/platform/intake'), { kind: 'intake', what: 'disable', reason: 'dark' });
    expect(await enable(run)).toMatchObject({
      detail: '1 schedule enabled in westus3; stopped in eastus: nightly, since',
      counts: [{ kind: 'schedules enabled', expected: 2, done: 1, failed: [] }],
    });
    expect([await enabled(scene.east), await enabled(scene.west)]).toEqual([[], ['nightly']]);
    expect(await listDebts(scene.store)).toEqual([]);
    expect((await enable(run)).detail).toBe('1 schedule enabled in westus3; none is enabled in eastus');
  });

  it('are disabled again by the undo', async () => {
    expect(await disableAgain(context(run, 'enable'), run.undos.get('enable'))).toBe(
      '1 schedule disabled again in westus3',
    );
    expect(await enabled(scene.west)).toEqual([]);
    await enable(run);
  });

  it('go back; of one that was stopped and is nowhere carried a person is told', async () => {
    const { ref } = await replicate(scene.run({ back: true }));
    const back = scene.run({ operation: 'failover', back: true, recoveryPoint: ref });
    await back.step('schedules', 'configureSchedules', configureSchedules);
    const result = await enable(back);
    expect([await enabled(scene.east), await enabled(scene.west)]).toEqual([['nightly'], []]);
    expect(result.lost).toEqual([expect.stringMatching(/^schedule since: a fence of eastus disabled it/)]);
  });

  it('that a person has enabled in the standby wait for the switch, and are so again after a cancel', async () => {
    await addSchedule('nightly', true, scene.west);
    const { ref } = await replicate(scene.run());
    const next = scene.run({ operation: 'failover', recoveryPoint: ref });
    await next.step('schedules', 'configureSchedules', configureSchedules);
    expect(await enabled(scene.west)).toEqual([]);
    expect(await enableAsBefore(context(next, 'schedules'), next.undos.get('schedules'))).toBe(
      '1 schedule enabled again in westus3',
    );
    expect(await enabled(scene.west)).toEqual(['nightly']);
  });
});
