/** What a PUT of a compute does to its identity, and to what a pipeline may name as its compute, as Azure has it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, startFixture, text, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
}, 60_000);
afterAll(() => azure?.close());

const cluster: JsonObject = {
  location: 'eastus',
  properties: {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_F4s_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
  },
};
const withIdentity: JsonObject = { ...cluster, identity: { type: 'SystemAssigned' } };
const at = (name: string): string => `${workspace}/computes/${name}`;
const principalOf = (body: JsonObject): Json | undefined => (body.identity as JsonObject | undefined)?.principalId;

describe('the system-assigned identity of a cluster', () => {
  it('stays with a PUT that says it, and goes with one that does not', async () => {
    const principal = text(principalOf(await azure.put(at('kept'), withIdentity)));
    expect(principalOf(await azure.put(at('kept'), withIdentity))).toBe(principal);
    expect(await azure.put(at('kept'), cluster)).not.toHaveProperty('identity');
    expect(principalOf(await azure.put(at('kept'), withIdentity))).not.toBe(principal);
  });

  it('stays with a PATCH that does not say it', async () => {
    const principal = text(principalOf(await azure.put(at('patched'), withIdentity)));
    const scaled = { properties: { properties: { scaleSettings: { maxNodeCount: 4 } } } };
    expect(principalOf(await azure.put(at('patched'), scaled, 'PATCH'))).toBe(principal);
  });

  it('is shown by what-if as what a template without it takes away', async () => {
    await azure.put(at('foretold'), withIdentity);
    const [change] = await foretell(cluster);
    expect(change).toMatchObject({
      changeType: 'Modify',
      delta: [{ path: 'identity', propertyChangeType: 'Delete', before: { type: 'SystemAssigned' } }],
    });
    const [same] = await foretell(withIdentity);
    expect(same).toMatchObject({ changeType: 'NoChange' });
  });

  /** The changes that what-if tells of a template with this cluster. */
  async function foretell(body: JsonObject): Promise<JsonObject[]> {
    const version = 'api-version=2022-09-01';
    const deployment = `${azure.group('eastus')}/providers/Microsoft.Resources/deployments/d`;
    const template = {
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      contentVersion: '1.0.0.0',
      resources: [
        {
          type: 'Microsoft.MachineLearningServices/workspaces/computes',
          apiVersion: '2024-04-01',
          name: 'fraud-east/foretold',
          ...body,
        },
      ],
    };
    const asked = await azure.arm('POST', `${deployment}/whatIf?${version}`, {
      properties: { mode: 'Incremental', template },
    });
    await azure.settle(asked);
    const told = await azure.arm('GET', text(asked.headers.location));
    const { changes } = told.body.properties as { changes: JsonObject[] };
    return changes.filter(({ resourceId }) => text(resourceId).endsWith('/foretold'));
  }
});

describe('the default compute of a pipeline', () => {
  const pipeline = (compute: string): JsonObject => ({
    properties: {
      jobType: 'Pipeline',
      experimentName: 'tries',
      settings: { default_compute: compute },
      jobs: { only: { type: 'command', command: 'echo', environmentId: 'azureml:AzureML-sklearn:1' } },
    },
  });

  it.each([
    ['serverless', () => 'serverless'],
    ['azureml:serverless', () => 'azureml:serverless'],
    ['the id that azure-ai-ml makes of it', () => at('serverless')],
  ])('may be serverless: %s', async (_, compute) => {
    const name = `p${compute().length}`;
    const { status, body } = await azure.arm('PUT', `${workspace}/jobs/${name}`, pipeline(compute()));
    expect([status, body.error]).toEqual([201, undefined]);
    expect(body).toMatchObject({ properties: { settings: { default_compute: compute() } } });
  });

  it('must be there otherwise', async () => {
    const { status, body } = await azure.arm('PUT', `${workspace}/jobs/nowhere`, pipeline(at('serverless2')));
    expect(status).toBe(400);
    expect(message(body)).toContain('Unknown compute target');
  });
});
