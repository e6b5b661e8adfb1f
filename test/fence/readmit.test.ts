/**
 * What a fence takes from a region is given back when that becomes the writer again: seen on the local Azure by using
 * each datastore with what the workspace holds, and by jobs that read and write.
 */
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatastores } from '../../src/secrets/use-datastores.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { isUnderstudyError } from '../../src/errors/error.ts';
import { movePointer, ensurePointer } from '../../src/control-store/region-pointer.ts';
import { owe } from '../../src/fence/old-side.ts';
import { payFenceDebt } from '../../src/fence/pay-debt.ts';
import { readmitWriters, shutOutAgain } from '../../src/fence/readmit-writers.ts';
import { restoreOldWriters, shutOutOldWriters } from '../../src/fence/shut-out-writers.ts';
import { readShutOut } from '../../src/fence/shut-out-record.ts';
import { runSmokeJob } from '../../src/jobs/smoke-job.ts';
import type { Action, StepContext } from '../../src/run/work/step-context.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { startScene, textField, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

const contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe';
const names = ['account_signed', 'keyed', 'signed', 'unkeyed', 'workspaceartifactstore', 'workspaceblobstore'];

let scene: Scene;
let storage: string;
let roles: string[];
const ml = apiVersions.machineLearning;

beforeAll(async () => {
  scene = await startScene();
  const { fixture, azure, east, eastAccount } = scene;
  const workspace = await azure.arm.get(east, ml);
  storage = textField(workspace.properties, 'storageAccount');
  await upload(eastAccount, 'more', 'data/a.csv', 'a,b\n');
  const put = (name: string, credentials: object, more: object = {}) =>
    fixture.put(`${east}/datastores/${name}`, {
      properties: {
        datastoreType: 'AzureBlob',
        accountName: eastAccount.name,
        containerName: 'more',
        credentials,
        ...more,
      },
    } as never);
  const key = await keyOf();
  const client = eastAccount.container('more');
  const expiresOn = new Date(Date.now() + 86_400_000);
  const token = (await client.generateSasUrl({ permissions: 'rlcw' as never, expiresOn })).split('?')[1];
  const whole = eastAccount.service.generateAccountSasUrl(expiresOn, 'rlwc' as never, 'sco').split('?')[1];
  await put('keyed', { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key } });
  await put('signed', { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: token } });
  await put('account_signed', {
    credentialsType: 'Sas',
    secrets: { secretsType: 'Sas', sasToken: `?${whole}` },
  });
  await put(
    'unkeyed',
    { credentialsType: 'None' },
    { serviceDataAccessAuthIdentity: 'WorkspaceSystemAssignedIdentity' },
  );
  for (const [name, authType, credentials] of [
    ['by-key', 'AccountKey', { key }],
    ['by-signature', 'SAS', { sas: token }],
  ] as const)
    await fixture.put(`${east}/connections/${name}`, {
      properties: { category: 'AzureBlob', target: `${eastAccount.endpoint}more`, authType, credentials },
    } as never);
  const principalId = (workspace['identity'] as { principalId: string }).principalId;
  const subscription = east.split('/').slice(0, 3).join('/');
  roles = [
    `${storage}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000001`,
    `${storage}/blobServices/default/containers/more/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000002`,
  ];
  for (const [index, id] of roles.entries())
    await azure.arm.put(id, apiVersions.roleAssignments, {
      properties: {
        roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${index === 0 ? contributor : '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'}`,
        principalId,
        principalType: 'ServicePrincipal',
        description: 'of the workspace',
        ...(index === 0
          ? {}
          : {
              conditionVersion: '2.0',
              condition:
                "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'more'))",
            }),
      },
    });
  await fixture.put(`${east}/computes/cpu`, {
    location: 'eastus',
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
    },
  });
  await fixture.put(`${east}/environments/e/versions/1`, { properties: { image: 'mcr.microsoft.com/x:1' } });
}, 120_000);

afterAll(() => scene?.close());

async function keyOf(): Promise<string> {
  const { keys } = (await scene.azure.arm.post(`${storage}/listKeys`, apiVersions.storage)) as {
    keys: { value: string }[];
  };
  return keys[0]?.value ?? '';
}

/** Which datastores (and connections) of east open their storage, with what the workspace holds and nothing of ours. */
async function opened(): Promise<string[]> {
  const { azure, east, eastAccount } = scene;
  const found: string[] = [];
  const opens = async (
    name: string,
    secret: { key?: string | undefined; sas?: string | undefined },
    container: string,
  ) => {
    const url = `${eastAccount.endpoint}${container}`;
    const retryOptions = { maxTries: 1 };
    const client = secret.key
      ? new ContainerClient(url, new StorageSharedKeyCredential(eastAccount.name, secret.key), {
          retryOptions,
        })
      : new ContainerClient(`${url}?${secret.sas?.replace('?', '')}`, undefined, { retryOptions });
    const works = await client
      .listBlobsFlat()
      .byPage({ maxPageSize: 1 })
      .next()
      .then(
        () => true,
        () => false,
      );
    if (works) found.push(name);
  };
  for await (const { name, properties } of azure.arm.list(`${east}/datastores`, ml)) {
    if (properties.datastoreType !== 'AzureBlob' || name === 'unkeyed') continue;
    const { key, sasToken } = (await azure.arm.post(`${east}/datastores/${name}/listSecrets`, ml, {})) as {
      key?: string;
      sasToken?: string;
    };
    await opens(name, { key, sas: sasToken }, textField(properties, 'containerName'));
  }
  for await (const { name } of azure.arm.list(`${east}/connections`, ml)) {
    const answer = (await azure.arm.post(`${east}/connections/${name}/listsecrets`, ml, {})) as {
      properties: { credentials: { key?: string; sas?: string } };
    };
    await opens(name, answer.properties.credentials, 'more');
  }
  const there = await Promise.all(roles.map((id) => azure.arm.find(id, apiVersions.roleAssignments)));
  if (there.every((each) => each !== undefined)) found.push('unkeyed');
  return found.toSorted();
}

const everything = [...names, 'by-key', 'by-signature'].toSorted();

function stepContext(run: TestRun, id: string): StepContext {
  return run.context({
    id,
    class: 'platform',
    action: 'takePointer',
    title: id,
    needs: [],
    input: {},
    undoable: true,
  });
}

/** A move away from east: its fence alone. */
const leave = (run = scene.run({ operation: 'failover' })) =>
  run.step('fence/platform/writers', 'shutOutOldWriters', shutOutOldWriters);
/** A step of a move back to east. */
function back(action: Action, run = scene.run({ operation: 'failover', back: true })) {
  return run.step('step', 'readmitWriters', action);
}

/** As an activity is: what is retryable is tried again. The cloud's clock is driven while the job is waited for. */
async function smoke() {
  const { running } = scene.fixture;
  const onCheckpoint = () => running.clock.advance(2000);
  const run = scene.run({ operation: 'failover', back: true, onCheckpoint });
  const once = () => run.step('smoke', 'runSmokeJob', runSmokeJob);
  return once().catch((error: unknown) => {
    if (isUnderstudyError(error) && error.retryable) return once();
    throw error;
  });
}

describe('a region that becomes the writer again', () => {
  it('from which nothing was taken is left as it is', async () => {
    expect(await back(readmitWriters)).toEqual({
      state: 'skipped',
      detail: 'no fence has taken anything from eastus',
    });
    expect(await opened()).toEqual(everything);
  });

  it.each([1, 2])(
    'can use all of its storage, time %i there and back',
    async (time) => {
      await leave();
      expect(await opened()).toEqual([]);
      const taken = await readShutOut(scene.store, 'eastus', 'writers');
      expect(taken?.roles.map(({ id }) => id).toSorted()).toEqual(roles.toSorted());
      expect(taken?.givenBackAt).toBeUndefined();
      await expect(back(useDatastores)).rejects.toMatchObject({
        code: 'PreconditionError',
        message: expect.stringMatching(/cannot use 8 of its 8 datastores: .*AuthenticationFailed/) as string,
      });
      await expect(smoke()).rejects.toMatchObject({
        code: 'PreconditionError',
        message: expect.stringContaining('is Failed, expected Completed') as string,
      });

      expect(await back(readmitWriters)).toMatchObject({
        state: 'completed',
        counts: [
          { kind: 'roles given back', expected: 2, done: 2, failed: [] },
          { kind: 'credentials renewed', expected: 9, done: 9, failed: [] },
        ],
      });
      expect(await opened()).toEqual(everything);
      expect(await back(useDatastores)).toMatchObject({
        state: 'completed',
        counts: [{ kind: 'datastores used', expected: 8, done: 8, skipped: [], failed: [] }],
      });
      expect((await smoke()).detail).toContain('it read and wrote the default datastore');
      const [, container] = await Promise.all(roles.map((id) => scene.azure.arm.get(id, apiVersions.roleAssignments)));
      expect(container?.properties).toMatchObject({
        description: 'of the workspace',
        condition: expect.stringContaining('ActionMatches') as string,
      });
      expect((await back(readmitWriters)).state, `after time ${time}`).toBe('skipped');
    },
    60_000,
  );

  it('is given back what was taken to pay a debt', async () => {
    await ensurePointer(scene.store, { topology: scene.topology, who: 'a test', now: new Date() });
    await movePointer(scene.store, (found) => takeOver(found, 'westus3', 'a test', new Date(), 0));
    const context = stepContext(scene.run({ operation: 'failover' }), 'fence/platform/writers');
    await owe(context, { kind: 'writers', what: 'shut out eastus', reason: 'dark' });
    await scene.run().step('pay-debt', 'payFenceDebt', payFenceDebt);
    expect(await opened()).toEqual([]);
    expect((await back(readmitWriters)).state).toBe('completed');
    expect(await opened()).toEqual(everything);
  });

  it('is given all of it, though the first attempt was broken off, or its answer lost', async () => {
    await leave();
    const { running } = scene.fixture;
    running.faults.set('eastus', {
      dropNextAnswer: [{ method: 'PUT', path: 'datastores/keyed' }],
    });
    const run = scene.run({ operation: 'failover', back: true });
    await back(readmitWriters, run).catch(() => undefined);
    await back(readmitWriters, run);
    expect(await opened()).toEqual(everything);
    // The record is closed; the step is taken up again before its outcome was written down.
    expect((await back(readmitWriters, run)).state).toBe('completed');
  });
});

describe('a compute that was made anew', () => {
  it('has another identity: its role is left for a person, and nothing is called whole', async () => {
    const { azure, fixture, east } = scene;
    const path = `${east}/computes/with-identity`;
    const make = () =>
      fixture.put(path, {
        location: 'eastus',
        identity: { type: 'SystemAssigned' },
        properties: {
          computeType: 'AmlCompute',
          properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } },
        },
      });
    await make();
    const { identity } = (await azure.arm.get(path, ml)) as unknown as { identity: { principalId: string } };
    const id = `${storage}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000003`;
    await azure.arm.put(id, apiVersions.roleAssignments, {
      properties: {
        roleDefinitionId: `${east.split('/').slice(0, 3).join('/')}/providers/Microsoft.Authorization/roleDefinitions/${contributor}`,
        principalId: identity.principalId,
        principalType: 'ServicePrincipal',
      },
    });
    await leave();
    await azure.arm.remove(`${path}?underlyingResourceAction=Delete`, ml);
    await make();
    const result = await back(readmitWriters);
    expect(result.counts?.[0]).toMatchObject({ expected: 3, done: 2, failed: [{ count: 1 }] });
    expect(result.lost).toEqual([expect.stringMatching(/000000000003: its principal is no identity/)]);
    expect(await azure.arm.find(id, apiVersions.roleAssignments)).toBeUndefined();
    expect(await opened()).toEqual(everything);
  });
});

describe('when a move is cancelled', () => {
  it('back: the region that was readmitted is shut out again, and can be readmitted by the next', async () => {
    await leave();
    const run = scene.run({ operation: 'failover', back: true });
    await back(readmitWriters, run);
    const context = stepContext(run, 'step');
    expect(await shutOutAgain(context, run.undos.get('step'))).toContain('removed 2 roles');
    expect(await opened()).toEqual([]);
    await shutOutAgain(context, run.undos.get('step'));
    expect((await back(readmitWriters)).counts).toMatchObject([{ done: 2 }, { done: 9 }]);
    expect(await opened()).toEqual(everything);
  });

  it('there: the old side can use all of its storage again, its own datastores too', async () => {
    const run = scene.run({ operation: 'failover' });
    await leave(run);
    expect(await restoreOldWriters(stepContext(run, 'fence/platform/writers'))).toContain('gave back 2 of 2 roles');
    expect(await opened()).toEqual(everything);
    expect(await restoreOldWriters(stepContext(run, 'fence/platform/writers'))).toBe('nothing was rotated or removed');
  });
});
