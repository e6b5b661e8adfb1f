/**
 * What really running jobs is for: a training that was interrupted and resumed ends bit for bit as one that never
 * stopped.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { startFixture, type Fixture } from '../machinelearning/fixture.ts';
import { ExecutingWorkspace, isAlive } from './executing.ts';

const TRAIN = fileURLToPath(new URL('../../../examples/fraud-ml/src/train/train.py', import.meta.url));
const STEPS = 5000;

let azure: Fixture;
let east: ExecutingWorkspace;
let west: ExecutingWorkspace;

beforeAll(async () => {
  azure = await startFixture({ pace: 0 });
  east = await ExecutingWorkspace.make(azure, 'eastus', 'train-east');
  west = await ExecutingWorkspace.make(azure, 'westus3', 'train-west');
  for (const workspace of [east, west]) {
    await workspace.code('train', { 'train.py': readFileSync(TRAIN, 'utf8') });
    await workspace.write('transactions/part-1.csv', transactions());
  }
}, 90_000);
afterAll(() => azure?.close());

/** The same rows whenever they are made. */
function transactions(): string {
  const columns = 'amount,card_present,account_age_days,distance_km,previous_day_count,night,is_fraud';
  const rows = Array.from({ length: 300 }, (_, i) => {
    const amount = (i * 37) % 500;
    const distance = (i * 91) % 900;
    return [amount, i % 2, (i * 13) % 2000, distance, i % 7, i % 3 === 0 ? 1 : 0, amount + distance > 900 ? 1 : 0];
  });
  return [columns, ...rows.map((row) => row.join(','))].join('\n');
}

const folder = (path: string): string => `azureml://datastores/workspaceblobstore/paths/${path}/`;

function train(workspace: ExecutingWorkspace, name: string, more: JsonObject = {}): Promise<string> {
  const options = `--steps ${STEPS} --batch 250 --checkpoint-every 100`;
  return workspace.submit(name, {
    codeId: `${workspace.id}/codes/train/versions/1`,
    command: `echo pid $$; exec python3 train.py --data \${{inputs.transactions}} $[[--resume-from \${{inputs.resume_from}}]] --checkpoints \${{outputs.checkpoints}} --model \${{outputs.model}} ${options}`,
    inputs: { transactions: { jobInputType: 'uri_folder', uri: folder('transactions') }, ...more },
    outputs: {
      checkpoints: { jobOutputType: 'uri_folder', uri: folder(`checkpoints/${name}`) },
      model: { jobOutputType: 'uri_folder', mode: 'Upload', uri: folder(`models/${name}`) },
    },
  });
}

/** As one who drives the cloud asks for it. */
async function outage(body: JsonObject): Promise<number> {
  const url = `${azure.running.address.admin}/regions/eastus/outage`;
  return (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).status;
}

async function result(workspace: ExecutingWorkspace, name: string): Promise<(string | undefined)[]> {
  return [
    await workspace.read(`models/${name}/model.json`),
    await workspace.read(`checkpoints/${name}/step-${STEPS}.json`),
  ];
}

