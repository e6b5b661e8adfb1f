/** Deployments within deployments: what complete mode leaves, what waits for nothing, what is predicted. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

/** The client would wait two seconds between its polls. */
const quick = { updateIntervalInMs: 20 };
let cloud: TestCloud;
let client: DeploymentsClient;

beforeAll(async () => {
  cloud = await TestCloud.start();
  client = cloud.deployments();
}, 60_000);
afterAll(() => cloud.stop());

function template(resources: JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    resources,
    ...more,
  };
}

const nsg = (name: string, more: JsonObject = {}): JsonObject => ({
  type: 'Microsoft.Network/networkSecurityGroups',
  apiVersion: '2023-04-01',
  name,
  location: 'westus3',
  ...more,
});

function nested(name: string, scope: 'inner' | 'outer', inner: JsonObject, more: JsonObject = {}): JsonObject {
  const { properties, ...rest } = more;
  return {
    type: 'Microsoft.Resources/deployments',
    apiVersion: '2024-03-01',
    name,
    ...rest,
    properties: {
      mode: 'Incremental',
      expressionEvaluationOptions: { scope },
      template: inner,
      ...(properties as JsonObject | undefined),
    },
  };
}

async function namesIn(group: string): Promise<string[]> {
  const names = [];
  for await (const { name = '' } of cloud.resources().resources.listByResourceGroup(group)) names.push(name);
  return names.sort();
}

describe('complete mode', () => {
  it.each(['inner', 'outer'] as const)('keeps what nested deployments of %s scope made', async (scope) => {
    const group = `complete-${scope}`;
    const id = await cloud.group(group, 'westus3');
    await cloud.make(`${id}/providers/Microsoft.Network/networkSecurityGroups/old`, { location: 'westus3' });
    const deepest = nested('deepest', scope, template([nsg('third')]));
    const within = nested('within', scope, template([nsg('second'), deepest]));
    const put = {
      properties: { mode: 'Complete' as const, template: template([nsg('first'), within]) },
    };
    await client.deployments.beginCreateOrUpdateAndWait(group, 'x', put, quick);
    expect(await namesIn(group)).toEqual(['first', 'second', 'third']);
  });
});

describe('a mode', () => {
  it('is read in any case, and shown in its own', async () => {
    await cloud.group('cases', 'westus3');
    const mode = 'incremental' as 'Incremental';
    const put = { properties: { mode, template: template([nsg('a')]) } };
    const done = await client.deployments.beginCreateOrUpdateAndWait('cases', 'x', put, quick);
    expect(done.properties?.mode).toBe('Incremental');
    const wrong = { properties: { mode: 'whole' as 'Complete', template: template([]) } };
    await expect(client.deployments.beginCreateOrUpdateAndWait('cases', 'y', wrong, quick)).rejects.toThrow(
      "'Incremental' or 'Complete'",
    );
  });
});

describe('a dependency', () => {
  const on = (...names: string[]): JsonObject => ({
    dependsOn: names.map((name) => `[resourceId('Microsoft.Network/networkSecurityGroups', '${name}')]`),
  });

  it('on what is not deployed is no dependency', async () => {
    await cloud.group('depends', 'westus3');
    const put = {
      properties: {
        mode: 'Incremental' as const,
        template: template([
          nsg('off', { condition: false }),
          nsg('[first(createArray())]', { condition: false, type: 'Microsoft.Network/routeTables' }),
          nsg("[format('none-{0}', copyIndex())]", { copy: { name: 'none', count: 0 } }),
          nsg('waits', {
            dependsOn: [
              "[resourceId('Microsoft.Network/networkSecurityGroups', 'off')]",
              "[resourceId('Microsoft.Network/routeTables', '')]",
              "[resourceId('Microsoft.Network/networkSecurityGroups', 'none-0')]",
              'none',
            ],
          }),
          nsg('never', { condition: false, ...on('nowhere', '') }),
        ]),
      },
    };
    await client.deployments.beginCreateOrUpdateAndWait('depends', 'x', put, quick);
    expect(await namesIn('depends')).toEqual(['waits']);
  });

  it('of what is deployed, on what the template does not have, is refused', async () => {
    const put = {
      properties: { mode: 'Incremental' as const, template: template([nsg('waits', on('nowhere'))]) },
    };
    await expect(client.deployments.beginCreateOrUpdateAndWait('depends', 'y', put, quick)).rejects.toThrow(
      'is not defined in the template',
    );
  });
});

