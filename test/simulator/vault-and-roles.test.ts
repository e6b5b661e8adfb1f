import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2024-04-01';
const VAULT_API = 'api-version=7.4';
const AUDIENCE = 'https://vault.azure.net';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('vaults', 'westus3');
}, 60_000);
afterAll(() => cloud.stop());

async function vault(
  name: string,
  properties: JsonObject = {},
): Promise<{
  id: string;
  uri: string;
  ask: (method: string, path: string, body?: JsonObject) => Promise<HttpAnswer>;
}> {
  const id = `${group}/providers/Microsoft.KeyVault/vaults/${name}`;
  const made = await cloud.make(id, {
    location: 'westus3',
    properties: {
      tenantId: cloud.at.address.tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
      ...properties,
    },
  });
  const uri = (made.properties as { vaultUri: string }).vaultUri;
  const token = await cloud.token(AUDIENCE);
  const ask = (method: string, path: string, body?: JsonObject): Promise<HttpAnswer> =>
    cloud.ask(`${uri}${path}${path.includes('?') ? '&' : '?'}${VAULT_API}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body ? { body } : {}),
    });
  return { id, uri, ask };
}

describe('a key vault', () => {
  it('keeps secrets by version, behind tokens for vaults', async () => {
    const { uri, ask } = await vault('kv-versions');
    const first = (await ask('PUT', 'secrets/escrow', { value: 'one', tags: { from: 'east' } })).json;
    const second = (await ask('PUT', 'secrets/escrow', { value: 'two' })).json;
    expect((await ask('GET', 'secrets/escrow')).json).toMatchObject({ value: 'two', id: second.id });
    const old = (first.id as string).slice(uri.length);
    expect((await ask('GET', old)).json).toMatchObject({ value: 'one', tags: { from: 'east' } });
    const versions = (await ask('GET', 'secrets/escrow/versions')).json.value as JsonObject[];
    expect(versions.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(JSON.stringify(versions)).not.toContain('"one"');
    expect((await ask('PATCH', 'secrets/escrow', { attributes: { enabled: false } })).status).toBe(200);
    expect((await ask('GET', 'secrets/escrow')).status).toBe(403);

    const arm = await cloud.ask(`${uri}secrets/escrow?${VAULT_API}`, {
      headers: { authorization: `Bearer ${await cloud.token()}` },
    });
    expect(arm.status).toBe(401);
    expect(arm.headers['www-authenticate']).toContain(`resource="${AUDIENCE}"`);
  });

  it('pages its list, deletes softly, recovers and purges', async () => {
    const { ask, uri } = await vault('kv-soft');
    for (let i = 0; i < 30; i += 1) await ask('PUT', `secrets/s${i}`, { value: String(i) });
    const first = (await ask('GET', 'secrets')).json;
    expect(first.value).toHaveLength(25);
    const rest = (
      await ask(
        'GET',
        (first.nextLink as string).slice(uri.length).replace(`&${VAULT_API}`, '').replace(`${VAULT_API}&`, ''),
      )
    ).json;
    expect(rest.value).toHaveLength(5);
    expect((await ask('DELETE', 'secrets/s1')).json).toMatchObject({ recoveryId: `${uri}deletedsecrets/s1` });
    expect((await ask('GET', 'secrets/s1')).status).toBe(404);
    expect((await ask('PUT', 'secrets/s1', { value: 'x' })).status).toBe(409);
    expect((await ask('POST', 'deletedsecrets/s1/recover')).status).toBe(200);
    expect((await ask('GET', 'secrets/s1')).json.value).toBe('1');
    await ask('DELETE', 'secrets/s1');
    expect((await ask('DELETE', 'deletedsecrets/s1')).status).toBe(204);
    expect((await ask('PUT', 'secrets/s1', { value: 'new' })).status).toBe(200);
  });

  it('blocks its name after deletion until it is purged, or for good with purge protection', async () => {
    const { id } = await vault('kv-name');
    await cloud.arm(`${id}?${API}`, { method: 'DELETE' }).then((answer) => cloud.ended(answer));
    const put = {
      method: 'PUT',
      body: {
        location: 'westus3',
        properties: { tenantId: cloud.at.address.tenantId, sku: { family: 'A', name: 'standard' } },
      },
    };
    expect((await cloud.arm(`${id}?${API}`, put)).json).toMatchObject({ error: { code: 'ConflictError' } });
    const deleted = `${cloud.subscription}/providers/Microsoft.KeyVault/locations/westus3/deletedVaults/kv-name`;
    expect((await cloud.arm(`${deleted}?${API}`)).json.properties).toMatchObject({ vaultId: id });
    expect((await cloud.arm(`${deleted}/purge?${API}`, { method: 'POST' })).status).toBe(200);
    expect((await cloud.arm(`${id}?${API}`, put)).status).toBe(200);

    const held = await vault('kv-protected', { enablePurgeProtection: true });
    await cloud.arm(`${held.id}?${API}`, { method: 'DELETE' }).then((answer) => cloud.ended(answer));
    const purge = await cloud.arm(`${deleted.replace('kv-name', 'kv-protected')}/purge?${API}`, {
      method: 'POST',
    });
    expect(purge.status).toBe(400);
  });

  it('never shows by management what a template put into it', async () => {
    const { id, ask } = await vault('kv-template');
    await cloud.make(`${id}/secrets/planted`, { properties: { value: 'canary-9' } });
    expect((await cloud.arm(`${id}/secrets/planted?${API}`)).text).not.toContain('canary-9');
    expect((await ask('GET', 'secrets/planted')).json.value).toBe('canary-9');
  });
});

describe('role assignments', () => {
  const READER = 'acdd72a7-3385-48ef-bd42-f606fba81ae7';
  const role = (id: string): string => `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
  const assignment = (scope: string, name: string): string =>
    `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;

  it('stand at any scope and are listed from there', async () => {
    const { id: vaultId } = await vault('kv-roles');
    const principalId = randomUUID();
    const body = {
      properties: { roleDefinitionId: role(READER), principalId, principalType: 'ServicePrincipal' },
    };
    const [onGroup, onVault] = [randomUUID(), randomUUID()];
    expect((await cloud.arm(`${assignment(group, onGroup)}?${API}`, { method: 'PUT', body })).status).toBe(201);
    const second = await cloud.arm(`${assignment(vaultId, onVault)}?${API}`, { method: 'PUT', body });
    expect(second.json.properties).toMatchObject({ scope: vaultId, principalId });
    const list = async (scope: string, filter = ''): Promise<string[]> => {
      const { json } = await cloud.arm(
        `${scope}/providers/Microsoft.Authorization/roleAssignments?${API}${filter && `&$filter=${encodeURIComponent(filter)}`}`,
      );
      // The owner's own come with every list.
      const made = (json.value as { name: string; properties: JsonObject }[]).filter(
        ({ properties }) => properties.principalId === principalId,
      );
      return made.map(({ name }) => name).sort();
    };
    expect(await list(vaultId)).toEqual([onGroup, onVault].sort());
    expect(await list(group, `principalId eq '${principalId}'`)).toEqual([onGroup, onVault].sort());
    expect(await list(group, 'atScope()')).toEqual([onGroup]);
    expect(await list(group, `principalId eq '${randomUUID()}'`)).toEqual([]);
    const twice = await cloud.arm(`${assignment(group, randomUUID())}?${API}`, { method: 'PUT', body });
    expect([twice.status, twice.json]).toMatchObject([409, { error: { code: 'RoleAssignmentExists' } }]);
    expect((await cloud.arm(`${assignment(group, onGroup)}?${API}`, { method: 'PUT', body })).status).toBe(200);
    expect((await cloud.arm(`${assignment(group, onGroup)}?${API}`, { method: 'DELETE' })).status).toBe(200);
    expect(await list(group, 'atScope()')).toEqual([]);
  });

  it('need a guid for a name, a role that exists, and a principal', async () => {
    const code = async (name: string, properties: JsonObject): Promise<unknown> =>
      (
        (await cloud.arm(`${assignment(group, name)}?${API}`, { method: 'PUT', body: { properties } })).json
          .error as JsonObject
      ).code;
    const principalId = randomUUID();
    expect(await code('mine', { roleDefinitionId: role(READER), principalId })).toBe('InvalidRoleAssignmentId');
    expect(await code(randomUUID(), { roleDefinitionId: role(randomUUID()), principalId })).toBe(
      'RoleDefinitionDoesNotExist',
    );
    expect(await code(randomUUID(), { roleDefinitionId: role(READER), principalId: 'me' })).toBe('InvalidPrincipalId');
  });

  it('have built-in roles to be found by name', async () => {
    const filter = encodeURIComponent("roleName eq 'Storage Blob Data Contributor'");
    const { json } = await cloud.arm(
      `${group}/providers/Microsoft.Authorization/roleDefinitions?${API}&$filter=${filter}`,
    );
    expect((json.value as JsonObject[]).map(({ name }) => name)).toEqual(['ba92f5b4-2d11-453d-a403-e96b0029c9fe']);
    expect((await cloud.arm(`${role(READER)}?${API}`)).json.properties).toMatchObject({ roleName: 'Reader' });
  });
});