describe('a training', () => {
  it('that is killed with its region and resumed in the other is, bit for bit, the one that never stopped', async () => {
    await train(east, 'whole');
    expect(await east.ends('whole')).toBe('Completed');

    await train(east, 'interrupted');
    await vi.waitFor(async () => expect((await east.files('checkpoints/interrupted/')).length).toBeGreaterThan(1), {
      timeout: 20_000,
      interval: 20,
    });
    const pid = Number(/pid (\d+)/.exec((await east.log('interrupted')) ?? '')?.[1]);
    expect(isAlive(pid)).toBe(true);
    expect(await outage({ mode: 'hang', jobs: 'killed' })).toBe(400);
    expect(await outage({ mode: 'dark', jobs: 'killed' })).toBe(204);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 5000);

    const names = await east.files('checkpoints/interrupted/');
    expect(names).not.toContain(`step-${STEPS}.json`);
    for (const name of names)
      await west.write(`resumed-from/${name}`, (await east.read(`checkpoints/interrupted/${name}`)) ?? '');
    await train(west, 'resumed', {
      resume_from: { jobInputType: 'uri_folder', uri: folder('resumed-from'), mode: 'Download' },
    });
    expect(await west.ends('resumed')).toBe('Completed');
    const [, step] = /^resumed from .* at step (\d+)$/m.exec((await west.log('resumed')) ?? '') ?? [];
    expect(Number(step)).toBeGreaterThanOrEqual(200);
    expect(await west.files('checkpoints/resumed/')).not.toContain('step-100.json');

    const [model, state] = await result(east, 'whole');
    expect(model).toContain(`"steps": ${STEPS}`);
    expect(await result(west, 'resumed')).toEqual([model, state]);

    await azure.running.faults.setOutage('eastus', { mode: 'none' });
    const { status, error } = (await east.details('interrupted')) as {
      status: string;
      error: { error: JsonObject };
    };
    expect([status, error.error.message]).toEqual(['Failed', expect.stringContaining('lost')]);
    expect(await east.files('models/interrupted/')).toEqual([]);
  }, 90_000);

  it('goes on unseen in a region that is merely dark, and reaches nothing outside', async () => {
    await east.submit('unseen', {
      command: 'while [ ! -e ${{outputs.gate}}/none ]; do date +%N > ${{outputs.gate}}/tick; sleep 0.7; done',
      outputs: { gate: { jobOutputType: 'uri_folder', uri: folder('gate') } },
    });
    await vi.waitFor(async () => expect(await east.files('gate/')).toEqual(['tick']), 10_000);
    await azure.running.faults.setOutage('eastus', { mode: 'dark' });
    await expect(east.job('unseen')).rejects.toThrow(/socket|ECONN|hang up/i);
    const before = await east.read('gate/tick');
    await vi.waitFor(async () => expect(await east.read('gate/tick')).not.toBe(before), 10_000);
    await azure.running.faults.setOutage('eastus', { mode: 'none' });
    expect(await east.reaches('unseen', 'Running')).toBe('Running');
    await azure.arm('POST', `${east.id}/jobs/unseen/cancel`);
    expect(await east.ends('unseen')).toBe('Canceled');

    const [, , , , group] = east.id.split('/');
    const far = `azureml://subscriptions/${azure.running.address.subscriptionId}/resourcegroups/${group}/workspaces/train-east/datastores/workspaceblobstore/paths/transactions/`;
    await azure.running.faults.setOutage('eastus', { mode: 'dark' });
    await west.submit('reaching', {
      command: 'true',
      inputs: { far: { jobInputType: 'uri_folder', uri: far } },
    });
    expect(await west.ends('reaching')).toBe('Failed');
    const { error } = (await west.details('reaching')) as { error: { error: JsonObject } };
    expect(error.error.message).toContain('eastus does not answer');
    await azure.running.faults.setOutage('eastus', { mode: 'none' });
  }, 60_000);
});

describe('a restart of the local Azure', () => {
  it('ends what ran, fails its job, and runs what waited', async () => {
    await east.compute('single', 1, { 'local-azure-execute': 'true' });
    const computeId = `${east.id}/computes/single`;
    await east.submit('cut', { command: 'sleep 1000 & echo pid $!; wait', computeId });
    await east.submit('behind', { command: 'echo my turn', computeId });
    const pid = await vi.waitFor(async () => {
      const [, found] = /pid (\d+)/.exec((await east.log('cut')) ?? '') ?? [];
      if (found === undefined) throw new Error('it has not said its process yet');
      return Number(found);
    }, 10_000);
    await azure.restart();
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 5000);
    expect((await east.job('cut')).status).toBe('Failed');
    expect(await east.ends('behind')).toBe('Completed');
    expect(await east.log('behind')).toBe('my turn\n');
  }, 60_000);
});
