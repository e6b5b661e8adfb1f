/**
 * Types without a row of their own: deployed, read, changed and deleted in Azure's envelope; what Azure has not is
 * refused.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobSASPermissions, ContainerSASPermissions } from '@azure/storage-blob';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { type HttpAnswer, TestCloud } from '../running-cloud.ts';
import { template } from './harness.ts';

const API = 'api-version=2024-03-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('unlisted', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

/** Deploys and waits. Answers the deployment's properties. */
async function deploy(name: string, parts: JsonObject): Promise<JsonObject> {
  const url = `${group}/providers/Microsoft.Resources/deployments/${name}?${API}`;
  const body = { properties: { mode: 'Incremental', template: template(parts) } };
  const put = await cloud.arm(url, { method: 'PUT', body });
  expect(put.status, put.text).toBeLessThan(300);
  await cloud.ended(put);
  return (await cloud.arm(url)).json.properties as JsonObject;
}

const at = (type: string, name: string, more: JsonObject = {}): JsonObject => ({
  type,
  apiVersion: '2024-03-01',
  name,
  location: 'eastus',
  ...more,
});

const bus = {
  connection:
    "[listKeys(resourceId('Microsoft.ServiceBus/namespaces/authorizationRules', 'sb', 'RootManageSharedAccessKey'), '2024-01-01').primaryConnectionString]",
};

const site: JsonObject[] = [
  at('Microsoft.Network/publicIPAddresses', 'pip', {
    properties: { dnsSettings: { domainNameLabel: 'front' } },
  }),
  at('Microsoft.Web/serverfarms', 'plan', { sku: { name: 'S1' } }),
  at('Microsoft.Web/sites', 'shop', {
    dependsOn: ['plan'],
    properties: { serverFarmId: "[resourceId('Microsoft.Web/serverfarms', 'plan')]", name: 'kept' },
    resources: [at('config', 'appsettings', { dependsOn: ['shop'], properties: { A: '1' } })],
  }),
  at('Microsoft.ServiceBus/namespaces', 'sb'),
];

function value(expression: string): JsonObject {
  return { type: 'string', value: expression };
}

