import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { codeOf, messageOf } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2023-07-01';
let cloud: TestCloud;
let group: string;
let vault: string;
let uri: string;
let token: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ roleDelaySeconds: 0 });
  group = await cloud.group('vaults', 'eastus');
  vault = vaultId('secrets-of-tests');
  const made = await cloud.make(vault, body({ enableRbacAuthorization: true, softDeleteRetentionInDays: 7 }));
  uri = (made.properties as { vaultUri: string }).vaultUri;
  token = await cloud.token('https://vault.azure.net');
}, 60_000);
afterAll(() => cloud.stop());

const vaultId = (name: string): string => `${group}/providers/Microsoft.KeyVault/vaults/${name}`;
const body = (properties: JsonObject): JsonObject => ({
  location: 'eastus',
  properties: {
    tenantId: cloud.at.address.tenantId,
    sku: { family: 'A', name: 'standard' },
    accessPolicies: [],
    ...properties,
  },
});
const put = (id: string, sent: Json): Promise<HttpAnswer> => cloud.arm(`${id}?${API}`, { method: 'PUT', body: sent });
const ask = (method: string, path: string, sent?: Json): Promise<HttpAnswer> =>
  cloud.ask(`${uri}${path}${path.includes('?') ? '&' : '?'}api-version=7.4`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(sent === undefined ? {} : { body: sent }),
  });
const innerOf = ({ json }: HttpAnswer): unknown =>
  (json.error as { innererror?: { code: string } } | undefined)?.innererror?.code;

describe('a vault', () => {
  it('is refused with what it cannot be set to', async () => {
    const policy = (more: JsonObject): Json => [
      { tenantId: cloud.at.address.tenantId, objectId: cloud.at.address.tenantId, permissions: {}, ...more },
    ];
    const wrong: [string, JsonObject][] = [
      ['sku', { sku: null }],
      ['sku', { sku: [] }],
      ['networkAcls', { networkAcls: 'none' }],
      ['sku.name', { sku: { family: 'A', name: 'gold' } }],
      ['sku.family', { sku: { family: 'B', name: 'standard' } }],
      ['tenantId', { tenantId: 'contoso' }],
      ['createMode', { createMode: 'again' }],
      ['enableRbacAuthorization', { enableRbacAuthorization: 'true' }],
      ['publicNetworkAccess', { publicNetworkAccess: 'sometimes' }],
      ['networkAcls.defaultAction', { networkAcls: { defaultAction: 'Maybe' } }],
      ['networkAcls.ipRules.value', { networkAcls: { ipRules: [{ value: 'here' }] } }],
      ['accessPolicies[0].tenantId', { accessPolicies: policy({ tenantId: null }) }],
      ['accessPolicies[0].objectId', { accessPolicies: policy({ objectId: 'me' }) }],
      ['accessPolicies[0].permissions.secrets', { accessPolicies: policy({ permissions: { secrets: ['fly'] } }) }],
      ['accessPolicies[0].permissions', { accessPolicies: policy({ permissions: { secretz: ['get'] } }) }],
    ];
    for (const [place, properties] of wrong) {
      const refused = await put(vaultId('wrong-settings'), body(properties));
      expect([refused.status, codeOf(refused)]).toEqual([400, 'BadRequest']);
      expect(messageOf(refused)).toContain(`'${place}'`);
    }
    const named = await cloud.arm(`${cloud.subscription}/providers/Microsoft.KeyVault/checkNameAvailability?${API}`, {
      method: 'POST',
      body: { name: 'a--b', type: 'Microsoft.KeyVault/vaults' },
    });
    expect(named.json).toMatchObject({ nameAvailable: false, reason: 'AccountNameInvalid' });
  });
});

