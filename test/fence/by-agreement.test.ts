/**
 * A fence by agreement: what comes before the region pointer is never owed, and how long it takes counts for nothing
 * after.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallOptions } from '../../src/azure/azure.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { doOrOwe, listDebts } from '../../src/fence/old-side.ts';
import { stopOldIntake } from '../../src/fence/stop-intake.ts';
import { compileFailover, compileSwitchover } from '../../src/plan/compile.ts';
import type { Step } from '../../src/plan/plan.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { compileInput, recoveryPoint } from '../plan/inputs.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

const intake = 'fence/platform/intake';
const input = { ...compileInput(), recoveryPoint: recoveryPoint() };
const switchover = compileSwitchover(input);

function stepOf({ steps }: { steps: readonly Step[] }, id: string): Step {
  const step = steps.find((each) => each.id === id);
  if (!step) throw new Error(`the plan has no step "${id}"`);
  return step;
}

let stage: Stage;
beforeEach(async () => {
  stage = await makeStage('policies: { fenceDeadline: 1s, requestTimeout: 1s, fenceLimit: 5m }\n');
});
const context = (step: Step) => stage.context(step.id, { step });
const debts = () => listDebts(stage.scene.store);

const debt = { kind: 'intake', what: 'disable the schedules of eastus' } as const;
const silence = new UnderstudyError('AzureUnavailable', 'no answer (ECONNREFUSED)');
const refusal = new UnderstudyError('AzureError', 'AuthorizationFailed (HTTP 403)');
const failing = (thrown: Error) => (step: Step) => {
  const request = () => Promise.reject(thrown);
  return doOrOwe(context(step), debt, (ask) => ask(request));
};

describe('what the old side does not do', () => {
  const mayNot = stepOf(switchover, intake);
  const may = stepOf(compileFailover(input), intake);
  const { provides: _provides, mayOwe: _mayOwe, ...ofOlderRelease } = may;

  it('is tried again where it must not be owed: the region may answer yet', async () => {
    await expect(failing(silence)(mayNot)).rejects.toMatchObject({
      code: 'NotYetError',
      retryable: true,
      message: 'eastus does not do it yet: no answer (ECONNREFUSED)',
      details: { next: expect.stringContaining('understudy failover') as string },
    });
    expect(await debts()).toEqual([]);
  });

  it('fails where it must not be owed, and the region refuses', async () => {
    await expect(failing(refusal)(mayNot)).rejects.toBe(refusal);
    expect(await debts()).toEqual([]);
  });

  it.each([
    ['a failover', may],
    ['a plan of an older release', ofOlderRelease],
  ])('is owed in %s', async (_what, step) => {
    for (const error of [silence, refusal])
      expect(await failing(error)(step)).toMatchObject({ state: 'owed', owed: [{ reason: error.message }] });
    expect(await debts()).toMatchObject([{ kind: 'intake' }]);
  });

  it('is done by a later attempt', async () => {
    const { from } = context(mayNot);
    const nightly = `${workspaceId(from.workspace)}/schedules/nightly`;
    stage.arm.add(nightly, { properties: { isEnabled: true } });
    stage.arm.faults.push({ method: 'PUT', path: /nightly/, kind: 'silent', times: 99 });
    await expect(stopOldIntake(context(mayNot))).rejects.toMatchObject({ code: 'NotYetError' });
    stage.arm.faults.length = 0;
    expect(await stopOldIntake(context(mayNot))).toMatchObject({ state: 'completed', detail: 'disabled nightly' });
  });
});

describe('the plan of a switchover', () => {
  it('lets nothing be owed but what follows the pointer', () => {
    const owing = switchover.steps.filter(({ mayOwe }) => mayOwe).map(({ id }) => id);
    expect(owing.toSorted()).toEqual(['fence/platform/jobs', 'fence/platform/writers']);
    for (const id of owing) expect(stepOf(switchover, id).needs, id).toContain('fence/platform/pointer');
  });
});

describe('the time that the jobs were waited for', () => {
  /** Each request takes longer than a third of what one may. */
  const slowly = (step: Step) =>
    doOrOwe(context(step), debt, async (ask) => {
      for (let request = 0; request < 4; request++)
        await ask(async ({ onSent }: CallOptions) => {
          onSent?.();
          await wait(350);
        });
      return 'done';
    });

  it('does not count towards what the old side is given once the pointer is taken', async () => {
    expect(await slowly(stepOf(switchover, intake))).toMatchObject({ state: 'completed' });
    stage.scene.clock.forward(3_600_000);
    expect(await slowly(stepOf(switchover, 'fence/platform/writers'))).toMatchObject({ state: 'completed' });
    expect(await debts()).toEqual([]);
  });

  it('nor does it take time from a later attempt of what must not be owed', async () => {
    const step = stepOf(switchover, intake);
    await expect(failing(silence)(step)).rejects.toMatchObject({ code: 'NotYetError' });
    stage.scene.clock.forward(3_600_000);
    expect(await slowly(step)).toMatchObject({ state: 'completed' });
  });

  it('of a failover is counted from the beginning of its fence', async () => {
    const steps = compileFailover(input);
    expect(await slowly(stepOf(steps, intake))).toMatchObject({ state: 'completed' });
    stage.scene.clock.forward(3_600_000);
    expect(await slowly(stepOf(steps, 'fence/platform/writers'))).toMatchObject({ state: 'owed' });
  });
});
