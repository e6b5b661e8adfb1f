/** The fence: the pointer, the old side stopped and shut out where it answers, the rest owed and paid later. */
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallOptions } from '../../src/azure/azure.ts';
import { holdWriterLease, movePointer, readPointerIfAny } from '../../src/control-store/region-pointer.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { listDebts, owe, pay, doOrOwe } from '../../src/fence/old-side.ts';
import { payDebtsOfTarget, payFenceDebt } from '../../src/fence/pay-debt.ts';
import { readmitWriters } from '../../src/fence/readmit-writers.ts';
import { restoreOldWriters, shutOutOldWriters } from '../../src/fence/shut-out-writers.ts';
import { startOldIntake, stopOldIntake } from '../../src/fence/stop-intake.ts';
import { returnPointer, takePointer } from '../../src/fence/take-pointer.ts';
import { beginStopping, changeStopping } from '../../src/fence/stopped-jobs.ts';
import type { Step } from '../../src/plan/plan.ts';
import { recordStep } from '../../src/run/journal.ts';
import { Debt } from '../../src/run/work/outcome.ts';
import { switchServing, switchServingBack } from '../../src/switch/switch-serving.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import type { FakeArm } from '../fakes/arm.ts';
import { expectRefusals } from '../control-store/refusals.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await makeStage('policies: { fenceDeadline: 1s, leaseTtl: 30s, clockSkew: 5s }\n');
});
const pointer = async () => (await readPointerIfAny(stage.scene.store))?.value;

describe('the pointer', () => {
  const id = 'fence/platform/pointer';

  it('is taken with a new epoch, once, however often it is asked for', async () => {
    const first = await takePointer(stage.context(id));
    expect(first).toMatchObject({
      state: 'completed',
      detail: 'epoch 2: westus3 is the writer',
      facts: { epoch: 2 },
    });
    expect(await takePointer(stage.context(id))).toMatchObject({ facts: { epoch: 2 } });
    expect(await pointer()).toMatchObject({
      epoch: { number: 2 },
      writer: 'westus3',
      serving: { platform: { eastus: 100 } },
    });
  });

  it('is not taken where something has moved since the plan was made', async () => {
    await movePointer(stage.scene.store, (found) => takeOver(found, 'westus3', 'other', stage.scene.clock.now(), 0));
    await expect(takePointer(stage.context(id))).rejects.toMatchObject({ code: 'FencedError' });
    expect(await pointer()).toMatchObject({ epoch: { number: 2 }, changedBy: 'other' });
  });

  it('is used only when the old writers can no longer believe in their lease', async () => {
    const now = stage.scene.clock.now().getTime();
    await holdWriterLease(stage.scene.store, {
      holder: 'replicate',
      epoch: 1,
      ttlMs: 30_000,
      skewMs: 5000,
      now,
    });
    const context = stage.context(id, {
      // Each look at the clock finds that ten seconds have gone by.
      now: () => {
        stage.scene.clock.forward(10_000);
        return stage.scene.clock.now();
      },
    });
    const result = await takePointer(context);
    expect(result.detail).toMatch(
      /^epoch 2: westus3 is the writer; waited \d+\.\ds for the lease of the old writer to end$/,
    );
    expect(stage.scene.clock.now().getTime()).toBeGreaterThanOrEqual(now + 35_000);
    expect(stage.told.length).toBeGreaterThan(0);
  });

  it('is given back with yet another epoch', async () => {
    await takePointer(stage.context(id));
    expect(await returnPointer(stage.context(id))).toBe('eastus is the writer again, in epoch 3');
    expect(await returnPointer(stage.context(id))).toContain('epoch 3');
    expect(await pointer()).toMatchObject({ epoch: { number: 3 }, writer: 'eastus' });
  });

  it('is left to whoever has moved it since', async () => {
    await takePointer(stage.context(id));
    await movePointer(stage.scene.store, (found) => takeOver(found, 'westus3', 'other', stage.scene.clock.now(), 0));
    expect(await returnPointer(stage.context(id))).toBe('left as it is: other has moved the pointer since');
    expect(await pointer()).toMatchObject({ epoch: { number: 3 }, writer: 'westus3' });
  });

  it('says who serves a class, in the epoch that this run took, and back', async () => {
    const taken = await takePointer(stage.context(id));
    await recordStep(stage.scene.store, stage.scene.header.runId, id, () => ({
      step: id,
      holder: 'wf-1',
      attempts: 1,
      startedAt: '',
      ...taken,
    }));
    const serving = stage.context('switch/inference/serving');
    expect(await switchServing(serving)).toMatchObject({ detail: 'westus3 serves inference (epoch 2)' });
    expect(await switchServing(serving)).toMatchObject({ state: 'completed' });
    expect((await pointer())?.serving).toEqual({
      platform: { eastus: 100 },
      data: { eastus: 100 },
      training: { eastus: 100 },
      inference: { westus3: 100 },
    });
    await switchServingBack(serving, { weights: { eastus: 100 } });
    expect((await pointer())?.serving.inference).toEqual({ eastus: 100 });
    await movePointer(stage.scene.store, (found) => takeOver(found, 'eastus', 'other', stage.scene.clock.now(), 0));
    await expect(switchServing(serving)).rejects.toMatchObject({ code: 'FencedError' });
  });
});

