import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let plain: string;
let walled: string;

const fqdn = { type: 'FQDN', destination: 'pypi.org' };

beforeAll(async () => {
  azure = await startFixture({ speed: 0 });
  plain = await makeWorkspace(azure, 'eastus', 'plain');
  const { storageAccount, keyVault } = properties((await azure.arm('GET', plain)).body);
  walled = plain.replace(/plain$/, 'walled');
  await azure.put(walled, {
    location: 'eastus',
    properties: {
      storageAccount: storageAccount ?? null,
      keyVault: keyVault ?? null,
      managedNetwork: { isolationMode: 'AllowOnlyApprovedOutbound', outboundRules: { pypi: fqdn } },
    },
  });
}, 60_000);
afterAll(() => azure?.close());

async function network(): Promise<JsonObject> {
  return properties((await azure.arm('GET', walled)).body).managedNetwork as JsonObject;
}

describe('a managed network', () => {
  it('has the rules that came with its workspace, and those that were put', async () => {
    expect(await azure.list(`${walled}/outboundRules`)).toMatchObject([
      { name: 'pypi', properties: { ...fqdn, category: 'UserDefined', status: 'Inactive' } },
    ]);
    await azure.put(`${walled}/outboundRules/storage`, {
      properties: {
        type: 'ServiceTag',
        destination: { serviceTag: 'Storage', protocol: 'TCP', portRanges: '443' },
      },
    });
    expect(await network()).toMatchObject({
      isolationMode: 'AllowOnlyApprovedOutbound',
      status: { status: 'Inactive', sparkReady: false },
      outboundRules: { pypi: fqdn, storage: { type: 'ServiceTag' } },
    });
    await azure.settle(await azure.arm('DELETE', `${walled}/outboundRules/storage`));
    expect(Object.keys((await network()).outboundRules as JsonObject)).toEqual(['pypi']);
  });

  it('is in force once it is provisioned', async () => {
    await azure.settle(await azure.arm('POST', `${walled}/provisionManagedNetwork`, { includeSpark: true }));
    expect(await network()).toMatchObject({
      status: { status: 'Active', sparkReady: true },
      outboundRules: { pypi: { status: 'Active' } },
    });
  });

  it('stays, whatever is put later', async () => {
    const off = await azure.arm('PATCH', walled, {
      properties: { managedNetwork: { isolationMode: 'Disabled' } },
    });
    expect([off.status, message(off.body)]).toEqual([400, expect.stringContaining('cannot be disabled')]);
    await azure.put(walled, { properties: { description: 'walled' } }, 'PATCH');
    expect(await network()).toMatchObject({ isolationMode: 'AllowOnlyApprovedOutbound' });
  });

  it.each<[string, JsonObject, string]>([
    ['walled', { type: 'FQDN' }, 'properties.destination'],
    ['walled', { type: 'ServiceTag', destination: { serviceTag: 'Storage' } }, 'destination.protocol'],
    [
      'walled',
      { type: 'PrivateEndpoint', destination: { subresourceTarget: 'blob' } },
      'destination.serviceResourceId',
    ],
    ['plain', fqdn, 'needs a managed network'],
  ])('of %s refuses the rule %j', async (name, rule, text) => {
    const workspace = name === 'plain' ? plain : walled;
    const { status, body } = await azure.arm('PUT', `${workspace}/outboundRules/refused`, {
      properties: rule,
    });
    expect([status, message(body)]).toEqual([400, expect.stringContaining(text)]);
  });

  it('that is not there is not provisioned', async () => {
    const { status, body } = await azure.arm('POST', `${plain}/provisionManagedNetwork`, {});
    expect([status, message(body)]).toEqual([400, expect.stringContaining('no managed network')]);
  });
});
