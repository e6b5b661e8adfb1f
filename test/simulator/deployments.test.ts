import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { eventually, TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-03-01';
/** The client would wait two seconds between its polls. */
const quick = { updateIntervalInMs: 20 };
let cloud: TestCloud;
let client: DeploymentsClient;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  client = cloud.deployments();
  group = await cloud.group('deploy', 'westus3');
}, 60_000);
afterAll(() => cloud.stop());

function template(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../../templates/${name}.json`, import.meta.url), 'utf8')) as JsonObject;
}

function parameters(values: JsonObject): { [name: string]: { value: unknown } } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

function small(resources: JsonObject[], outputs: JsonObject = {}): JsonObject {
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    resources,
    outputs,
  };
}

const nsg = (name: string, more: JsonObject = {}): JsonObject => ({
  type: 'Microsoft.Network/networkSecurityGroups',
  apiVersion: '2023-04-01',
  name,
  location: '[resourceGroup().location]',
  ...more,
});

const workspaceValues = {
  workspaceName: 'fraud-west',
  storageAccountName: 'fraudwest',
  keyVaultName: 'kv-fraud-west',
  applicationInsightsName: 'appi-fraud-west',
  logAnalyticsName: 'log-fraud-west',
  containerRegistryName: 'crfraudwest',
  computes: [{ name: 'cpu', vmSize: 'Standard_DS3_v2', minNodes: 0, maxNodes: 2, idleTime: 'PT120S' }],
};

describe('the workspace template', () => {
  const put = {
    properties: {
      mode: 'Incremental' as const,
      template: template('workspace'),
      parameters: parameters(workspaceValues),
    },
  };

  it('validates, predicts, deploys, and predicts nothing more', async () => {
    const valid = await client.deployments.beginValidateAndWait('deploy', 'main', put, quick);
    expect(valid.properties?.validatedResources?.length).toBeGreaterThan(5);
    const before = await client.deployments.beginWhatIfAndWait('deploy', 'main', put, quick);
    expect(new Set(before.changes?.map(({ changeType }) => changeType))).toEqual(new Set(['Create']));

    const done = await client.deployments.beginCreateOrUpdateAndWait('deploy', 'main', put, quick);
    expect(done.properties?.provisioningState).toBe('Succeeded');
    const workspace = (
      await cloud.arm(
        `${group}/providers/Microsoft.MachineLearningServices/workspaces/fraud-west?api-version=2024-04-01`,
      )
    ).json;
    expect(workspace.properties).toMatchObject({
      provisioningState: 'Succeeded',
      storageAccount: expect.stringContaining('fraudwest'),
    });
    expect(JSON.stringify(done.properties?.outputs)).toContain(workspace.id);
    const operations = [];
    for await (const one of client.deploymentOperations.list('deploy', 'main')) operations.push(one.properties);
    // One for each resource, and one for the outputs.
    expect(operations.length).toBe((done.properties?.outputResources?.length ?? 0) + 1);
    expect(new Set(operations.map((one) => one?.provisioningState))).toEqual(new Set(['Succeeded']));

    const after = await client.deployments.beginWhatIfAndWait('deploy', 'main', put, quick);
    const changed = after.changes?.filter(({ changeType }) => changeType !== 'NoChange' && changeType !== 'Ignore');
    expect(changed?.map(({ resourceId, delta }) => [resourceId, delta])).toEqual([]);
    const again = await client.deployments.beginCreateOrUpdateAndWait('deploy', 'main', put, quick);
    expect(again.properties?.provisioningState).toBe('Succeeded');
  }, 60_000);

  it('is exported as it was, and its secrets are not shown', async () => {
    const secret = { type: 'securestring' };
    const withSecret = { ...small([nsg('exported')]), parameters: { password: secret } };
    await client.deployments.beginCreateOrUpdateAndWait(
      'deploy',
      'secret',
      {
        properties: {
          mode: 'Incremental',
          template: withSecret,
          parameters: parameters({ password: 'canary-7' }),
        },
      },
      quick,
    );
    const shown = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/secret?${API}`);
    expect(shown.text).not.toContain('canary-7');
    expect((await client.deployments.exportTemplate('deploy', 'secret')).template).toEqual(withSecret);
  });
});