describe('what-if', () => {
  async function predicted(group: string, resources: JsonObject[]): Promise<Map<string, JsonObject>> {
    const put = { properties: { mode: 'Incremental' as const, template: template(resources) } };
    const { changes = [] } = await client.deployments.beginWhatIfAndWait(group, 'x', put, quick);
    return new Map(changes.map((one) => [one.resourceId?.split('/').at(-1) ?? '', one as unknown as JsonObject]));
  }

  it.each(['inner', 'outer'] as const)('tells of what is nested in %s scope, as it is', async (scope) => {
    const group = `predict-${scope}`;
    const id = await cloud.group(group, 'westus3');
    await cloud.make(`${id}/providers/Microsoft.Network/networkSecurityGroups/there`, {
      location: 'westus3',
      tags: { a: '1' },
    });
    const deepest = nested('deepest', scope, template([nsg('there', { tags: { a: '2' } })]));
    const changes = await predicted(group, [nsg('first'), nested('within', scope, template([nsg('second'), deepest]))]);
    expect(new Map([...changes].map(([name, { changeType }]) => [name, changeType]))).toEqual(
      new Map([
        ['first', 'Create'],
        ['second', 'Create'],
        ['there', 'Modify'],
      ]),
    );
    expect(await namesIn(group)).toEqual(['there']);
  });

  it('shows as it stands what only the deployment will know', async () => {
    const id = await cloud.group('unknown', 'westus3');
    await cloud.make(`${id}/providers/Microsoft.Network/networkSecurityGroups/there`, {
      location: 'westus3',
    });
    const missing = "[reference('there').willHave.this]";
    const made = "[reference('new').provisioningState]";
    const inner = template([nsg('inside', { tags: { made: "[parameters('made')]" } })], {
      parameters: { made: { type: 'string' } },
    });
    const changes = await predicted('unknown', [
      nsg('there'),
      nsg('new'),
      nsg('refers', { tags: { missing, made } }),
      nested('within', 'inner', inner, { properties: { parameters: { made: { value: made } } } }),
    ]);
    expect(changes.get('refers')).toMatchObject({ changeType: 'Create', after: { tags: { missing, made } } });
    expect(changes.get('inside')).toMatchObject({ changeType: 'Create', after: { tags: { made } } });
  });

  it('says of a nested template that needs such a value that nothing can be said', async () => {
    await cloud.group('unsupported', 'westus3');
    const inner = template([], { parameters: { made: { type: 'int' } } });
    const made = "[length(reference('new').securityRules)]";
    const changes = await predicted('unsupported', [
      nsg('new'),
      nested('within', 'inner', inner, { properties: { parameters: { made: { value: made } } } }),
    ]);
    expect(changes.get('new')).toMatchObject({ changeType: 'Create' });
    expect(changes.get('within')).toMatchObject({
      changeType: 'Unsupported',
      unsupportedReason: expect.stringContaining("'within'") as string,
    });
  });

  it('refuses a nested template that is wrong', async () => {
    await cloud.group('wrong', 'westus3');
    const wrong = nested('within', 'inner', template([nsg("[parameters('nothing')]")]));
    await expect(predicted('wrong', [wrong])).rejects.toThrow("'nothing' is not found");
  });
});

describe('at a subscription', () => {
  const put = (location: string, resources: JsonObject[]) => ({
    location,
    properties: { mode: 'Incremental' as const, template: template(resources) },
  });

  it('what-if looks into a group that is yet to be made', async () => {
    const inside = nested('inside', 'inner', template([nsg('[resourceGroup().location]')]), {
      resourceGroup: 'to-be',
      dependsOn: ["[resourceId('Microsoft.Resources/resourceGroups', 'to-be')]"],
    });
    const group = {
      type: 'Microsoft.Resources/resourceGroups',
      apiVersion: '2024-03-01',
      name: 'to-be',
      location: 'eastus',
    };
    const { changes = [] } = await client.deployments.beginWhatIfAtSubscriptionScopeAndWait(
      'x',
      put('eastus', [group, inside]),
      quick,
    );
    const ids = changes.map(({ resourceId = '', changeType }) => [resourceId.split('/').at(-1), changeType]);
    expect(ids).toEqual([
      ['to-be', 'Create'],
      ['eastus', 'Create'],
    ]);
  });

  it('a name stays where it was first used', async () => {
    const at = client.deployments;
    await at.beginCreateOrUpdateAtSubscriptionScopeAndWait('placed', put('eastus', []), quick);
    await at.beginCreateOrUpdateAtSubscriptionScopeAndWait('placed', put('East US', []), quick);
    await expect(
      at.beginCreateOrUpdateAtSubscriptionScopeAndWait('placed', put('westus3', []), quick),
    ).rejects.toMatchObject({ code: 'InvalidDeploymentLocation', statusCode: 409 });
  });
});

describe('deployer()', () => {
  it('is who deploys', async () => {
    await cloud.group('deployer', 'westus3');
    const outputs = { who: { type: 'object', value: '[deployer()]' } };
    const put = { properties: { mode: 'Incremental' as const, template: template([], { outputs }) } };
    const done = await client.deployments.beginCreateOrUpdateAndWait('deployer', 'x', put, quick);
    const { tenantId } = cloud.at.address;
    expect(done.properties?.outputs).toMatchObject({
      who: { value: { tenantId, objectId: expect.stringMatching(/^[\da-f-]{36}$/) as string } },
    });
  });
});
