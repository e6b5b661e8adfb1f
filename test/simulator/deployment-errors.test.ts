/** What a deployment that fails says, and what it deploys instead. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';
import { template } from './template/harness.ts';

const API = 'api-version=2024-03-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('errors', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const ipGroup = (name: string, tag: string): JsonObject => ({
  type: 'Microsoft.Network/ipGroups',
  apiVersion: '2023-04-01',
  name,
  location: 'eastus',
  tags: { of: tag },
});

/** Fails when its turn comes: there is no such network. */
const orphan: JsonObject = {
  type: 'Microsoft.Network/virtualNetworks/subnets',
  apiVersion: '2023-04-01',
  name: 'none/orphan',
  properties: { addressPrefix: '10.0.0.0/24' },
};

function nested(name: string, resources: JsonObject[]): JsonObject {
  const type = 'Microsoft.Resources/deployments';
  const properties = { mode: 'Incremental', template: template({ resources }) };
  return { type, apiVersion: '2022-09-01', name, properties };
}

/** What is told of a nested deployment that was accepted, and then failed. */
const accepted = (name: string, details: JsonObject[]): JsonObject => ({
  code: 'ResourceDeploymentFailure',
  target: expect.stringContaining(`/deployments/${name}`),
  details: [{ code: 'DeploymentFailed', target: expect.stringContaining(`/deployments/${name}`), details }],
});

async function operationsOf(name: string): Promise<JsonObject[]> {
  const { json } = await cloud.arm(`${group}/providers/Microsoft.Resources/deployments/${name}/operations?${API}`);
  return (json.value as JsonObject[]).map(({ properties }) => properties as JsonObject);
}

/** Deploys and waits. Answers the deployment's properties. */
async function deploy(name: string, resources: JsonObject[], more: JsonObject = {}): Promise<JsonObject> {
  const url = `${group}/providers/Microsoft.Resources/deployments/${name}?${API}`;
  const properties = { mode: 'Incremental', template: template({ resources }), ...more };
  const put = await cloud.arm(url, { method: 'PUT', body: { properties } });
  if (put.status >= 400) return put.json;
  await cloud.ended(put);
  return (await cloud.arm(url)).json.properties as JsonObject;
}

