/** People decide at gates: with Temporal and without it, too often, the wrong ones, and against it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionOf } from '../../src/plan/actions.ts';
import { Plan } from '../../src/plan/plan.ts';
import { closedPort } from '../azure/server.ts';
import { Scene } from './harness.ts';
import { journals, judgeMoved, pointerOf, readControlStore, readEast } from './judge.ts';
import { waitFor } from './processes.ts';

let scene: Scene;
afterEach(() => scene?.close());

const as = (who: string) => ({ UNDERSTUDY_USER: who });

async function untilAsked(): Promise<void> {
  await waitFor(
    'a gate that asks',
    async () => journals(await readControlStore(scene), 'failover')[0]?.run.state === 'waiting',
    240,
    500,
  );
}

async function run() {
  const found = journals(await readControlStore(scene), 'failover')[0]?.run;
  if (!found) throw new Error('there is no run');
  return found;
}

describe('a failover that waits for two people', () => {
  beforeEach(async () => {
    scene = await Scene.open({
      topology: (text) =>
        `${text}\ngates: [{ before: switch, approvers: [ana@desk, bo@desk, cy@desk], approvals: 2, deadline: 1h }]\n`,
    });
  });

  it('goes on once both have approved, one of them without Temporal', async () => {
    const before = await readEast(scene.azure);
    await scene.outage('eastus', 'dark');
    const failover = scene.command(
      ['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is down'],
      as('ana@desk'),
    );
    await untilAsked();
    const status = await scene.run(['status']);
    expect(status.output).toContain(
      'gate "before-switch" waits for 2 approvals (0 so far) of ana@desk, bo@desk, cy@desk',
    );
    expect(status.output).toContain('understudy approve');

    const approve = (who: string, more: Record<string, string> = {}) =>
      scene.run(['approve', '--reason', `seen by ${who}`], { ...as(who), ...more });
    for (const [who, why] of [
      ['ana@desk', '"ana@desk" started the run, and cannot approve it'],
      ['eve@desk', '"eve@desk" may not approve: expected one of ana@desk, bo@desk, cy@desk'],
    ] as const) {
      const { code, output } = await approve(who);
      expect([code, output], output).toEqual([1, expect.stringContaining(why)]);
    }
    const first = await approve('bo@desk');
    expect([first.code, first.output]).toEqual([0, expect.stringContaining('2 approvals (1 so far)')]);
    const again = await approve('bo@desk');
    expect([again.code, again.output]).toEqual([1, expect.stringContaining('has decided already')]);
    const moved = journals(await readControlStore(scene), 'failover')[0]?.steps;
    expect([...(moved?.keys() ?? [])].filter((id) => /^(switch|resume)\//.test(id))).toEqual([
      'switch/platform/gate-before-switch',
    ]);
    const second = await approve('cy@desk', { TEMPORAL_ADDRESS: `127.0.0.1:${await closedPort()}` });
    expect([second.code, second.output]).toEqual([0, expect.stringContaining('is approved')]);

    expect(await failover.ended, failover.output).toBe(0);
    await scene.outage('eastus', 'none');
    await judgeMoved(scene, before);
    const { output } = await scene.run(['report', (await run()).runId]);
    expect(output).toContain('approved by bo@desk (claimed)');
    expect(output).toContain('seen by cy@desk');
    const late = await scene.run(['approve', (await run()).runId, '--reason', 'late'], as('ana@desk'));
    expect([late.code, late.output]).toEqual([1, expect.stringContaining('no gate of run')]);
  });
});

describe('a failover that nobody watches', () => {
  beforeEach(async () => {
    scene = await Scene.open();
  });

  it('does nothing that cannot be taken back before somebody approves, and is undone where somebody declines', async () => {
    await scene.outage('eastus', 'dark');
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--unattended', '--reason', 'an alert']);
    await untilAsked();
    await waitFor('what needs no approval', async () => {
      const steps = journals(await readControlStore(scene), 'failover')[0]?.steps;
      return steps?.get('fence/platform/standby')?.state === 'completed';
    });
    const declined = await scene.run(['decline', '--reason', 'the alert is wrong'], as('bo@desk'));
    expect([declined.code, declined.output]).toEqual([0, expect.stringContaining('is declined')]);
    expect(await failover.ended, failover.output).toBe(1);
    expect(failover.output).toContain('declined by bo@desk (claimed)');

    const documents = await readControlStore(scene);
    const { plan: digest } = await run();
    const plan = Plan.parse(withoutStamp(JSON.parse(documents.get(`plans/${digest}.json`) ?? '')));
    const begun = [...(journals(documents, 'failover')[0]?.steps.keys() ?? [])];
    for (const { id, action } of plan.steps.filter((step) => begun.includes(step.id)))
      expect(typeof actionOf(action).undo, id).toBe('string');

    const cancelled = await scene.run(['cancel']);
    expect(cancelled.code, cancelled.output).toBe(0);
    expect(pointerOf(await readControlStore(scene))).toMatchObject({ writer: 'eastus' });
  });
});

function withoutStamp(document: Record<string, unknown>): unknown {
  const { version: _version, release: _release, ...rest } = document;
  return rest;
}
