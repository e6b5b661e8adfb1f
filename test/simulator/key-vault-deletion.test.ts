import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { assign, codeOf, messageOf } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2023-07-01';
const DAY_MS = 86_400_000;
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ roleDelaySeconds: 0 });
  group = await cloud.group('deleted-vaults', 'westus3');
}, 60_000);
afterAll(() => cloud.stop());

const idOf = (name: string, at = group): string => `${at}/providers/Microsoft.KeyVault/vaults/${name}`;
function put(name: string, properties: JsonObject = {}, at = group): Promise<HttpAnswer> {
  const body = {
    location: 'westus3',
    properties: {
      tenantId: cloud.at.address.tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
      ...properties,
    },
  };
  return cloud.arm(`${idOf(name, at)}?${API}`, { method: 'PUT', body });
}
async function make(name: string, properties: JsonObject = {}): Promise<string> {
  const answer = await put(name, properties);
  if (answer.status >= 400) throw new Error(answer.text);
  await cloud.ended(answer);
  const { json } = await cloud.arm(`${idOf(name)}?${API}`);
  return (json.properties as { vaultUri: string }).vaultUri;
}
const remove = (name: string): Promise<HttpAnswer> => cloud.arm(`${idOf(name)}?${API}`, { method: 'DELETE' });
const deleted = (name: string): string =>
  `${cloud.subscription}/providers/Microsoft.KeyVault/locations/westus3/deletedVaults/${name}`;
const purge = (name: string): Promise<HttpAnswer> => cloud.arm(`${deleted(name)}/purge?${API}`, { method: 'POST' });
async function secret(method: string, url: string, body?: JsonObject): Promise<HttpAnswer> {
  const authorization = `Bearer ${await cloud.token('https://vault.azure.net')}`;
  return cloud.ask(`${url}?api-version=7.4`, {
    method,
    headers: { authorization },
    ...(body ? { body } : {}),
  });
}

describe('a deleted vault', () => {
  it('comes back with its secrets and its settings, and without its role assignments', async () => {
    const uri = await make('kv-back', { softDeleteRetentionInDays: 30 });
    await secret('PUT', `${uri}secrets/kept`, { value: 'one' });
    await secret('PUT', `${uri}secrets/kept`, { value: 'two' });
    await secret('PUT', `${uri}secrets/gone`, { value: 'x' });
    await secret('DELETE', `${uri}secrets/gone`);
    const { clientId, tenantId } = cloud.at.address;
    const { objectId = '' } = cloud.at.directory.principal(clientId) ?? {};
    const role = await assign(cloud, { objectId, clientId, tenantId }, 'Reader', idOf('kv-back'));
    await remove('kv-back');
    expect((await cloud.arm(`${idOf('kv-back')}?${API}`)).status).toBe(404);

    const elsewhere = await cloud.group('elsewhere', 'westus3');
    expect(codeOf(await put('kv-back', { createMode: 'recover' }, elsewhere))).toBe('ConflictError');
    await cloud.ended(await put('kv-back', { createMode: 'recover' }));
    const { properties } = (await cloud.arm(`${idOf('kv-back')}?${API}`)).json as { properties: JsonObject };
    expect(properties).toMatchObject({ softDeleteRetentionInDays: 30, vaultUri: uri });
    expect(properties).not.toHaveProperty('createMode');
    expect((await secret('GET', `${uri}secrets/kept`)).json.value).toBe('two');
    expect((await secret('GET', `${uri}secrets/kept/versions`)).json.value).toHaveLength(2);
    expect((await secret('GET', `${uri}deletedsecrets/gone`)).status).toBe(200);
    expect((await cloud.arm(`${role}?${API}`)).status).toBe(404);
    expect((await cloud.arm(`${deleted('kv-back')}?${API}`)).status).toBe(404);
    expect(codeOf(await put('kv-never', { createMode: 'recover' }))).toBe('DeletedVaultNotFound');
  });

  it('comes back with its group, too, and is forgotten when its days are over', async () => {
    const other = await cloud.group('short-lived', 'westus3');
    const made = await put('kv-days', { softDeleteRetentionInDays: 7 }, other);
    await cloud.ended(made);
    await cloud.ended(await cloud.arm(`${other}?${API}`, { method: 'DELETE' }));
    const names = async (): Promise<unknown[]> => {
      const { json } = await cloud.arm(`${cloud.subscription}/providers/Microsoft.KeyVault/deletedVaults?${API}`);
      return (json.value as JsonObject[]).map(({ name }) => name);
    };
    expect(await names()).toContain('kv-days');
    expect(codeOf(await put('kv-days'))).toBe('ConflictError');
    cloud.at.clock.advance(7 * DAY_MS);
    expect(await names()).not.toContain('kv-days');
    expect((await put('kv-days')).status).toBe(200);
  });

  it('with purge protection is not purged, and frees its name when its days are over', async () => {
    await make('kv-held', { enablePurgeProtection: true, softDeleteRetentionInDays: 10 });
    await remove('kv-held');
    const refused = await purge('kv-held');
    expect(codeOf(refused)).toBe('MethodNotAllowed');
    expect(messageOf(refused)).toContain("Operation 'DeletedVaultPurge' is not allowed");
    expect((await cloud.arm(`${deleted('kv-held')}?${API}`)).json.properties).toMatchObject({
      purgeProtectionEnabled: true,
    });
    cloud.at.clock.advance(10 * DAY_MS);
    expect(codeOf(await purge('kv-held'))).toBe('DeletedVaultNotFound');
  });
});