describe('a secret', () => {
  it('that a template sets again is a new version of the one that is there', async () => {
    await ask('PUT', 'secrets/both', { value: 'by hand' });
    const set = await put(`${vault}/secrets/both`, {
      properties: { value: 'by template', contentType: 'text', attributes: { exp: 4_000_000_000 } },
      tags: { of: 'template' },
    });
    expect(set.status).toBe(200);
    expect(set.text).not.toContain('by template');
    const read = (await ask('GET', 'secrets/both')).json;
    expect(read).toMatchObject({
      value: 'by template',
      contentType: 'text',
      tags: { of: 'template' },
      attributes: { enabled: true, exp: 4_000_000_000, recoveryLevel: 'CustomizedRecoverable+Purgeable' },
    });
    expect((set.json.properties as JsonObject).secretUriWithVersion).toBe(read.id);
    expect((await ask('GET', 'secrets/both/versions')).json.value).toHaveLength(2);

    await cloud.arm(`${vault}/secrets/both?${API}`, {
      method: 'PATCH',
      body: { properties: { attributes: { enabled: false } } },
    });
    expect((await ask('GET', 'secrets/both/versions')).json.value).toHaveLength(2);
    const disabled = await ask('GET', 'secrets/both');
    expect([disabled.status, codeOf(disabled), innerOf(disabled)]).toEqual([403, 'Forbidden', 'SecretDisabled']);
  });

  it('is shown by management whoever made it, and deleted by its data plane alone', async () => {
    await ask('PUT', 'secrets/by-hand', { value: 'x' });
    const shown = (await cloud.arm(`${vault}/secrets/by-hand?${API}`)).json;
    expect(shown).toMatchObject({
      location: 'eastus',
      properties: { attributes: { enabled: true }, secretUri: `${uri}secrets/by-hand` },
    });
    expect((await cloud.arm(`${vault}/secrets/by-hand?${API}`, { method: 'DELETE' })).status).toBe(405);
  });

  it('is refused with what it cannot be', async () => {
    const wrong: [string, Json][] = [
      ['secrets/under_score', { value: 'x' }],
      ['secrets/none', {}],
      ['secrets/number', { value: 5 }],
      ['secrets/long', { value: 'x'.repeat(25 * 1024 + 1) }],
      ['secrets/times', { value: 'x', attributes: { exp: 'tomorrow' } }],
      ['secrets/flags', { value: 'x', attributes: { enabled: 'no' } }],
      ['secrets/tags', { value: 'x', tags: { a: 1 } }],
    ];
    for (const [path, sent] of wrong) {
      const refused = await ask('PUT', path, sent);
      expect([path, refused.status, codeOf(refused)]).toEqual([path, 400, 'BadParameter']);
    }
    const named = await put(`${vault}/secrets/under_score`, { properties: { value: 'x' } });
    expect(named.status).toBe(400);
    expect((await put(`${vault}/secrets/valueless`, { properties: {} })).status).toBe(400);
  });

  it('that is deleted keeps its name from the data plane and from templates', async () => {
    await ask('PUT', 'secrets/gone', { value: 'x' });
    await ask('DELETE', 'secrets/gone');
    const refused = await ask('PUT', 'secrets/gone', { value: 'y' });
    expect([refused.status, codeOf(refused), innerOf(refused)]).toEqual([
      409,
      'Conflict',
      'ObjectIsDeletedButRecoverable',
    ]);
    expect(codeOf(await put(`${vault}/secrets/gone`, { properties: { value: 'y' } }))).toBe('Conflict');
  });

  it('lists its versions in pages, and gives each by its own address', async () => {
    await ask('PUT', 'secrets/paged', { value: 'one' });
    await ask('PUT', 'secrets/paged', { value: 'two' });
    const first = (await ask('GET', 'secrets/paged/versions?maxresults=1')).json;
    const [one] = first.value as { id: string }[];
    expect(first.value).toHaveLength(1);
    expect(first.nextLink).toContain('secrets/paged/versions?');
    const version = one?.id.slice((one?.id.lastIndexOf('/') ?? 0) + 1);
    expect((await ask('GET', `secrets/paged/${version}`)).json.value).toBe('one');
    expect((await ask('GET', 'secrets/paged')).json.value).toBe('two');
  });

  it('has no backups here, and says so', async () => {
    await ask('PUT', 'secrets/kept', { value: 'one' });
    for (const asked of ['secrets/kept/backup', 'secrets/restore']) {
      const refused = await ask('POST', asked, { value: 'x' });
      expect([refused.status, codeOf(refused)]).toEqual([501, 'NotImplemented']);
    }
  });

  it('gives its value to parameters of templates unless it is disabled', async () => {
    await cloud.ended(
      await cloud.arm(`${vault}?${API}`, {
        method: 'PATCH',
        body: { properties: { enabledForTemplateDeployment: true } },
      }),
    );
    await ask('PUT', 'secrets/parameter', { value: 'x' });
    const deploy = (name: string): Promise<HttpAnswer> =>
      put(`${group}/providers/Microsoft.Resources/deployments/${name}`, {
        properties: {
          mode: 'Incremental',
          template: {
            $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
            contentVersion: '1.0.0.0',
            parameters: { password: { type: 'securestring' } },
            resources: [],
          },
          parameters: {
            password: { reference: { keyVault: { id: vault }, secretName: 'parameter' } },
          },
        },
      });
    expect((await deploy('enabled')).status).toBe(201);
    await ask('PATCH', 'secrets/parameter', { attributes: { enabled: false } });
    expect((await deploy('disabled')).status).toBe(400);
  });
});
