/**
 * Azure fails and recovers under a run, in every phase and in every way that passes: the run waits it out, and comes
 * out right.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { phases, type Phase } from '../../src/topology/words.ts';
import { Scene } from './harness.ts';
import { judgeMoved, readEast } from './judge.ts';
import { waitFor } from './processes.ts';
import type { Workspace } from './workspaces.ts';

let scene: Scene;
let before: Workspace;

beforeEach(async () => {
  scene = await Scene.open();
  before = await readEast(scene.azure);
  await scene.outage('eastus', 'dark');
});
afterEach(() => scene?.close());

/** Of the standby or of the control store's region. */
const trouble: Record<Phase, { region: string; faults: Record<string, unknown> }> = {
  fence: { region: 'centralus', faults: { errorRate: 1, status: 503 } },
  provision: { region: 'westus3', faults: { errorRate: 1, status: 500 } },
  restore: { region: 'westus3', faults: { throttle: { perSecond: 2, burst: 2 } } },
  configure: { region: 'westus3', faults: { errorRate: 0.7, status: 503 } },
  verify: { region: 'westus3', faults: { errorRate: 1, status: 502 } },
  switch: { region: 'global', faults: { errorRate: 1, status: 500 } },
  resume: { region: 'westus3', faults: { errorRate: 1, status: 504 } },
};
const over = { errorRate: null, status: null, throttle: null };

/** Failures that are seen before the weather clears. */
const enough = 4;

/** Anyone who reads the worker's log learns what failed, where, and how often it was tried. */
async function saysWhatFailed(): Promise<boolean> {
  const log = await readFile(join(scene.folder, 'worker.log'), 'utf8');
  return /^\S+Z WARN run \S+, step provision\/\S+, attempt \d+: Activity failed: \w+: .*500/m.test(log);
}

describe('a failover under an Azure that fails and recovers', () => {
  it('in each of the seven phases', async () => {
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'bad weather']);
    for (const phase of phases) {
      const { region, faults } = trouble[phase];
      await scene.step(`${phase}/`);
      const since = await scene.now();
      await scene.admin('POST', `/regions/${region}/faults`, faults);
      await waitFor(`failures in ${phase}`, async () => {
        const failed = (await scene.requests(since)).filter(({ status }) => status === 429 || (status ?? 0) >= 500);
        return failed.length >= enough;
      });
      if (phase === 'provision') await waitFor('the worker to say what failed', saysWhatFailed);
      await scene.admin('POST', `/regions/${region}/faults`, over);
    }
    expect(await failover.ended, failover.output).toBe(0);
    await scene.admin('DELETE', '/faults');
    await judgeMoved(scene, before);
  });

  it('when long-running operations fail half-way, once each', async () => {
    const types = ['Microsoft.Resources/deployments', 'Microsoft.MachineLearningServices/workspaces/computes'];
    const failNextLongRunning = types.map((type) => ({ type, after: 0.5 }));
    await scene.admin('POST', '/regions/westus3/faults', { failNextLongRunning });
    await scene.admin('POST', '/regions/global/faults', {
      failNextLongRunning: [{ type: 'Microsoft.Cdn/profiles/originGroups/origins', after: 0.5 }],
    });
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'operations fail']);
    expect(await failover.ended, failover.output).toBe(0);
    // All of them struck.
    const { regions, global } = (await scene.admin('GET', '/state')) as State;
    expect([regions.westus3?.faults, global.faults]).toEqual([
      { failNextLongRunning: [] },
      { failNextLongRunning: [] },
    ]);
    await scene.admin('DELETE', '/faults');
    await judgeMoved(scene, before);
  });
});

interface State {
  regions: Record<string, { faults: object } | undefined>;
  global: { faults: object };
}