describe('a template of types without rows', () => {
  it('is deployed, and its outputs read what Azure adds', async () => {
    const outputs = {
      fqdn: value("[reference('pip').dnsSettings.fqdn]"),
      host: value("[reference('shop').defaultHostName]"),
      kept: value("[reference('shop').name]"),
      bus: value(bus.connection),
    };
    const done = await deploy('site', { resources: site, outputs });
    expect(done.error).toBeUndefined();
    expect(done.outputs).toMatchObject({
      fqdn: { value: 'front.eastus.cloudapp.localhost' },
      host: { value: 'shop.azurewebsites.localhost' },
      kept: { value: 'kept' },
      bus: { value: expect.stringMatching(/^Endpoint=sb:\/\/sb\..*SharedAccessKey=.{44}$/) },
    });
    const again = await deploy('site', { resources: site, outputs });
    expect(again.outputs).toEqual(done.outputs);
  });

  it('reads what each type has of its own: names, addresses, keys', async () => {
    await cloud.account(group, 'unlistedkeys', 'eastus');
    const resources = [
      at('Microsoft.DBforMySQL/servers', 'db'),
      at('Microsoft.ContainerService/containerServices', 'acs', {
        properties: { masterProfile: { dnsPrefix: 'm' }, agentPoolProfiles: [{ dnsPrefix: 'a' }] },
      }),
      at('Microsoft.Network/azureFirewalls', 'wall', {
        properties: { ipConfigurations: [{ name: 'c', properties: { subnet: { id: '/x' } } }] },
      }),
      at('Microsoft.Network/privateEndpoints', 'pe'),
      at('Microsoft.DocumentDB/databaseAccounts', 'cosmos'),
      at('Microsoft.App/managedEnvironments', 'apps'),
    ];
    const outputs = {
      server: value("[reference('db').fullyQualifiedDomainName]"),
      agent: value("[reference('acs').agentPoolProfiles[0].fqdn]"),
      wall: value("[reference('wall').ipConfigurations[0].properties.privateIPAddress]"),
      nic: value("[reference('pe').networkInterfaces[0].id]"),
      readOnly: value("[listConnectionStrings('cosmos', '2024-05-15').connectionStrings[3].connectionString]"),
      domain: value("[reference('apps').customDomainConfiguration.customDomainVerificationId]"),
      old: value("[listKeys(resourceId('Microsoft.Storage/storageAccounts', 'unlistedkeys'), '2015-06-15').key1]"),
    };
    const done = await deploy('fields', { resources, outputs });
    expect(done.error).toBeUndefined();
    expect(done.outputs).toMatchObject({
      server: { value: 'db.mysql.database.localhost' },
      agent: { value: 'a.eastus.cloudapp.localhost' },
      wall: { value: expect.stringMatching(/^10\./) },
      nic: {
        value: expect.stringContaining(`${group}/providers/Microsoft.Network/networkInterfaces/pe.nic.`),
      },
      old: { value: expect.stringMatching(/^.{86}==$/) },
    });
  });

  it('names what Azure has in every subscription, and roles of its services', async () => {
    const windows = {
      type: 'Microsoft.Maintenance/publicMaintenanceConfigurations',
      apiVersion: '2023-04-01',
    };
    const aiUser = '53ca6127-db72-4b80-b1b0-d745d6d5456d';
    const { provisioningState, error } = await deploy('public', {
      languageVersion: '2.0',
      resources: {
        window: { ...windows, existing: true, scope: '[subscription().id]', name: 'SQL_EastUS_DB_1' },
        role: {
          type: 'Microsoft.Authorization/roleAssignments',
          apiVersion: '2022-04-01',
          name: "[guid('ai')]",
          properties: {
            roleDefinitionId: `[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '${aiUser}')]`,
            principalId: "[guid('somebody')]",
            principalType: 'ServicePrincipal',
          },
        },
      },
    });
    expect([provisioningState, error]).toEqual(['Succeeded', undefined]);
  });

  it('leaves resources that are listed, patched and deleted like any other', async () => {
    const sites = `${group}/providers/Microsoft.Web/sites`;
    expect((await cloud.arm(`${sites}?${API}`)).json.value).toHaveLength(1);
    const patched = await cloud.arm(`${sites}/shop?${API}`, { method: 'PATCH', body: { tags: { a: 'b' } } });
    expect(patched.json).toMatchObject({ type: 'Microsoft.Web/sites', tags: { a: 'b' }, location: 'eastus' });
    expect((await cloud.arm(`${sites}/shop?${API}`, { method: 'DELETE' })).status).toBe(200);
    expect((await cloud.arm(`${sites}/shop/config/appsettings?${API}`)).status).toBe(404);
  });

  it('keeps subnets as parts of their network and as resources of their own', async () => {
    const network = `${group}/providers/Microsoft.Network/virtualNetworks/net`;
    await cloud.make(network, {
      location: 'eastus',
      properties: { subnets: [{ name: 'a', properties: { addressPrefix: '10.0.0.0/24' } }] },
    });
    await cloud.make(`${network}/subnets/b`, { properties: { addressPrefix: '10.0.1.0/24' } });
    expect((await cloud.arm(`${network}/subnets/a?${API}`)).json.properties).toMatchObject({
      addressPrefix: '10.0.0.0/24',
    });
    const names = async (): Promise<Json[]> => {
      const { properties } = (await cloud.arm(`${network}?${API}`)).json;
      return ((properties as JsonObject).subnets as JsonObject[]).map(({ name = null }) => name);
    };
    expect(await names()).toEqual(['a', 'b']);
    await cloud.make(network, { location: 'eastus', properties: {} });
    expect(await names()).toEqual(['a', 'b']);
    await cloud.make(network, {
      location: 'eastus',
      properties: { subnets: [{ name: 'b', properties: {} }] },
    });
    expect(await names()).toEqual(['b']);
  });
});

