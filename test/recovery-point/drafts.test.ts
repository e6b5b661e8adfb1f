/** What the steps of a replication hand to each other is read as it was written, or refused by name. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  beginPoint,
  openDraft,
  sealDraft,
  type Copying,
  type DraftPoint,
  type Listing,
} from '../../src/recovery-point/drafts.ts';
import { release } from '../../src/release.ts';
import { compileReplicate } from '../../src/plan/compile.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { expectRefusals } from '../control-store/refusals.ts';
import { compileInput } from '../plan/inputs.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

const part = { kind: 'models', name: 'inventory/m.ndjson', sha256: 's', count: 2, bytes: 30 } as const;
const listing: Listing = {
  workspace: {
    subscriptionId: 's',
    resourceGroup: 'g',
    name: 'fraud-east',
    guid: '',
    location: 'eastus',
    associated: { storageAccount: '/s' },
  },
  accounts: [{ name: 'a', id: '/a', endpoint: 'https://a/', own: true, shared: ['lake'] }],
  shared: ['lake'],
  sharing: {
    things: [
      {
        kind: 'registry',
        id: '/r',
        name: 'r',
        uses: { eastus: ['container registry'] },
        classes: ['platform'],
        location: 'eastus',
        sku: 'Premium',
        servedFrom: ['eastus'],
      },
      {
        kind: 'storage',
        name: 'lake',
        uses: {},
        classes: ['data'],
        secondaryLocation: 'westus',
        identityBased: ['lake'],
        folders: 3,
      },
      { kind: 'vault', name: 'v', uses: {}, classes: [], uri: 'https://v/' },
    ],
    inBoth: ['lake'],
    standbyStorage: { id: '/s', location: 'westus3' },
  },
  foldersShared: 1,
  parts: [part],
  counts: { models: 2 },
  leftBehind: [{ kind: 'data', reason: 'excluded', count: 1, examples: ['scratch'], chosen: true }],
  computes: [{ name: 'gpu', type: 'AmlCompute', vmSize: 'v', vmPriority: 'Dedicated', minNodes: 0, maxNodes: 4 }],
  gpus: { standard_nc6s_v3: 1 },
  endpoints: [{ name: 'e', deployments: [{ name: 'blue', instanceType: 'v', instanceCount: 2 }] }],
  jobs: { Running: 1 },
  leftCancelled: { train: 'run-0' },
};
const copying: Copying = {
  replica: { accountId: '/b', account: 'b', container: 'c' },
  units: 3,
  parts: [part],
  fuzzyParts: [],
  fuzzy: [{ asset: 'models/fraud/4', blobs: 1 }],
  tally: { done: 2, already: 1, bytes: 30, skipped: { gone: 1 }, failed: {} },
  expected: 3,
  newBytes: 10,
  empty: { count: 1, examples: ['data/x'] },
};
const escrowed = {
  secrets: [{ kind: 'datastore', name: 'd', secret: 's', version: '1' }],
  leftBehind: [],
} satisfies Parameters<typeof sealDraft<'escrowed'>>[3];

let stage: Stage;
let point: DraftPoint;
beforeEach(async () => {
  stage = await makeStage();
  point = await beginPoint(stage.context('list'));
});

/** A later step, which finds what the one before has handed on. */
function laterStep(facts: Record<string, string>): StepContext {
  return stage.context('seal', {
    plan: compileReplicate(compileInput()),
    outcomeOf: () => Promise.resolve({ state: 'completed', detail: '', facts }),
  });
}

describe('a recovery point that is begun', () => {
  it('is the same in each attempt, and refused by name where its record was altered', async () => {
    const { store, header } = stage.scene;
    stage.scene.clock.forward(60_000);
    expect(await beginPoint(stage.context('list'))).toEqual(point);
    const place = `runs/${header.runId}/recovery-point.json`;
    const { startedAt, epoch } = point;
    expect((await store.read(place))?.value).toEqual({ startedAt, epoch, version: 1, release });
    await expectRefusals({
      store,
      place,
      what: 'begun recovery point',
      version: 1,
      field: 'epoch',
      read: () => beginPoint(stage.context('list')),
    });
  });
});

describe('what a step hands on', () => {
  it('loses nothing', async () => {
    const context = stage.context('list');
    const facts = {
      ...(await sealDraft(context, point, 'listing', listing)),
      ...(await sealDraft(context, point, 'copying', copying)),
      ...(await sealDraft(context, point, 'escrowed', escrowed)),
    };
    expect(await openDraft(laterStep(facts), point, 'listing')).toEqual(listing);
    expect(await openDraft(laterStep(facts), point, 'copying')).toEqual(copying);
    expect(await openDraft(laterStep(facts), point, 'escrowed')).toEqual(escrowed);
  });

  it('is refused by name where another release wrote it, or it has another form', async () => {
    const folder = `${point.folder}/drafts`;
    const sealed = async (other: object) => ({ listing: await stage.scene.store.seal(folder, other) });
    for (const [other, problem] of [
      [{ ...listing, version: 2, release: '0.9.0' }, 'it has version 2 and was written by release 0.9.0'],
      [{ ...listing, parts: 7, version: 1, release }, 'parts: Invalid input: expected array, received number'],
    ] as const) {
      const facts = await sealed(other);
      await expect(openDraft(laterStep(facts), point, 'listing')).rejects.toMatchObject({
        code: 'ControlStoreError',
        message: expect.stringMatching(
          new RegExp(`^listing of a recovery point "${folder}/${facts.listing}.json".*${problem}$`),
        ),
        details: { next: expect.any(String) },
      });
    }
  });
});