describe('a deployment that fails', () => {
  it('nests the details of nested deployments, each with its target', async () => {
    const inner = nested('inner', [orphan]);
    const { error, provisioningState } = await deploy('outer', [nested('middle', [inner])]);
    expect(provisioningState).toBe('Failed');
    expect(error).toMatchObject({
      code: 'DeploymentFailed',
      target: expect.stringContaining('/deployments/outer'),
      details: [
        accepted('middle', [
          accepted('inner', [{ code: 'ParentResourceNotFound', target: expect.stringContaining('/subnets/orphan') }]),
        ]),
      ],
    });
    const operations = await operationsOf('outer');
    expect(operations).toMatchObject([
      {
        provisioningState: 'Failed',
        statusCode: 'Conflict',
        statusMessage: { status: 'Failed', error: { code: 'ResourceDeploymentFailure' } },
      },
    ]);
  });

  it('names each output that has no value', async () => {
    const outputs = {
      fine: { type: 'string', value: 'x' },
      wrong: { type: 'string', value: "[reference('there').nothing]" },
      absent: {
        type: 'string',
        value: "[reference(resourceId('Microsoft.Storage/storageAccounts', 'none'), '2024-01-01').kind]",
      },
    };
    const done = await deploy('outputs', [], {
      template: template({ resources: [ipGroup('there', 'x')], outputs }),
    });
    expect(done).toMatchObject({
      provisioningState: 'Failed',
      error: {
        code: 'DeploymentOutputEvaluationFailed',
        message: expect.stringContaining("'wrong, absent'"),
        details: [
          {
            code: 'DeploymentOutputEvaluationFailed',
            target: 'wrong',
            message: expect.stringMatching(/^The template output 'wrong' is not valid: .*'nothing' doesn't exist/),
          },
          { code: 'ResourceNotFound', target: 'absent' },
        ],
      },
    });
    expect(await operationsOf('outputs')).toMatchObject([
      { provisioningOperation: 'Create', statusCode: 'Created' },
      { provisioningOperation: 'EvaluateDeploymentOutput', provisioningState: 'Failed' },
    ]);
  });

  it('tells of what complete mode could not delete', async () => {
    await deploy('before', [ipGroup('locked', 'x'), ipGroup('free', 'x')]);
    const lock = `${group}/providers/Microsoft.Network/ipGroups/locked/providers/Microsoft.Authorization/locks/held?${API}`;
    await cloud.arm(lock, { method: 'PUT', body: { properties: { level: 'CanNotDelete' } } });
    expect((await deploy('complete', [], { mode: 'Complete' })).error).toMatchObject({
      code: 'DeploymentFailed',
      details: [{ code: 'ScopeLocked', target: expect.stringContaining('/ipGroups/locked') }],
    });
    const deletes = (await operationsOf('complete')).filter((one) => one.provisioningOperation === 'Delete');
    expect(deletes.filter(({ provisioningState }) => provisioningState === 'Failed')).toHaveLength(1);
    expect(deletes.length).toBeGreaterThan(1);
    expect((await cloud.arm(`${group}/providers/Microsoft.Network/ipGroups/free?${API}`)).status).toBe(404);
    await cloud.arm(lock, { method: 'DELETE' });
  });

  it('is told with its place in the template when it is refused', async () => {
    const wrong = { ...ipGroup('a', 'x'), properties: { list: [{ of: "[nothing('x')]" }] } };
    expect((await deploy('wrong', [ipGroup('b', 'x'), wrong])).error).toMatchObject({
      code: 'InvalidTemplate',
      message: expect.stringContaining("'nothing'"),
      additionalInfo: [
        {
          type: 'TemplateViolation',
          info: { path: 'properties.template.resources[1].properties.list[0].of' },
        },
      ],
    });
  });
});

describe('a deployment that is cancelled', () => {
  it('begins nothing more, and neither does one nested in it', async () => {
    const account = (name: string): JsonObject => ({
      type: 'Microsoft.Storage/storageAccounts',
      apiVersion: '2023-01-01',
      name,
      location: 'eastus',
      sku: { name: 'Standard_LRS' },
      kind: 'StorageV2',
    });
    const second = { ...account('cancelledsecond'), dependsOn: ['cancelledfirst'] };
    const resources = [nested('within', [account('cancelledfirst'), second])];
    const at = (name: string, action = ''): string =>
      `${group}/providers/Microsoft.Resources/deployments/${name}${action}?${API}`;
    cloud.at.clock.setSpeed(0);
    const running = deploy('cancelled', resources);
    await expect
      .poll(async () => (await cloud.arm(at('within'))).json.properties, { interval: 20 })
      .toMatchObject({ provisioningState: 'Running' });
    expect((await cloud.arm(at('cancelled', '/cancel'), { method: 'POST' })).status).toBe(204);
    cloud.at.clock.setSpeed(1);
    expect(await running).toMatchObject({ provisioningState: 'Canceled' });
    expect((await cloud.arm(at('within'))).json.properties).toMatchObject({ provisioningState: 'Canceled' });
    const { json } = await cloud.arm(`${group}/resources?${API}`);
    expect(JSON.stringify(json)).not.toContain('cancelledsecond');
  });
});

describe('onErrorDeployment', () => {
  const tagOf = async (name: string): Promise<unknown> =>
    (await cloud.arm(`${group}/providers/Microsoft.Network/ipGroups/${name}?${API}`)).json.tags;
  const failing = (tag: string): JsonObject[] => [ipGroup('kept', tag), orphan];
  const of = (onErrorDeployment: JsonObject): JsonObject => ({ onErrorDeployment });

  it('deploys the last successful deployment again', async () => {
    await deploy('good', [ipGroup('kept', 'one')]);
    await deploy('better', [ipGroup('kept', 'two')]);
    const failed = await deploy('failing', failing('three'), of({ type: 'LastSuccessful' }));
    expect(failed).toMatchObject({
      provisioningState: 'Failed',
      error: { code: 'DeploymentFailed' },
      onErrorDeployment: {
        type: 'LastSuccessful',
        deploymentName: 'better',
        provisioningState: 'Succeeded',
      },
    });
    expect(await tagOf('kept')).toEqual({ of: 'two' });
  });

  it('deploys the one that it names, with its own parameters', async () => {
    const parameterized = template({
      parameters: { tag: { type: 'string', defaultValue: 'default' } },
      resources: [ipGroup('kept', "[parameters('tag')]")],
    });
    await deploy('named', [], { template: parameterized, parameters: { tag: { value: 'given' } } });
    const more = of({ type: 'SpecificDeployment', deploymentName: 'named' });
    expect(await deploy('again', failing('four'), more)).toMatchObject({
      onErrorDeployment: { deploymentName: 'named', provisioningState: 'Succeeded' },
    });
    expect(await tagOf('kept')).toEqual({ of: 'given' });
  });

  it('is refused where it names what cannot be deployed', async () => {
    const cases: [JsonObject, string][] = [
      [{ type: 'SpecificDeployment', deploymentName: 'none' }, 'DeploymentNotFound'],
      [{ type: 'SpecificDeployment', deploymentName: 'failing' }, 'OnErrorDeploymentNotSuccessful'],
      [{ type: 'SpecificDeployment' }, 'InvalidOnErrorDeployment'],
      [{ type: 'Dance' }, 'InvalidOnErrorDeployment'],
    ];
    for (const [asked, code] of cases)
      expect((await deploy('refused', [], of(asked))).error, JSON.stringify(asked)).toMatchObject({ code });
  });

  it('is not needed where nothing fails', async () => {
    const done = await deploy('fine', [ipGroup('kept', 'five')], of({ type: 'LastSuccessful' }));
    expect(done).toMatchObject({
      provisioningState: 'Succeeded',
      onErrorDeployment: { provisioningState: 'NotStarted' },
    });
    expect(await tagOf('kept')).toEqual({ of: 'five' });
  });
});
