/**
 * The topology that Azure recommends: one registry and one data account for both workspaces, and one data account that
 * is in the active region alone. While all is well nothing of it is copied or shut out; when the region is lost, it is
 * said what is lost with it.
 */
import picocolors from 'picocolors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureDatastores } from '../../src/secrets/configure-datastores.ts';
import { openByRef } from '../../src/recovery-point/recovery-point.ts';
import { restoreAssets } from '../../src/assets/restore-assets.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import { useDatastores } from '../../src/secrets/use-datastores.ts';
import { actions } from '../../src/actions.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { checkStandby } from '../../src/standby/check-standby.ts';
import { planMove, planReplicate } from '../../src/operations/plans/plan-operation.ts';
import { sharedNow } from '../../src/operations/sharing.ts';
import { showPlan } from '../../src/cli/commands/plan.ts';
import type { Plan, RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { replicate, startScene, type Scene, type TestRun } from '../recovery-point/scene.ts';
import { putData, putJob, putTrainingGround, planningFor, shareAccount, type Lake } from './pair.ts';

let scene: Scene;
let ref: RecoveryPointRef;
let copyCounts: unknown;
let lone: Lake;
let geo: Lake;
let registry: string;

beforeAll(async () => {
  scene = await startScene();
  const { fixture, east, west } = scene;
  await putTrainingGround(scene);
  lone = await shareAccount(scene, 'lone');
  geo = await shareAccount(scene, 'geo', { sku: 'Standard_RAGRS', keys: false });
  registry = `${fixture.group('eastus')}/providers/Microsoft.ContainerRegistry/registries/both${fixture.running.address.subscriptionId.slice(0, 6)}`;
  await fixture.put(`${registry}?api-version=2023-07-01`, {
    location: 'eastus',
    sku: { name: 'Premium' },
    properties: { adminUserEnabled: true },
  });
  for (const side of [east, west]) await fixture.put(side, { properties: { containerRegistry: registry } }, 'PATCH');
  for (const [data, datastore] of [
    ['trades', 'lone'],
    ['prices', 'geo'],
  ] as const) {
    await putData(scene, data, datastore);
    await putJob(scene, `train-${data}`, data);
  }
  await ensurePointer(scene.store, { topology: scene.topology, who: 'a test', now: new Date() });
}, 120_000);

afterAll(() => scene?.close());

const planning = () => planningFor(scene);

describe('while both regions answer', () => {
  it('seals what is shared, and copies nothing of it', async () => {
    const made = await replicate(scene.run());
    ref = made.ref;
    copyCounts = made.copy.counts;
    expect(copyCounts).toEqual([
      { kind: 'blobs', expected: 0, done: 0, skipped: [], failed: [] },
      {
        kind: 'folders and files',
        expected: 2,
        done: 0,
        skipped: [{ reason: 'on storage that the standby reads where it is: shared, not copied', count: 2 }],
        failed: [],
      },
    ]);
    const { sealed } = await openByRef(scene.store, ref);
    expect(sealed.sharing.things).toMatchObject([
      { kind: 'registry', id: registry, location: 'eastus', sku: 'Premium', servedFrom: ['eastus'] },
      {
        kind: 'storage',
        id: geo.id,
        location: 'eastus',
        sku: 'Standard_RAGRS',
        secondaryLocation: 'westus3',
        uses: { eastus: ['datastore geo'], westus3: ['datastore geo'] },
        identityBased: ['geo'],
        folders: 1,
        classes: ['data'],
      },
      { kind: 'storage', id: lone.id, sku: 'Standard_LRS', folders: 1, classes: ['data'] },
    ]);
    expect(sealed.sharing.standbyStorage).toMatchObject({ location: 'westus3' });
    expect(sealed.leftBehind.filter(({ kind }) => kind === 'datastores' || kind === 'references')).toEqual([]);
  });

  it('plans with a warning of what would be lost', async () => {
    const made = await planMove(planning(), 'failover');
    expect(made.problems).toEqual([]);
    expect(made.warnings).toEqual([
      expect.stringMatching(
        /^container registry "both.*", which both sides use, is served from eastus alone: give it a replica in westus3$/,
      ) as string,
      expect.stringMatching(
        /^no identity of westus3's workspace or computes has a role on storage account "geo/,
      ) as string,
      expect.stringMatching(
        /^storage account "lone.*", which both sides use, is in eastus alone \(Standard_LRS\): it is lost with eastus$/,
      ) as string,
    ]);
    expect(showPlan(made, picocolors.createColors(false))).toContain(
      `storage account "${geo.name}" (in eastus, Standard_RAGRS, with a copy in westus3) is used by eastus: datastore geo; westus3: datastore geo; 1 folders or files of it are needed, and not copied`,
    );
    expect((await planReplicate(planning())).sharing).toHaveLength(3);
    expect((await sharedNow(planning(), 'eastus')).things.map(({ name }) => name)).toContain(lone.name);
  });

  it('takes a registry with a replica in the standby as it is', async () => {
    await scene.fixture.put(`${registry}/replications/westus3?api-version=2023-07-01`, {
      location: 'westus3',
      properties: {},
    });
    ({ ref } = await replicate(scene.run()));
    const { sealed } = await openByRef(scene.store, ref);
    expect(sealed.sharing.things[0]).toMatchObject({ servedFrom: ['eastus', 'westus3'] });
    expect((await planMove(planning(), 'failover')).warnings.join()).not.toContain('registry');
  });
});

describe('when the region is lost', () => {
  let plan: Plan;
  let run: TestRun;
  const id = () => `storage:${lone.name}`;
  /** A step of the plan that the person has confirmed. */
  const contextOf = (of: Plan): StepContext => ({
    ...run.context({
      id: 'standby',
      class: 'platform',
      action: 'checkStandby',
      title: '',
      needs: [],
      input: {},
      undoable: false,
    }),
    plan: of,
  });

  beforeAll(async () => {
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    run = scene.run({ operation: 'failover', recoveryPoint: ref });
  });

  it('refuses the class whose data was there alone, by name, and only that', async () => {
    const made = await planMove(planning(), 'failover');
    expect(made.problems).toEqual([
      `data: storage account "${lone.name}", which both sides use, is in eastus alone (Standard_LRS), and does not answer: what it holds is lost to westus3: fix it, or go without it: --accept-loss ${id()}`,
    ]);
    expect(made.findings).toContainEqual(
      expect.objectContaining({
        id: id(),
        kind: 'storage',
        classes: ['data'],
        severity: 'refused',
        acceptable: true,
      }),
    );
    // What Azure promises of the other one, and what cannot be read now.
    expect(made.warnings).toContainEqual(
      expect.stringMatching(
        /^storage account "geo.*does not answer in eastus: what it holds cannot be read by datastores until .* to westus3 \(Standard_RAGRS, primary \w+, last sync 20.*Z: what was written since would be lost, readable meanwhile at its secondary address\)$/,
      ) as string,
    );
    expect((await sharedNow(planning(), 'eastus')).seenAt).toBe(ref.startedAt);
  });

  it('stops a run before the pointer, where nobody has accepted it', async () => {
    const unaccepted: Plan = { ...run.context(contextOf({} as Plan).step).plan };
    await expect(checkStandby(contextOf(unaccepted))).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringMatching(
        /^westus3 cannot take over, and nothing has been moved:\n {2}- data: storage account "lone/,
      ) as string,
    });
  });

  it('goes without it once a person has accepted it, by name', async () => {
    const made = await planMove(planning(), 'failover', { acceptLoss: [id(), 'storage:another'] });
    expect(made.problems).toEqual([]);
    expect(made.warnings).toContain('nothing is lost by the name of "storage:another": there is nothing to accept');
    ({ plan } = made);
    expect(plan.acceptedLosses).toMatchObject([{ id: id(), name: lone.name, classes: ['data'] }]);
    expect(plan.steps[0]?.action).toBe('checkStandby');
    const result = await checkStandby(contextOf(plan));
    expect(result).toMatchObject({ state: 'completed' });
    expect(result.lost).toEqual([
      expect.stringMatching(/^storage account "lone.*: accepted as lost by .+: .+$/) as string,
    ]);
  });

  it('restores datastores and assets that point to what is shared', async () => {
    const datastores = await run.step('datastores', 'configureDatastores', configureDatastores);
    expect(datastores.counts).toEqual([{ kind: 'datastores', expected: 2, done: 2, skipped: [], failed: [] }]);
    expect((await run.step('blobs', 'restoreBlobs', restoreBlobs)).state).toBe('skipped');
    const assets = await run.step('assets', 'restoreAssets', restoreAssets);
    expect(assets.lost).toBeUndefined();
    const prices = await scene.azure.arm.get(`${scene.west}/data/prices/versions/1`, apiVersions.machineLearning);
    expect(prices.properties['dataUri']).toBe('azureml://datastores/geo/paths/daily');
  });

  it('does not wait for what is lost when it uses datastores, nor calls it failed', async () => {
    const used = await run.step('use', 'useDatastores', useDatastores);
    expect(used.counts?.[0]?.failed).toEqual([]);
    const reasons = used.counts?.[0]?.skipped.map(({ reason }) => reason) ?? [];
    expect(reasons).toEqual(
      [lone, geo].map(({ name }) => `storage account "${name}", which both sides use, does not answer now`),
    );
  });

  it('leaves to a person only the job that reads what is lost', async () => {
    const jobs = await run.step('jobs', 'resubmitJobs', (context) =>
      actions.resubmitJobs({
        ...context,
        plan: { ...context.plan, acceptedLosses: plan.acceptedLosses ?? [] },
      }),
    );
    expect(jobs.counts?.[0]).toMatchObject({
      kind: 'jobs',
      expected: 2,
      done: 1,
      skipped: [{ count: 1 }],
      failed: [],
    });
    expect(jobs.lost).toEqual([
      expect.stringMatching(
        /^job "train-trades".* is left for a person: its input data\/trades\/1 refers to datastore lone, which is accepted as lost: storage account "lone/,
      ) as string,
    ]);
  });
});
