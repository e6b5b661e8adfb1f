import { describe, expect, it } from 'vitest';
import { collectJobs } from '../../src/inventory/collect.ts';
import {
  cameBack,
  lastSuccessor,
  ledgerName,
  markSubmitted,
  planSuccessor,
  successorName,
  toLedgerEntry,
  type LedgerDocument,
} from '../../src/ledger/ledger.ts';
import { release } from '../../src/release.ts';
import { sharedDatastores } from '../../src/jobs/shared-datastores.ts';
import { computeNames } from '../../src/topology/compute-names.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { expectRefusals } from '../control-store/refusals.ts';
import { command, east, eastId, scene, topologyWith, west } from '../jobs/scene.ts';

const lost = { as: 'lost', at: '2026-11-21T10:12:00.000Z', reason: 'r' } as const;
const root = 'eastus.fraud-east.train';

/** What an entry may have besides. */
const everyField = {
  createdAt: '2026-11-21T08:00:00.000Z',
  checkpoint: {
    datastore: 'workspaceblobstore',
    path: 'azureml/train/checkpoints',
    name: 'checkpoint-500',
    writtenAt: '2026-11-21T09:58:00.000Z',
    lastFile: 'checkpoint-500/model.bin',
    files: 3,
    leave: ['checkpoint-600'],
    recoveryPoint: '2026-11-21T10-00-00.000Z-e1',
  },
  passedOver: { name: 'checkpoint-600', why: 'it was written while it was copied' },
  gpus: 8,
  cancelledBy: 'run-0',
};

function entryOf(job: Partial<RawJob> & { name: string }, side = { region: 'eastus', workspace: east }) {
  const whole: RawJob = { id: `${eastId}/jobs/${job.name}`, type: '', properties: command(), ...job };
  return toLedgerEntry({ job: whole, side, lastSeenAt: '2026-11-21T10:00:00.000Z', spec: 'd' });
}

describe('a line of the ledger', () => {
  it('says what a person asks of a job', () => {
    expect(entryOf({ name: 'train' })).toEqual({
      lineageRoot: root,
      hop: 0,
      workspace: east,
      region: 'eastus',
      name: 'train',
      type: 'Command',
      status: 'Running',
      lastSeenAt: '2026-11-21T10:00:00.000Z',
      spec: 'd',
      displayName: 'Train',
      owner: 'ana',
      priority: 'normal',
      description: {
        runs: 'python train.py --resume ${{inputs.resume_from}}',
        computes: ['gpu-east'],
        nodes: 1,
        reads: [],
        writes: [{ output: 'checkpoints', store: 'workspaceblobstore', path: 'azureml/train/checkpoints' }],
      },
    });
  });

  it('knows a successor by its name, and not a clone of one by its copied tags', () => {
    const tags = { 'understudy.lineage': root, 'understudy.hop': '1', 'understudy.run': 'r' };
    const side = { region: 'westus3', workspace: west };
    const successor = entryOf({ name: successorName(root, 1), properties: command({ tags }) }, side);
    expect(successor).toMatchObject({ lineageRoot: root, hop: 1 });
    expect(entryOf({ name: 'clone', properties: command({ tags }) }, side)).toMatchObject({
      lineageRoot: 'westus3.fraud-west.clone',
      hop: 0,
    });
  });

  it('gives names that Azure accepts, one to each lineage and hop', () => {
    const names = [successorName(root, 1), successorName(root, 2), successorName(`${root}2`, 1)];
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^us-[a-z2-7]{24}$/);
    expect(successorName(root, 1)).toBe(names[0]);
  });
});

