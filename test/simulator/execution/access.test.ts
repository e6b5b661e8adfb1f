/** What storage refuses, a job cannot read or write: with a key or a signature of before, or without a role. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { properties, text } from '../machinelearning/fixture.ts';
import { ExecutingWorkspace } from './executing.ts';

const reader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1';

let workspace: ExecutingWorkspace;
let account: string;

beforeAll(async () => {
  workspace = await ExecutingWorkspace.start(4);
  account = text((await workspace.workspaceProperties()).storageAccount);
  await workspace.compute('idle', 4, {});
  await workspace.write('in.txt', 'carried');
}, 60_000);
afterAll(() => workspace?.azure.close());

/** A job that lives by the clock; one that only copies says nothing of its life. */
async function lives(name: string, more: JsonObject): Promise<unknown> {
  await workspace.submit(name, {
    computeId: `${workspace.id}/computes/idle`,
    command: 'python train.py',
    properties: {
      'simulator.prepareSeconds': '0',
      'simulator.queueSeconds': '0',
      'simulator.runSeconds': '1',
    },
    ...more,
  });
  return workspace.ends(name);
}

const input = (datastore: string) => ({
  inputs: { from: { jobInputType: 'uri_file', uri: `azureml://datastores/${datastore}/paths/in.txt` } },
});
const copies = (datastore: string): JsonObject => ({
  ...input(datastore),
  outputs: { to: { jobOutputType: 'uri_folder', uri: 'azureml://datastores/workspaceblobstore/paths/out/' } },
  command: 'cp "${{inputs.from}}" "${{outputs.to}}/copied.txt"',
  properties: {},
});

async function datastore(name: string, credentials: JsonObject): Promise<void> {
  const { body } = await workspace.azure.arm('GET', `${workspace.id}/datastores/workspaceblobstore`);
  const { accountName, containerName } = properties(body);
  await workspace.azure.put(`${workspace.id}/datastores/${name}`, {
    properties: {
      datastoreType: 'AzureBlob',
      accountName: accountName ?? null,
      containerName: containerName ?? null,
      credentials,
    },
  });
}

async function reasonOf(name: string): Promise<string> {
  const { error } = (await workspace.details(name)) as { error: { error: { message: string } } };
  return error.error.message;
}

async function rotate(): Promise<void> {
  for (const keyName of ['key1', 'key2'])
    await workspace.azure.arm('POST', `${account}/regenerateKey?api-version=2023-05-01`, { keyName });
}

async function signature(): Promise<string> {
  const { body } = await workspace.azure.arm('POST', `${account}/listAccountSas?api-version=2023-05-01`, {
    signedServices: 'b',
    signedResourceTypes: 'sco',
    signedPermission: 'rlw',
    signedExpiry: new Date(Date.now() + 3_600_000).toISOString(),
  });
  return text(body.accountSasToken);
}

describe('a job whose storage refuses it', () => {
  it('copies an input into an output, where that is all it does, on any compute', async () => {
    expect(await lives('copies', copies('workspaceblobstore'))).toBe('Completed');
    expect(await workspace.read('out/copied.txt')).toBe('carried');
    expect(
      await lives('nothing', {
        ...copies('workspaceblobstore'),
        inputs: {
          from: { jobInputType: 'uri_file', uri: 'azureml://datastores/workspaceblobstore/paths/no.txt' },
        },
      }),
    ).toBe('Failed');
    expect(await reasonOf('nothing')).toContain('There is no file at');
  });

  it('fails with a key of before, though it lives by the clock, until it is renewed', async () => {
    const { body } = await workspace.azure.arm('POST', `${account}/listKeys?api-version=2023-05-01`);
    const [first] = body.keys as JsonObject[];
    await datastore('keyed', {
      credentialsType: 'AccountKey',
      secrets: { secretsType: 'AccountKey', key: first?.value ?? null },
    });
    expect(await lives('before', input('keyed'))).toBe('Completed');
    await rotate();
    expect(await lives('refused', {})).toBe('Failed');
    expect(await reasonOf('refused')).toContain("'workspaceartifactstore' cannot reach");
    expect(await lives('copy-refused', copies('workspaceblobstore'))).toBe('Failed');
    await workspace.azure.settle(await workspace.azure.arm('POST', `${workspace.id}/resyncKeys`));
    expect(await lives('after', input('workspaceblobstore'))).toBe('Completed');
    // A datastore that a person made is theirs to renew.
    expect(await lives('still', input('keyed'))).toBe('Failed');
    expect(await reasonOf('still')).toContain("'keyed' cannot reach");
  });

  it('fails with a signature of before', async () => {
    const secrets = { secretsType: 'Sas', sasToken: await signature() };
    await datastore('signed', { credentialsType: 'Sas', secrets });
    expect(await lives('signed-1', input('signed'))).toBe('Completed');
    await rotate();
    await workspace.azure.settle(await workspace.azure.arm('POST', `${workspace.id}/resyncKeys`));
    expect(await lives('signed-2', input('signed'))).toBe('Failed');
    expect(await reasonOf('signed-2')).toContain('AuthenticationFailed');
    const shown = await workspace.azure.arm('POST', `${workspace.id}/datastores/signed/listSecrets`, {});
    expect(shown.body).toEqual(secrets);
  });

  it('fails without a role, where the datastore holds no secret', async () => {
    await datastore('unkeyed', { credentialsType: 'None' });
    expect(await lives('unkeyed-1', input('unkeyed'))).toBe('Failed');
    expect(await reasonOf('unkeyed-1')).toContain('AuthorizationPermissionMismatch');
    expect(await lives('by-user', { ...input('unkeyed'), identity: { identityType: 'UserIdentity' } })).toBe(
      'Completed',
    );
    const { body } = await workspace.azure.arm('GET', workspace.id);
    const { principalId } = body.identity as { principalId: string };
    const at = `${account}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000009`;
    await workspace.azure.put(`${at}?api-version=2022-04-01`, {
      properties: {
        roleDefinitionId: `/subscriptions/${account.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/${reader}`,
        principalId,
        principalType: 'ServicePrincipal',
      },
    });
    workspace.azure.running.clock.advance(10_000);
    expect(await lives('unkeyed-2', input('unkeyed'))).toBe('Completed');
  });

  it('is born with the file shares of its datastores', async () => {
    const { body } = await workspace.azure.arm('GET', `${account}/fileServices/default/shares?api-version=2023-05-01`);
    const names = (body.value as { name: string }[]).map(({ name }) => name.replace(/-[0-9a-f]{8}-.*/, ''));
    expect(names.toSorted()).toEqual(['azureml-filestore', 'code']);
  });
});
