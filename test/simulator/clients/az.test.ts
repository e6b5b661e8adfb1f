import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { text } from '../machinelearning/fixture.ts';
import { findClient } from './find-clients.ts';
import { startPythonCloud, type PythonCloud } from './python-cloud.ts';

const client = findClient('az');
const template = fileURLToPath(new URL('../../../templates/control-store.json', import.meta.url));
/** Each az is a Python program of its own: half a second to start, seconds on a busy machine. */
const SEVERAL_MS = 180_000;
const START_MS = 180_000;

describe.skipIf(client === undefined)('az', () => {
  let cloud: PythonCloud;
  beforeAll(async () => {
    cloud = await startPythonCloud();
    const { arm, clientId, clientSecret, tenantId } = cloud.fixture.running.address;
    await az('cloud', 'register', '--name', 'Local', '--endpoint-resource-manager', arm);
    await az('cloud', 'set', '--name', 'Local');
    // One word: about one secret in 64 begins with a hyphen, which az would take for an option of its own.
    const as = ['--username', clientId, `--password=${clientSecret}`, '--tenant', tenantId];
    await az('login', '--service-principal', ...as);
  }, START_MS);
  afterAll(() => cloud.close());

  /** What the command prints, as JSON; null if it prints nothing. */
  async function az(...args: string[]): Promise<Json> {
    const output = await cloud.run(client?.program ?? '', [...args, '--output', 'json', '--only-show-errors']);
    return output.trim() === '' ? null : (JSON.parse(output) as Json);
  }

  it(
    'knows the cloud and its groups and resources',
    async () => {
      const { subscriptionId, arm } = cloud.fixture.running.address;
      const { port } = new URL(arm);
      expect(await az('cloud', 'show', '--query', 'suffixes.[storageEndpoint, keyvaultDns]')).toEqual([
        `core.localhost:${port}`,
        `.vault.localhost:${port}`,
      ]);
      expect(await az('account', 'show', '--query', 'id')).toBe(subscriptionId);
      expect(await az('group', 'list', '--query', '[].name')).toEqual(['ml-eastus']);
      expect(await az('group', 'exists', '--name', 'nowhere')).toBe(false);
      const types = (await az('resource', 'list', '--resource-group', 'ml-eastus', '--query', '[].type')) as string[];
      expect(types).toContain('Microsoft.MachineLearningServices/workspaces');
      const path = `${cloud.workspaceId}/datastores?api-version=2024-04-01`;
      expect(await az('rest', '--url', path, '--query', 'length(value)')).toBe(4);
    },
    SEVERAL_MS,
  );

  it(
    'validates, foresees, makes and lists a deployment, and deletes its group',
    async () => {
      await az('group', 'create', '--name', 'tried', '--location', 'eastus', '--tags', 'team=a');
      const named = ['--resource-group', 'tried', '--name', 'first'];
      const what = [...named, '--template-file', template, '--parameters', 'storageAccountName=triedcontrol'];
      expect(state(await az('deployment', 'group', 'validate', ...what))).toBe('Succeeded');
      const foreseen = await changes(what);
      expect(new Set(foreseen)).toEqual(new Set(['Create']));
      expect(state(await az('deployment', 'group', 'create', ...what))).toBe('Succeeded');
      expect(new Set(await changes(what))).toEqual(new Set(['NoChange']));
      const listed = ['deployment', 'group', 'list', '--resource-group', 'tried', '--query', '[].name'];
      expect(await az(...listed)).toEqual(['first']);
      expect(await az('deployment', 'sub', 'list', '--query', '[].name')).toEqual([]);
      const operations = (await az('deployment', 'operation', 'group', 'list', ...named)) as JsonObject[];
      // One more than there are changes: the outputs.
      expect(operations).toHaveLength(foreseen.length + 1);
      const exported = (await az('deployment', 'group', 'export', ...named)) as JsonObject;
      expect(Object.keys(exported.resources as JsonObject)).not.toHaveLength(0);
      await az('group', 'delete', '--name', 'tried', '--yes');
      expect(await az('group', 'exists', '--name', 'tried')).toBe(false);
    },
    SEVERAL_MS,
  );

  it(
    'exports a group, merges tags and knows types that no row describes',
    async () => {
      const made = (await az('group', 'create', '--name', 'other', '--location', 'eastus')) as JsonObject;
      const properties = JSON.stringify({ addressSpace: { addressPrefixes: ['10.0.0.0/16'] } });
      const type = ['--resource-type', 'Microsoft.Network/ipGroups', '--name', 'few'];
      await az('resource', 'create', '--resource-group', 'other', ...type, '--properties', properties);
      const exported = (await az('group', 'export', '--name', 'other')) as JsonObject;
      expect(exported.resources).toMatchObject([{ type: 'Microsoft.Network/ipGroups' }]);
      const tag = ['tag', 'update', '--resource-id', text(made.id), '--operation', 'Merge', '--tags', 'a=b'];
      expect(await az(...tag, '--query', 'properties.tags')).toEqual({ a: 'b' });
      const provider = ['provider', 'show', '--namespace', 'Microsoft.Batch'];
      expect(await az(...provider, '--query', 'registrationState')).toBe('Registered');
    },
    SEVERAL_MS,
  );

  it(
    'says what Azure says of a template that is wrong',
    async () => {
      const file = join(cloud.folder, 'wrong.json');
      writeFileSync(
        file,
        JSON.stringify({
          $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
          contentVersion: '1.0.0.0',
          resources: [],
          outputs: { a: { type: 'string', value: "[nothing('x')]" } },
        }),
      );
      const what = ['--resource-group', 'ml-eastus', '--name', 'wrong', '--template-file', file];
      await expect(az('deployment', 'group', 'validate', ...what)).rejects.toThrow(/InvalidTemplate[\s\S]*nothing/);
    },
    SEVERAL_MS,
  );

  it(
    'reads and writes blobs, by key, by SAS and by token, and secrets',
    async () => {
      const [account, vault] = await dependencies();
      const key = (await az(
        'storage',
        'account',
        'keys',
        'list',
        '--account-name',
        account,
        '--query',
        '[0].value',
      )) as string;
      const place = ['--account-name', account, '--container-name', 'box'];
      const byKey = [...place, '--account-key', key];
      await az('storage', 'container', 'create', '--account-name', account, '--name', 'box', '--account-key', key);
      writeFileSync(join(cloud.folder, 'note.txt'), 'a note');
      await az('storage', 'blob', 'upload', ...byKey, '--name', 'note.txt', '--file', join(cloud.folder, 'note.txt'));
      const listed = ['storage', 'blob', 'list', '--query', '[].[name, properties.contentLength]'];
      for (const how of [byKey, [...place, '--auth-mode', 'login'], [...place, '--sas-token', await sas(account, key)]])
        expect(await az(...listed, ...how)).toEqual([['note.txt', 6]]);
      const { arm } = cloud.fixture.running.address;
      const secret = ['keyvault', 'secret'];
      await az(...secret, 'set', '--vault-name', vault, '--name', 'pass', '--value', 'word');
      expect(await az(...secret, 'show', '--vault-name', vault, '--name', 'pass', '--query', 'value')).toBe('word');
      expect(await az(...secret, 'list', '--vault-name', vault, '--query', '[].id')).toEqual([
        `https://${vault}.vault.localhost:${new URL(arm).port}/secrets/pass`,
      ]);
    },
    SEVERAL_MS,
  );

  it(
    'makes a role, assigns it and takes it back, locks a group, and brings a deleted vault back',
    async () => {
      const { subscriptionId } = cloud.fixture.running.address;
      const scope = `/subscriptions/${subscriptionId}`;
      const definition = {
        Name: 'Group reader',
        Description: 'Reads groups.',
        Actions: ['Microsoft.Resources/subscriptions/resourceGroups/read'],
        AssignableScopes: [scope],
      };
      const file = join(cloud.folder, 'role.json');
      writeFileSync(file, JSON.stringify(definition));
      const role = ['role', 'definition'];
      await az(...role, 'create', '--role-definition', file);
      const who = ['--assignee-object-id', randomUUID(), '--assignee-principal-type', 'ServicePrincipal'];
      const made = (await az(
        'role',
        'assignment',
        'create',
        ...who,
        '--role',
        'Group reader',
        '--scope',
        scope,
      )) as JsonObject;
      await az('role', 'assignment', 'delete', '--ids', text(made.id));
      await az(...role, 'delete', '--name', 'Group reader');
      const custom = await az(...role, 'list', '--custom-role-only', 'true', '--query', '[].name');
      expect(custom).toEqual([]);

      await az('group', 'create', '--name', 'held', '--location', 'eastus');
      const vault = ['--name', `held-${subscriptionId.slice(0, 8)}`];
      await az('keyvault', 'create', ...vault, '--resource-group', 'held', '--location', 'eastus');
      const held = ['--name', 'hold', '--resource-group', 'held'];
      await az('lock', 'create', ...held, '--lock-type', 'CanNotDelete');
      await expect(az('keyvault', 'delete', ...vault)).rejects.toThrow(/ScopeLocked/);
      await az('lock', 'delete', ...held);
      await az('keyvault', 'delete', ...vault);
      expect(await az('keyvault', 'list-deleted', '--query', '[].name')).toEqual([vault[1]]);
      await az('keyvault', 'recover', ...vault);
      expect(await az('keyvault', 'list', '--resource-group', 'held', '--query', '[].name')).toEqual([vault[1]]);
      const sizes = ['vm', 'list-skus', '--location', 'westus3', '--size', 'Standard_NC6s', '--query', '[].name'];
      expect(await az(...sizes)).toEqual(['Standard_NC6s_v3']);
    },
    SEVERAL_MS,
  );

  async function changes(what: string[]): Promise<string[]> {
    const foreseen = await az('deployment', 'group', 'what-if', ...what, '--no-pretty-print');
    return ((foreseen as JsonObject).changes as JsonObject[]).map(({ changeType }) => text(changeType));
  }

  /** The names of the workspace's storage account and vault. */
  async function dependencies(): Promise<[string, string]> {
    const { properties } = (await cloud.fixture.arm('GET', cloud.workspaceId)).body as {
      properties: JsonObject;
    };
    const nameOf = (id: Json | undefined): string => text(id).split('/').at(-1) ?? '';
    return [nameOf(properties.storageAccount), nameOf(properties.keyVault)];
  }

  async function sas(account: string, key: string): Promise<string> {
    const expiry = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16) + 'Z';
    const to = [
      '--account-name',
      account,
      '--account-key',
      key,
      '--name',
      'box',
      '--permissions',
      'rl',
      '--expiry',
      expiry,
    ];
    return (await az('storage', 'container', 'generate-sas', ...to)) as string;
  }
});

function state(deployment: Json): Json | undefined {
  return ((deployment as JsonObject).properties as JsonObject).provisioningState;
}
