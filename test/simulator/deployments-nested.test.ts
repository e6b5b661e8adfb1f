/** Deployments within deployments: what complete mode leaves, what waits for nothing, what is predicted. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import type { JsonObject } from '../../simulator/provider.ts';
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

function nested(
  name: string,
  scope: 'inner' | 'outer',
  inner: JsonObject,
  more: JsonObject = {},
): JsonObject {
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