describe('a deployment', () => {
  it('that is broken is refused before it starts', async () => {
    const broken = {
      properties: { mode: 'Incremental' as const, template: small([nsg("[nonsense('x')]")]), parameters: {} },
    };
    await expect(client.deployments.beginCreateOrUpdateAndWait('deploy', 'broken', broken)).rejects.toMatchObject({
      code: 'InvalidTemplate',
      message: expect.stringContaining('nonsense'),
    });
    expect((await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/broken?${API}`)).status).toBe(404);
    const wrongMode = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/broken?${API}`, {
      method: 'PUT',
      body: { properties: { mode: 'Sometimes', template: {} } },
    });
    expect(wrongMode.json).toMatchObject({ error: { code: 'InvalidRequestContent' } });
  });

  it('fails with what failed, makes what did not depend on it, and lists both', async () => {
    const resources = [
      nsg('good'),
      {
        type: 'Microsoft.Network/virtualNetworks/subnets',
        apiVersion: '2023-01-01',
        name: 'none/orphan',
        properties: { addressPrefix: '10.0.0.0/24' },
      },
      nsg('never', {
        dependsOn: ["[resourceId('Microsoft.Network/virtualNetworks/subnets', 'none', 'orphan')]"],
      }),
    ];
    const answer = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/partly?${API}`, {
      method: 'PUT',
      body: { properties: { mode: 'Incremental', template: small(resources) } },
    });
    expect(answer.status).toBe(201);
    const ended = await cloud.ended(answer);
    expect(ended).toMatchObject({
      status: 'Failed',
      error: { code: 'DeploymentFailed', details: [{ code: 'ParentResourceNotFound' }] },
    });
    const shown = await client.deployments.get('deploy', 'partly');
    expect(shown.properties).toMatchObject({
      provisioningState: 'Failed',
      error: { code: 'DeploymentFailed' },
    });
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/networkSecurityGroups/good?${API}`)).status).toBe(
      200,
    );
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/networkSecurityGroups/never?${API}`)).status).toBe(
      404,
    );
    const states: Record<string, string> = {};
    for await (const { properties } of client.deploymentOperations.list('deploy', 'partly'))
      states[properties?.targetResource?.resourceName ?? ''] = properties?.provisioningState ?? '';
    expect(states).toEqual({ good: 'Succeeded', 'none/orphan': 'Failed' });
  });

  it('in complete mode deletes what its template does not have', async () => {
    const id = await cloud.group('complete', 'westus3');
    await cloud.make(`${id}/providers/Microsoft.Network/networkSecurityGroups/old`, { location: 'westus3' });
    const put = { properties: { mode: 'Complete' as const, template: small([nsg('kept')]) } };
    const predicted = await client.deployments.beginWhatIfAndWait('complete', 'x', put, quick);
    expect(predicted.changes?.map(({ changeType }) => changeType).sort()).toEqual(['Create', 'Delete']);
    await client.deployments.beginCreateOrUpdateAndWait('complete', 'x', put, quick);
    const names = [];
    for await (const one of cloud.resources().resources.listByResourceGroup('complete')) names.push(one.name);
    expect(names).toEqual(['kept']);
  });

  it('reaches across: at a subscription, into a nested deployment, and back with its outputs', async () => {
    const inner = small([nsg('nested')], {
      made: { type: 'string', value: "[reference('nested').provisioningState]" },
    });
    const outer: JsonObject = {
      ...small(
        [
          {
            type: 'Microsoft.Resources/resourceGroups',
            apiVersion: '2024-03-01',
            name: 'from-template',
            location: 'eastus',
          },
          {
            type: 'Microsoft.Resources/deployments',
            apiVersion: '2024-03-01',
            name: 'inside',
            resourceGroup: 'from-template',
            dependsOn: ["[resourceId('Microsoft.Resources/resourceGroups', 'from-template')]"],
            properties: {
              mode: 'Incremental',
              expressionEvaluationOptions: { scope: 'inner' },
              template: inner,
            },
          },
        ],
        {
          state: {
            type: 'string',
            value:
              "[reference(resourceId('from-template', 'Microsoft.Resources/deployments', 'inside')).outputs.made.value]",
          },
        },
      ),
      $schema: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
    };
    const done = await client.deployments.beginCreateOrUpdateAtSubscriptionScopeAndWait(
      'outer',
      {
        location: 'eastus',
        properties: { mode: 'Incremental', template: outer },
      },
      quick,
    );
    expect(done.properties?.outputs).toMatchObject({ state: { value: 'Succeeded' } });
    const operations = [];
    for await (const one of client.deploymentOperations.listAtSubscriptionScope('outer'))
      operations.push(one.operationId);
    expect(operations).toHaveLength(3);
  });

  it('can be cancelled while it runs', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    const chain = [nsg('first'), nsg('second', { dependsOn: ['first'] })];
    const answer = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/stopped?${API}`, {
      method: 'PUT',
      body: { properties: { mode: 'Incremental', template: small(chain) } },
    });
    await client.deployments.cancel('deploy', 'stopped');
    await cloud.admin('POST', '/clock', { speed: 1 });
    expect(await cloud.ended(answer)).toMatchObject({ status: 'Canceled' });
    expect((await client.deployments.get('deploy', 'stopped')).properties?.provisioningState).toBe('Canceled');
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/networkSecurityGroups/second?${API}`)).status).toBe(
      404,
    );
    await expect(client.deployments.cancel('deploy', 'stopped')).rejects.toMatchObject({
      code: 'DeploymentCannotBeCancelled',
    });
  });

  it('goes on after a restart in its midst', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    const chain = [nsg('before'), nsg('after', { dependsOn: ['before'] })];
    const path = `${group}/providers/Microsoft.Resources/deployments/interrupted?${API}`;
    await cloud.arm(path, {
      method: 'PUT',
      body: { properties: { mode: 'Incremental', template: small(chain) } },
    });
    await cloud.restart();
    await cloud.admin('POST', '/clock', { speed: 1 });
    client = cloud.deployments();
    const state = (seen: JsonObject): unknown => (seen.properties as JsonObject).provisioningState;
    await eventually(
      async () => (await cloud.arm(path)).json,
      (seen) => state(seen) === 'Succeeded',
    );
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/networkSecurityGroups/after?${API}`)).status).toBe(
      200,
    );
  });

  it('into a dark region fails as one that got no answer', async () => {
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    const put = {
      properties: { mode: 'Incremental' as const, template: small([nsg('dark', { location: 'eastus' })]) },
    };
    const answer = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/dark?${API}`, {
      method: 'PUT',
      body: put,
    });
    expect(await cloud.ended(answer)).toMatchObject({ error: { details: [{ code: 'GatewayTimeout' }] } });
    await cloud.admin('DELETE', '/faults');
  });
});

describe('the control store template', () => {
  it('deploys a geo-redundant account with its container', async () => {
    await cloud.group('control', 'centralus');
    const put = {
      properties: {
        mode: 'Incremental' as const,
        template: template('control-store'),
        parameters: parameters({ storageAccountName: 'frauddrcontrol' }),
      },
    };
    const done = await client.deployments.beginCreateOrUpdateAndWait('control', 'store', put, quick);
    expect(done.properties?.provisioningState).toBe('Succeeded');
    const id = `${cloud.subscription}/resourceGroups/control/providers/Microsoft.Storage/storageAccounts/frauddrcontrol`;
    const keys = (await cloud.arm(`${id}/listKeys?${API}`, { method: 'POST' })).json.keys as {
      value: string;
    }[];
    const { properties } = (await cloud.arm(`${id}?${API}`)).json as {
      properties: { primaryEndpoints: { blob: string }; secondaryLocation: string };
    };
    expect(properties.secondaryLocation).toBeTruthy();
    const service = cloud.blobs(properties.primaryEndpoints.blob, 'frauddrcontrol', keys[0]?.value ?? '');
    const containers = (await cloud.arm(`${id}/blobServices/default/containers?${API}`)).json.value as {
      name: string;
    }[];
    expect(containers.map(({ name }) => name)).toEqual(['understudy']);
    expect(service.accountName).toBe('frauddrcontrol');
  });
});