describe('planSuccessor', () => {
  const plan = (hop: number, to: string) => ({
    entry: { ...entryOf({ name: 'train' }), hop },
    to,
    run: 'run-1',
    settled: lost,
  });

  it('goes to and fro, a hop a move', async () => {
    const store = fakeControlStore();
    const there = await planSuccessor(store, plan(0, 'westus3'));
    await markSubmitted(store, root, there.hop);
    const back = await planSuccessor(store, plan(1, 'eastus'));
    expect([there.hop, back.hop]).toEqual([1, 2]);
    const { value } = (await store.read<LedgerDocument>(ledgerName(root))) ?? {};
    expect(value?.successors).toMatchObject([
      { hop: 1, name: there.name, state: 'lost', predecessor: 'train' },
      { hop: 2, name: back.name, state: 'planned' },
    ]);
  });

  it('from an old recovery point, comes after what was submitted since', async () => {
    const store = fakeControlStore();
    const there = await planSuccessor(store, plan(0, 'westus3'));
    const back = await planSuccessor(store, plan(0, 'eastus'));
    expect(back).toMatchObject({ hop: 2, predecessor: there.name });
  });

  it('does not rise in the same region', async () => {
    const store = fakeControlStore();
    const first = await planSuccessor(store, plan(0, 'westus3'));
    const again = await planSuccessor(store, { ...plan(0, 'westus3'), run: 'run-2' });
    expect(again).toEqual(first);
  });

  it('two runs at once agree', async () => {
    const store = fakeControlStore();
    const both = await Promise.all([
      planSuccessor(store, plan(0, 'westus3')),
      planSuccessor(store, { ...plan(0, 'westus3'), run: 'run-2' }),
    ]);
    expect(both[0]).toEqual(both[1]);
  });

  it('does not mark what was never planned', async () => {
    await expect(markSubmitted(fakeControlStore(), root, 1)).rejects.toThrow(/was planned there and is gone/);
  });

  it('reads back all that a job can have', async () => {
    const store = fakeControlStore();
    const entry = { ...entryOf({ name: 'train' }), ...everyField };
    const successor = await planSuccessor(store, { ...plan(0, 'westus3'), entry });
    expect(await lastSuccessor(store, entry)).toEqual(successor);
    await markSubmitted(store, root, 1);
    expect((await store.read(ledgerName(root)))?.value).toEqual({
      version: 2,
      release,
      entry,
      successors: [{ ...successor, state: 'submitted' }],
    });
  });

  it('refuses by name a document that is not what was written', async () => {
    const store = fakeControlStore();
    await planSuccessor(store, plan(0, 'westus3'));
    const document = { store, what: 'job ledger', version: 2, place: ledgerName(root), field: 'entry.spec' };
    for (const read of [
      () => planSuccessor(store, plan(0, 'westus3')),
      () => markSubmitted(store, root, 1),
      () => cameBack(store, entryOf({ name: 'train' })),
      () => lastSuccessor(store, entryOf({ name: 'train' })),
    ])
      await expectRefusals({ ...document, read });
    await expectRefusals({
      ...document,
      field: 'successors.0.settled.reason',
      read: () => markSubmitted(store, root, 1),
    });
  });
});

describe('collectJobs', () => {
  it('reads every unfinished job whole, and leaves out what ends meanwhile', async () => {
    const made = scene();
    const { arm } = made;
    for (let index = 0; index < 20; index++) {
      await made.addJob(`job-${index}`, command({ status: index % 2 === 0 ? 'Running' : 'Completed' }));
    }
    const list = arm.list.bind(arm);
    arm.list = async function* (...args) {
      for await (const job of list(...args)) {
        yield job;
        // It ends between the list and the reading.
        if (job.name === 'job-4') (arm.resources.get(job.id.toLowerCase()) ?? job).properties['status'] = 'Failed';
      }
    };
    const found = await Array.fromAsync(collectJobs({ arm, workspace: east }));
    expect(found.map(({ name }) => name)).toEqual([0, 2, 6, 8, 10, 12, 14, 16, 18].map((index) => `job-${index}`));
    expect(arm.requests.filter((request) => request.startsWith('LIST'))).toEqual([
      `LIST ${eastId}/jobs?listViewType=All`,
    ]);
  });
});

describe('computeNames', () => {
  const topology = topologyWith({ jobs: { compute: { a: 'x', b: 'shared', c: 'shared' } } });
  it('are as declared on the way out, and turned round on the way back', () => {
    expect(computeNames(topology, 'eastus')).toEqual({ a: 'x', b: 'shared', c: 'shared' });
    expect(computeNames(topology, 'westus3')).toEqual({ x: 'a' });
  });
});

describe('sharedDatastores', () => {
  const at = (name: string, accountName: string, containerName: string) => ({
    id: '',
    name,
    type: '',
    properties: { accountName, containerName },
  });
  it('are those of one account and container', () => {
    const isShared = sharedDatastores(
      [at('Lake', 'acct', 'c'), at('own', 'e', 'c'), at('gone', 'g', 'c')],
      [at('lake', 'ACCT', 'c'), at('own', 'w', 'c')],
    );
    expect(['lake', 'own', 'gone', 'unheard-of'].map(isShared)).toEqual([true, false, false, false]);
  });
});