describe('linked templates', () => {
  it('are read from the cloud’s own blobs, by their names there and with a query, as people write them', async () => {
    const account = await cloud.account(group, 'linkedtemplates', 'eastus');
    const text = `\uFEFF// a linked template
      ${JSON.stringify(template({ resources: [at('Microsoft.Network/ipGroups', 'linked')] }))}`;
    const container = cloud.blobs(account.primary, 'linkedtemplates', account.key).getContainerClient('templates');
    await container.create();
    const blob = container.getBlockBlobClient('linked.json');
    await blob.upload(text, Buffer.byteLength(text));
    const expiresOn = new Date(Date.now() + 600_000);
    const signed = await blob.generateSasUrl({ permissions: BlobSASPermissions.parse('r'), expiresOn });
    const queryString = new URL(signed).search;
    const nested = (name: string, templateLink: JsonObject): JsonObject => ({
      type: 'Microsoft.Resources/deployments',
      apiVersion: '2022-09-01',
      name,
      properties: { mode: 'Incremental', templateLink },
    });
    const uri = "[concat('https://linkedtemplates.blob.', environment().suffixes.storage, '/templates/linked.json')]";
    const done = await deploy('links', { resources: [nested('byname', { uri, queryString })] });
    expect(done.error).toBeUndefined();
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/ipGroups/linked?${API}`)).status).toBe(200);
    const properties = {
      mode: 'Incremental',
      template: template({ resources: [nested('unsigned', { uri })] }),
    };
    const [base] = signed.split('?');
    const main = container.getBlockBlobClient('main.json');
    const around = JSON.stringify(template({ resources: [nested('beside', { relativePath: 'linked.json' })] }));
    await main.upload(around, Buffer.byteLength(around));
    const sas = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse('r'),
      expiresOn,
    });
    const link = { uri: base?.replace('linked.json', 'main.json') ?? '', queryString: new URL(sas).search };
    const url = `${group}/providers/Microsoft.Resources/deployments/relative?${API}`;
    const sent = (templateLink: JsonObject): Promise<HttpAnswer> =>
      cloud.arm(url, { method: 'PUT', body: { properties: { mode: 'Incremental', templateLink } } });
    const other = await sent({ ...link, contentVersion: '1.2.3.5' });
    expect([other.status, other.json.error]).toMatchObject([400, { code: 'InvalidTemplate' }]);
    const put = await sent({ ...link, contentVersion: '1.0.0.0' });
    expect(put.status, put.text).toBe(201);
    await cloud.ended(put);
    const relative = (await cloud.arm(url)).json.properties as JsonObject;
    expect(relative).toMatchObject({ provisioningState: 'Succeeded', templateLink: { uri: link.uri } });
    expect(JSON.stringify(relative)).not.toContain('sig=');
    const broken = `${group}/providers/Microsoft.Resources/deployments/broken?${API}`;
    const { status, json } = await cloud.arm(broken, { method: 'PUT', body: { properties } });
    expect([status, json.error]).toMatchObject([400, { code: 'InvalidContentLink' }]);
  });
});

describe('refused for Azure’s reasons', () => {
  it('a child without its parent', async () => {
    const { error } = await deploy('refused', { resources: [at('Microsoft.Web/sites/slots', 'none/x')] });
    expect(error).toMatchObject({ code: 'DeploymentFailed', details: [{ code: 'ParentResourceNotFound' }] });
  });

  it.each([
    ['a region that is not here', 'mars', 'LocationNotAvailableForResourceType'],
    ['no location', '', 'LocationRequired'],
  ])('%s, before anything is made', async (_, location, code) => {
    const resources = [at('Microsoft.Web/sites', 'x', { location })];
    const properties = { mode: 'Incremental', template: template({ resources }) };
    const url = `${group}/providers/Microsoft.Resources/deployments/far?${API}`;
    const { status, json } = await cloud.arm(url, { method: 'PUT', body: { properties } });
    expect([status, json.error]).toMatchObject([400, { code }]);
  });

  it.each<[string, string, string, number?]>([
    ['a namespace that is not Azure’s', 'Microsoft.Storrage/accounts', 'InvalidResourceNamespace'],
    ['a type that its namespace has not', 'Microsoft.Compute/virtualMachine', 'InvalidResourceType'],
    ['what cannot be done here', 'Microsoft.Resources/deploymentScripts', 'NotImplemented', 501],
    ['nor this', 'Microsoft.MachineLearningServices/registries', 'NotImplemented', 501],
  ])('%s, before anything is made', async (_, type, code, refused = 400) => {
    const url = `${group}/providers/Microsoft.Resources/deployments/typo`;
    const properties = { mode: 'Incremental', template: template({ resources: [at(type, 'x')] }) };
    for (const [method, path] of [
      ['POST', `${url}/validate`],
      ['PUT', url],
    ] as const) {
      const { status, json } = await cloud.arm(`${path}?${API}`, { method, body: { properties } });
      expect([status, json.error]).toMatchObject([refused, { code, target: '/resources/0' }]);
    }
  });

  it('keys of what does not exist, and of what has none', async () => {
    const rule = `${group}/providers/Microsoft.ServiceBus/namespaces/none/authorizationRules/r/listKeys?${API}`;
    expect((await cloud.arm(rule, { method: 'POST' })).json.error).toMatchObject({
      code: 'ParentResourceNotFound',
    });
    const plan = `${group}/providers/Microsoft.Web/serverfarms/plan/listKeys?${API}`;
    expect((await cloud.arm(plan, { method: 'POST' })).json.error).toMatchObject({
      code: 'InvalidResourceAction',
    });
  });

  it('lists every registered namespace', async () => {
    const { json } = await cloud.arm(`${cloud.subscription}/providers/microsoft.compute?${API}`);
    expect(json).toMatchObject({ namespace: 'Microsoft.Compute', registrationState: 'Registered' });
    expect(JSON.stringify(json.resourceTypes)).toContain('"virtualMachineScaleSets"');
  });
});
