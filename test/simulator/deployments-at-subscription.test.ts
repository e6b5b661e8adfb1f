/** Deployments of a subscription that templates of a group hold, and what every deployment must say. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { type HttpAnswer, TestCloud } from './running-cloud.ts';
import { template } from './template/harness.ts';

const API = 'api-version=2024-03-01';
const DEPLOYMENTS = 'providers/Microsoft.Resources/deployments';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('around', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

/** A deployment at the subscription, as compilers write it: the group's own subscription, and a location. */
function atSubscription(name: string, resources: JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    type: 'Microsoft.Resources/deployments',
    apiVersion: '2022-09-01',
    name,
    subscriptionId: '[subscription().subscriptionId]',
    location: '[resourceGroup().location]',
    properties: {
      mode: 'Incremental',
      expressionEvaluationOptions: { scope: 'inner' },
      template: {
        ...template({ resources }),
        $schema: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
      },
    },
    ...more,
  };
}

async function deploy(name: string, parts: JsonObject): Promise<JsonObject> {
  const properties = { mode: 'Incremental', template: template(parts) };
  const url = `${group}/${DEPLOYMENTS}/${name}?${API}`;
  const answer = await cloud.arm(url, { method: 'PUT', body: { properties } });
  expect(answer.status, answer.text).toBe(201);
  await cloud.ended(answer);
  return (await cloud.arm(url)).json.properties as JsonObject;
}

describe('a deployment nested in a group’s, with a subscription and no group', () => {
  it('makes groups and roles of the subscription, and is found there', async () => {
    const role = '00000000-0000-0000-0000-00000000f00d';
    const resources = [
      {
        type: 'Microsoft.Resources/resourceGroups',
        apiVersion: '2022-09-01',
        name: 'madeabove',
        location: 'eastus',
        properties: {},
      },
      {
        type: 'Microsoft.Authorization/roleAssignments',
        apiVersion: '2022-04-01',
        name: role,
        properties: {
          roleDefinitionId:
            "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]",
          principalId: '00000000-0000-0000-0000-00000000beef',
          principalType: 'ServicePrincipal',
        },
      },
    ];
    const made = await deploy('around', {
      resources: [atSubscription('above', resources)],
      outputs: {
        state: {
          type: 'string',
          value: "[reference(subscriptionResourceId('Microsoft.Resources/deployments', 'above')).provisioningState]",
        },
      },
    });
    expect(made).toMatchObject({
      provisioningState: 'Succeeded',
      outputs: { state: { value: 'Succeeded' } },
    });
    const above = await cloud.arm(`${cloud.subscription}/${DEPLOYMENTS}/above?${API}`);
    expect([above.status, above.json.location]).toEqual([200, 'eastus']);
    expect((await cloud.arm(`${group}/${DEPLOYMENTS}/above?${API}`)).status).toBe(404);
    expect((await cloud.arm(`${cloud.subscription}/resourceGroups/madeabove?${API}`)).status).toBe(200);
    const assignment = `providers/Microsoft.Authorization/roleAssignments/${role}?api-version=2022-04-01`;
    expect((await cloud.arm(`${cloud.subscription}/${assignment}`)).status).toBe(200);
    expect((await cloud.arm(`${group}/${assignment}`)).status).toBe(404);
  });

  it('needs a location', async () => {
    const { location: _, ...bare } = atSubscription('above', []);
    const properties = { mode: 'Incremental', template: template({ resources: [bare] }) };
    const url = `${group}/${DEPLOYMENTS}/bare?${API}`;
    const { status, json } = await cloud.arm(url, { method: 'PUT', body: { properties } });
    expect([status, json.error]).toMatchObject([
      400,
      { code: 'InvalidDeployment', message: expect.stringContaining("The 'location' property must be") },
    ]);
  });
});

describe('the mode of a deployment', () => {
  const put = (properties: JsonObject): Promise<HttpAnswer> =>
    cloud.arm(`${group}/${DEPLOYMENTS}/modeless?${API}`, { method: 'PUT', body: { properties } });
  const missing = [
    400,
    {
      code: 'InvalidRequestContent',
      message: expect.stringMatching(
        /^The request content was invalid and could not be deserialized: 'Required property 'mode' not found in JSON\. Path 'properties', line 1, position \d+\.'\.$/,
      ),
    },
  ];

  it('must be given', async () => {
    const { status, json } = await put({ template: template({}) });
    expect([status, json.error]).toMatchObject(missing);
  });

  it('must be given of one that is nested, before anything is made', async () => {
    const { properties, ...rest } = atSubscription('inner', []);
    const { mode: _, ...modeless } = properties as JsonObject;
    const resources = [{ ...rest, properties: modeless }];
    const { status, json } = await put({ mode: 'Incremental', template: template({ resources }) });
    expect([status, json.error]).toMatchObject(missing);
  });
});