describe('what holds deleted vaults', () => {
  it('is set once, and never loosened', async () => {
    const uri = await make('kv-firm', { enablePurgeProtection: true, softDeleteRetentionInDays: 20 });
    const message = async (properties: JsonObject, name = 'kv-firm'): Promise<string> => {
      const answer = await put(name, properties);
      expect([answer.status, codeOf(answer)]).toEqual([400, 'BadRequest']);
      return messageOf(answer);
    };
    expect(await message({ enablePurgeProtection: false })).toContain('irreversible action');
    expect(await message({ enablePurgeProtection: false }, 'kv-new')).toContain('enablePurgeProtection');
    expect(await message({ enableSoftDelete: false })).toContain('enableSoftDelete');
    expect(await message({ softDeleteRetentionInDays: 30 })).toContain("can't be modified");
    expect(await message({ softDeleteRetentionInDays: 6 }, 'kv-new')).toContain('from 7 to 90');
    // A body that says nothing of it leaves it on.
    await cloud.ended(await put('kv-firm'));
    expect((await cloud.arm(`${idOf('kv-firm')}?${API}`)).json.properties).toMatchObject({
      enablePurgeProtection: true,
      softDeleteRetentionInDays: 20,
    });

    const set = (await secret('PUT', `${uri}secrets/s`, { value: 'x' })).json;
    expect(set.attributes).toMatchObject({ recoveryLevel: 'CustomizedRecoverable', recoverableDays: 20 });
    const gone = (await secret('DELETE', `${uri}secrets/s`)).json as {
      deletedDate: number;
      scheduledPurgeDate: number;
    };
    expect(gone.scheduledPurgeDate - gone.deletedDate).toBe((20 * DAY_MS) / 1000);
    expect((await secret('DELETE', `${uri}deletedsecrets/s`)).status).toBe(403);
    expect((await secret('GET', `${uri}deletedsecrets/s`)).status).toBe(200);
    cloud.at.clock.advance(20 * DAY_MS);
    expect((await secret('GET', `${uri}deletedsecrets/s`)).status).toBe(404);
    expect((await secret('PUT', `${uri}secrets/s`, { value: 'y' })).status).toBe(200);
  });
});