describe('what the old side does not do', () => {
  const debt = { kind: 'intake', what: 'disable the schedules of eastus' } as const;
  const context = () => stage.context('fence/platform/intake');

  it.each([
    [
      'does not answer',
      new UnderstudyError('AzureUnavailable', 'no answer (ECONNREFUSED)'),
      'no answer (ECONNREFUSED)',
    ],
    ['refuses', new UnderstudyError('AzureError', 'AuthorizationFailed (HTTP 403)'), 'AuthorizationFailed (HTTP 403)'],
  ])('is owed where it %s, and the fence goes on', async (_what, error, reason) => {
    const result = await doOrOwe(context(), debt, (ask) => ask(() => Promise.reject(error)));
    expect(result).toMatchObject({ state: 'owed', detail: `${debt.what}: ${reason}` });
    expect(result.owed).toEqual([{ ...debt, region: 'eastus', reason, step: 'fence/platform/intake' }]);
    expect(await listDebts(stage.scene.store)).toMatchObject([{ kind: 'intake', run: stage.scene.header.runId }]);
  });

  it('is owed where it hangs, when the deadline is over', async () => {
    const hangs = ({ signal, onSent }: CallOptions) =>
      new Promise<never>((_, reject) => {
        onSent?.();
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    expect(await doOrOwe(context(), debt, (ask) => ask(hangs))).toMatchObject({
      owed: [{ reason: 'no answer in time' }],
    });
  });

  it.each(['FencedError', 'CredentialError'] as const)('is not owed for a reason of ours: %s', async (code) => {
    await expect(doOrOwe(context(), debt, () => Promise.reject(new UnderstudyError(code, 'x')))).rejects.toMatchObject({
      code,
    });
    expect(await listDebts(stage.scene.store)).toEqual([]);
  });

  it('is not owed by a cancelled run', async () => {
    const controller = new AbortController();
    controller.abort();
    const cancelled = stage.context('fence/platform/intake', { signal: controller.signal });
    await expect(doOrOwe(cancelled, debt, () => Promise.reject(new Error('aborted')))).rejects.toThrow('aborted');
    expect(await listDebts(stage.scene.store)).toEqual([]);
  });

  it('is owed since the first time, and no longer once it is done', async () => {
    await owe(context(), { ...debt, reason: 'dark' });
    const [first] = await listDebts(stage.scene.store);
    stage.scene.clock.forward(60_000);
    await owe(context(), { ...debt, reason: 'still dark' });
    expect(await listDebts(stage.scene.store)).toEqual([first]);
    await doOrOwe(context(), debt, () => Promise.resolve('done'));
    expect(await listDebts(stage.scene.store)).toEqual([]);
    await pay(stage.scene.store, { region: 'eastus', kind: 'intake' }, stage.scene.clock.now());
    await owe(context(), { ...debt, reason: 'dark again' });
    expect(await listDebts(stage.scene.store)).toMatchObject([{ reason: 'dark again' }]);
  });

  it('is read as it was written, and refused by name where it was altered', async () => {
    const { store, header, clock } = stage.scene;
    await owe(context(), { ...debt, reason: 'dark' });
    expect(await listDebts(store)).toEqual([
      {
        ...debt,
        region: 'eastus',
        reason: 'dark',
        step: 'fence/platform/intake',
        owedSince: clock.now().toISOString(),
        run: header.runId,
      },
    ]);
    const document = {
      what: 'debt of a fence',
      version: 1,
      place: 'debts/eastus/intake.json',
      field: 'what',
    };
    const paid = () => pay(store, { region: 'eastus', kind: 'intake' }, clock.now());
    await expectRefusals({ ...document, store, read: () => listDebts(store) });
    await expectRefusals({ ...document, store, read: paid });
    await expectRefusals({ ...document, store, read: () => owe(context(), { ...debt, reason: 'dark' }) });
  });
});

/** Each answer to a write takes so long. */
function slowly(arm: FakeArm, ms: number): void {
  const put = arm.put.bind(arm);
  arm.put = async (...args) => {
    await wait(ms);
    return put(...args);
  };
}

describe('the intake', () => {
  const id = 'fence/platform/intake';
  const schedule = (name: string) => `${workspaceId(stage.context(id).from.workspace)}/schedules/${name}`;
  const enabled = (name: string) => stage.arm.resources.get(schedule(name).toLowerCase())?.properties.isEnabled;
  beforeEach(() => {
    stage.arm.add(schedule('nightly'), { properties: { isEnabled: true, trigger: { cron: '0 2 * * *' } } });
    stage.arm.add(schedule('retired'), { properties: { isEnabled: false } });
    stage.arm.add(schedule('weekly'), { properties: { isEnabled: true } });
  });

  it('is stopped: schedules disabled, the rest of them kept', async () => {
    expect(await stopOldIntake(stage.context(id))).toEqual({
      state: 'completed',
      detail: 'disabled nightly, weekly',
    });
    expect([enabled('nightly'), enabled('retired'), enabled('weekly')]).toEqual([false, false, false]);
    expect(stage.arm.resources.get(schedule('nightly').toLowerCase())?.properties.trigger).toEqual({
      cron: '0 2 * * *',
    });
  });

  it('is stopped whole where it takes longer than one deadline, while the region gets on with it', async () => {
    for (let index = 0; index < 6; index++) stage.arm.add(schedule(`s${index}`), { properties: { isEnabled: true } });
    slowly(stage.arm, 250);
    const result = await stopOldIntake(stage.context(id));
    expect(result).toMatchObject({ state: 'completed' });
    expect([enabled('nightly'), enabled('s5')]).toEqual([false, false]);
  });

  it('is owed where it takes longer than the switch may wait for it', async () => {
    for (let index = 0; index < 20; index++) stage.arm.add(schedule(`s${index}`), { properties: { isEnabled: true } });
    slowly(stage.arm, 250);
    const policies = { ...stage.context(id).topology.policies, fenceLimit: '1s', requestTimeout: '1s' };
    const topology = { ...stage.context(id).topology, policies };
    expect(await stopOldIntake(stage.context(id, { topology }))).toMatchObject({
      state: 'owed',
      owed: [{ kind: 'intake', reason: 'not all of it could be done in time' }],
    });
  });

  it('is started again as it was, though the first attempt was broken off', async () => {
    stage.arm.faults.push({ method: 'PUT', path: /weekly/, kind: 'silent', times: 99 });
    const context = stage.context(id, { topology: { ...stage.context(id).topology } });
    expect((await stopOldIntake(context)).owed).toHaveLength(1);
    stage.arm.faults.length = 0;
    expect(await stopOldIntake(context)).toMatchObject({ detail: 'disabled nightly, weekly' });
    expect(await startOldIntake(context)).toBe('enabled nightly, weekly again');
    expect([enabled('nightly'), enabled('retired'), enabled('weekly')]).toEqual([true, false, true]);
  });
});

describe('the intake of a region that was the writer again meanwhile', () => {
  it('is started as the last fence found it, not as one before did', async () => {
    const { from, to } = stage.context('x');
    const schedule = (name: string) => `${workspaceId(from.workspace)}/schedules/${name}`;
    const isEnabled = (name: string) => stage.arm.resources.get(schedule(name).toLowerCase())?.properties.isEnabled;
    for (const name of ['nightly', 'weekly']) stage.arm.add(schedule(name), { properties: { isEnabled: true } });
    await stopOldIntake(stage.context('fence/platform/intake'));
    await readmitWriters(stage.context('fence/platform/readmit', { from: to, to: from }));
    stage.arm.add(schedule('nightly'), { properties: { isEnabled: true } });
    await stopOldIntake(stage.context('the next fence'));
    expect(await startOldIntake(stage.context('the next fence'))).toBe('enabled nightly again');
    expect([isEnabled('nightly'), isEnabled('weekly')]).toEqual([true, false]);
  });
});

describe('what the fence of a run owed, and a replication has paid since', () => {
  it('is given back when the run is cancelled: schedules, roles and keys', async () => {
    const { from } = stage.context('x');
    const workspace = workspaceId(from.workspace);
    const account =
      '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml-east/providers/Microsoft.Storage/storageAccounts/fraudeast';
    const role = `${account}/providers/Microsoft.Authorization/roleAssignments/mine`;
    stage.arm.add(workspace, { properties: { storageAccount: account }, identity: { principalId: 'p' } });
    stage.arm.add(account, { properties: {} });
    stage.arm.add(role, { properties: { principalId: 'p', roleDefinitionId: 'r', scope: account } });
    stage.arm.add(`${workspace}/schedules/nightly`, { properties: { isEnabled: true } });
    stage.arm.actions.regenerateKey = () => null;
    stage.arm.actions.resyncKeys = () => null;
    stage.arm.actions.listKeys = () => ({ keys: [{ value: 'bmV3' }] });
    await takePointer(stage.context('fence/platform/pointer'));
    for (const kind of ['intake', 'writers'] as const)
      await owe(stage.context(`fence/platform/${kind}`), { kind, what: kind, reason: 'dark' });
    await payFenceDebt(stage.context('pay'));
    const has = (id: string) => stage.arm.resources.get(id.toLowerCase());
    expect([has(role), has(`${workspace}/schedules/nightly`)?.properties.isEnabled]).toEqual([undefined, false]);
    expect(await restoreOldWriters(stage.context('fence/platform/writers'))).toContain('gave back 1 of 1 roles');
    expect(await startOldIntake(stage.context('fence/platform/intake'))).toBe('enabled nightly again');
    expect(has(role)).toBeDefined();
    expect(has(`${workspace}/schedules/nightly`)?.properties.isEnabled).toBe(true);
  });
});

describe('the old writers', () => {
  const first = () => ({
    region: 'eastus',
    progressAt: stage.scene.header.triggeredAt,
    attempt: 1,
  });
  // The jobs are listed: a step of its own does that.
  beforeEach(async () => {
    const { store, header } = stage.scene;
    await beginStopping(store, header.runId, first());
    await changeStopping(store, header.runId, 1, { found: 0 });
  });

  const id = 'fence/platform/writers';
  const account =
    '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml-east/providers/Microsoft.Storage/storageAccounts/fraudeast';
  const role = (name: string) => `${account}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  let rotated: string[];
  beforeEach(() => {
    rotated = [];
    stage.arm.actions.regenerateKey = (_account, { keyName }) => {
      rotated.push(keyName as string);
      return null;
    };
    stage.arm.actions.resyncKeys = () => null;
    const from = workspaceId(stage.context(id).from.workspace);
    stage.arm.add(from, { properties: { storageAccount: account }, identity: { principalId: 'p-east' } });
    stage.arm.add(account, { properties: {}, tags: { team: 'fraud' } });
    const assignment = { roleDefinitionId: 'contributor', principalType: 'ServicePrincipal' };
    stage.arm.add(role('mine'), { properties: { ...assignment, principalId: 'p-east', scope: account } });
    stage.arm.add(role('theirs'), { properties: { ...assignment, principalId: 'somebody', scope: account } });
    stage.arm.add(role('above'), {
      properties: {
        ...assignment,
        principalId: 'p-east',
        scope: '/subscriptions/11111111-2222-3333-4444-555555555555',
      },
    });
  });
  const isThere = (name: string) => stage.arm.resources.has(role(name).toLowerCase());

  it('lose their roles and keys; others keep theirs', async () => {
    const result = await shutOutOldWriters(stage.context(id));
    expect(result).toEqual({
      state: 'completed',
      detail: 'rotated both keys of fraudeast; removed 1 roles; 1 given above it left: remove them by hand',
    });
    expect([isThere('mine'), isThere('theirs'), isThere('above')]).toEqual([false, true, true]);
    expect(rotated).toEqual(['key1', 'key2']);
    expect(stage.arm.resources.get(account.toLowerCase())?.tags).toMatchObject({ team: 'fraud' });
  });

  it('lose them only once it is written down which jobs run: those then fail', async () => {
    const { store, header } = stage.scene;
    stage.scene.store.documents.delete(`runs/${header.runId}/stopped-jobs.json`);
    await beginStopping(store, header.runId, first());
    const shutting = shutOutOldWriters(stage.context(id));
    await vi.waitFor(() => expect(stage.told.length).toBeGreaterThan(1), { timeout: 5000 });
    expect(rotated).toEqual([]);
    await changeStopping(store, header.runId, 1, { found: 3 });
    expect((await shutting).state).toBe('completed');
    expect(rotated).toHaveLength(2);
  });

  it('are also the identities that people assigned, and those of computes', async () => {
    const assignment = { roleDefinitionId: 'contributor', scope: account };
    for (const principalId of ['p-assigned', 'p-cluster'])
      stage.arm.add(role(principalId), { properties: { ...assignment, principalId } });
    const workspace = workspaceId(stage.context(id).from.workspace);
    const identity = {
      principalId: 'p-east',
      userAssignedIdentities: { '/id': { principalId: 'p-assigned' } },
    };
    stage.arm.add(workspace, { properties: { storageAccount: account }, identity });
    stage.arm.add(`${workspace}/computes/cpu`, { properties: {}, identity: { principalId: 'p-cluster' } });
    expect((await shutOutOldWriters(stage.context(id))).detail).toContain('removed 3 roles');
    expect(['mine', 'p-assigned', 'p-cluster', 'theirs'].map(isThere)).toEqual([false, false, false, true]);
  });

  it('are not those that the side which goes on signs in as, too', async () => {
    const { from, to } = stage.context(id);
    const shared = { '/id': { principalId: 'p-both' } };
    const assignment = { roleDefinitionId: 'contributor', principalId: 'p-both', scope: account };
    stage.arm.add(role('both'), { properties: assignment });
    stage.arm.add(workspaceId(from.workspace), {
      properties: { storageAccount: account },
      identity: { principalId: 'p-east', userAssignedIdentities: shared },
    });
    stage.arm.add(workspaceId(to.workspace), {
      properties: { storageAccount: `${account}west` },
      identity: { principalId: 'p-west' },
    });
    stage.arm.add(`${workspaceId(to.workspace)}/computes/cpu`, {
      properties: {},
      identity: { userAssignedIdentities: shared },
    });
    expect((await shutOutOldWriters(stage.context(id))).detail).toMatch(
      /removed 1 roles; .*; 1 left, of identities that the other workspace uses, too$/,
    );
    expect(['mine', 'both'].map(isThere)).toEqual([false, true]);
  });

  it('are shut out of nothing where the side that goes on has a datastore on the account', async () => {
    const west = workspaceId(stage.context(id).to.workspace);
    stage.arm.add(west, { properties: { storageAccount: `${account}west` } });
    stage.arm.add(`${west}/datastores/history`, {
      properties: { datastoreType: 'AzureBlob', accountName: 'FraudEast', containerName: 'c' },
    });
    expect((await shutOutOldWriters(stage.context(id))).detail).toMatch(/^left the keys and roles of fraudeast/);
    expect(rotated).toEqual([]);
    expect(isThere('mine')).toBe(true);
  });

  it('are owed where it cannot be told what the side that goes on uses', async () => {
    stage.arm.faults.push({ method: 'GET', path: /fraud-west$/, kind: 'silent', times: Infinity });
    expect((await shutOutOldWriters(stage.context(id))).owed).toMatchObject([{ kind: 'writers' }]);
    expect(rotated).toEqual([]);
  });

  it('are shut out once by a run: its second attempt leaves the new keys alone', async () => {
    await shutOutOldWriters(stage.context(id));
    await shutOutOldWriters(stage.context(id));
    expect(rotated).toHaveLength(2);
  });

  it('get their roles back when the run is cancelled', async () => {
    const context = stage.context(id);
    await shutOutOldWriters(context);
    stage.arm.actions.listKeys = () => ({ keys: [{ keyName: 'key1', value: 'bmV3' }] });
    expect(await restoreOldWriters(context)).toContain('gave back 1 of 1 roles');
    expect(stage.arm.resources.get(role('mine').toLowerCase())?.properties).toMatchObject({
      principalId: 'p-east',
      roleDefinitionId: 'contributor',
    });
    expect(stage.arm.requests.join('\n')).toMatch(/POST .*\/workspaces\/fraud-east\/resyncKeys$/m);
  });

  it('are owed where the region is dark, and shut out first when it answers', async () => {
    await takePointer(stage.context('fence/platform/pointer'));
    stage.arm.faults.push({ method: 'GET', path: /fraud-east$/, kind: 'silent', times: 99 });
    expect((await shutOutOldWriters(stage.context(id))).owed).toMatchObject([{ kind: 'writers' }]);
    expect(rotated).toEqual([]);
    stage.arm.faults.length = 0;
    stage.arm.faults.push({ method: 'GET', path: /fraud-east$/, kind: 'silent', times: 1 });
    const early = await payFenceDebt(stage.context('pay'));
    expect(early).toMatchObject({ state: 'owed', owed: [{ kind: 'writers' }] });
    // As a step record can be read again: since when it is owed is the debt's own.
    expect(early.owed?.map((debt) => Debt.safeParse(debt).success)).toEqual([true]);
    expect(early.detail).toMatch(/^still owed: rotate the storage keys of eastus/);
    const paid = await payFenceDebt(stage.context('pay'));
    expect(paid).toMatchObject({
      detail: expect.stringMatching(/^eastus: rotated both keys of fraudeast; removed 1 roles/),
      owed: [],
    });
    expect(rotated).toHaveLength(2);
    expect(await payFenceDebt(stage.context('pay'))).toEqual({
      state: 'skipped',
      detail: 'nothing was left undone',
    });
  });

  it('keep a reprotection waiting while the region does not answer', async () => {
    await takePointer(stage.context('fence/platform/pointer'));
    await owe(stage.context(id), { kind: 'writers', what: 'shut out eastus', reason: 'dark' });
    stage.arm.faults.push({ method: 'GET', path: /fraud-east$/, kind: 'silent', times: 99 });
    const context = stage.context('pay');
    const pay = (step: Partial<Step>) => payFenceDebt({ ...context, step: { ...context.step, ...step } });
    await expect(pay({ provides: ['debts.paid'] })).rejects.toMatchObject({
      code: 'NotYetError',
      message: 'still owed: shut out eastus',
    });
    // A plan of an older release says nothing of it: the run goes on, and owes it.
    expect(await pay({})).toMatchObject({ state: 'owed', owed: [{ kind: 'writers' }] });
  });

  it('that were owed have lost nothing, and a dark region is not asked to give it back', async () => {
    const context = stage.context(id);
    expect(await restoreOldWriters(context)).toBe('nothing was rotated or removed');
    expect(stage.arm.requests).toEqual([]);
  });

  it('are owed no longer by a run that was cancelled', async () => {
    const pointerStep = stage.context('fence/platform/pointer');
    await takePointer(pointerStep);
    await owe(stage.context(id), { kind: 'writers', what: 'shut out eastus', reason: 'dark' });
    await returnPointer(pointerStep);
    expect(await listDebts(stage.scene.store)).toEqual([]);
  });

  it('are left alone where the old region is the writer again, whatever an earlier fence owes', async () => {
    await owe(stage.context(id), { kind: 'writers', what: 'shut out eastus', reason: 'dark' });
    expect(await payFenceDebt(stage.context('pay'))).toMatchObject({
      detail: 'no longer owed, since eastus is the writer again: shut out eastus',
      owed: [],
    });
    expect(rotated).toEqual([]);
    expect(isThere('mine')).toBe(true);
    expect(await listDebts(stage.scene.store)).toEqual([]);
  });

  it('of a workspace that is gone stay owed, and keep nothing from being replicated', async () => {
    await takePointer(stage.context('fence/platform/pointer'));
    await owe(stage.context(id), { kind: 'writers', what: 'shut out eastus', reason: 'dark' });
    stage.arm.resources.delete(workspaceId(stage.context(id).from.workspace).toLowerCase());
    expect(await payFenceDebt(stage.context('pay'))).toMatchObject({
      state: 'owed',
      detail: 'still owed: shut out eastus',
    });
  });
});

describe('what is owed in the region that becomes the writer', () => {
  const id = 'fence/platform/debts';
  const workspace = () => workspaceId(stage.context(id).to.workspace);
  const job = () => stage.arm.resources.get(`${workspace()}/jobs/train`.toLowerCase());

  beforeEach(async () => {
    stage.arm.add(`${workspace()}/jobs/train`, { properties: { status: 'Running' } });
    stage.arm.actions.cancel = () => {
      const found = job();
      if (found) found.properties.status = 'Canceled';
      return null;
    };
    await owe(
      { ...stage.context(id), from: stage.context(id).to },
      { kind: 'jobs', what: 'cancel the unfinished jobs', reason: 'dark' },
    );
  });

  it('is paid before the pointer is taken, once', async () => {
    expect(await payDebtsOfTarget(stage.context(id))).toMatchObject({
      state: 'completed',
      detail: expect.stringContaining('1 unfinished job of workspace "fraud-west" cancelled'),
    });
    expect(job()?.properties.status).toBe('Canceled');
    expect(await listDebts(stage.scene.store)).toEqual([]);
    expect(await payDebtsOfTarget(stage.context(id))).toMatchObject({ state: 'skipped' });
  });

  it.each([
    ['does not answer', 'silent', 'AzureUnavailable'],
    ['refuses', { status: 403, code: 'AuthorizationFailed' }, 'PreconditionError'],
  ] as const)('keeps the pointer from being taken while the region %s', async (_, kind, code) => {
    stage.arm.faults.push({ method: 'LIST', path: /fraud-west\/jobs/, kind, times: 1 });
    await expect(payDebtsOfTarget(stage.context(id))).rejects.toMatchObject({ code });
    expect(await listDebts(stage.scene.store)).toHaveLength(1);
  });

  it('does not ask the region that is left, whose writers are let in here anyway', async () => {
    stage.arm.faults.push({ method: 'GET', path: /fraud-east/, kind: 'silent', times: 99 });
    await owe(
      { ...stage.context(id), from: stage.context(id).to },
      { kind: 'writers', what: 'shut out westus3', reason: 'refused' },
    );
    expect(await payDebtsOfTarget(stage.context(id))).toMatchObject({
      state: 'completed',
      detail: expect.stringContaining('void once westus3 is the writer: shut out westus3') as string,
    });
  });

  it('is looked for in that region alone: a damaged debt of the other holds up nothing', async () => {
    await stage.scene.store.write('debts/eastus/jobs.json', '{"version": 9}', 'application/json');
    expect(await payDebtsOfTarget(stage.context(id))).toMatchObject({ state: 'completed' });
  });

  it('does not count for the other region', async () => {
    const { from, to } = stage.context(id);
    expect(await payDebtsOfTarget(stage.context(id, { from: to, to: from }))).toMatchObject({
      state: 'skipped',
    });
    expect(job()?.properties.status).toBe('Running');
  });
});
