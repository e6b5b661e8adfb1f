/** Deployments of the standby's template, on the local Azure. */
import { RestError } from '@azure/core-rest-pipeline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apiVersions } from '../../src/azure/azure.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { deployTemplate } from '../../src/provision/deploy-template.ts';
import { foretell } from '../../src/provision/what-if.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { topologyOf } from '../topology/minimal.ts';
import { startLocalAzure, type LocalAzure } from '../azure/local.ts';

let azure: LocalAzure;
beforeAll(async () => {
  azure = await startLocalAzure();
});
afterAll(() => azure.close());
beforeEach(() => azure.cloud.faults.clear(['westus3']));

const storage = (name: string, sku = 'Standard_LRS') => ({
  type: 'Microsoft.Storage/storageAccounts',
  apiVersion: '2023-05-01',
  name,
  location: "[parameters('location')]",
  kind: 'StorageV2',
  sku: { name: sku },
  properties: {},
});

function templateOf(resources: unknown[]) {
  return {
    source: 'templates/standby.json',
    template: {
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      contentVersion: '1.0.0.0',
      parameters: { location: { type: 'string' } },
      resources,
    },
    parameters: { location: { value: 'westus3' } },
  };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });
}

let runs = 0;
const group = 'ml-west';

function contextOf(
  declared: ReturnType<typeof templateOf> | undefined,
  signal = new AbortController().signal,
): StepContext {
  const topology = topologyOf();
  const workspace = { subscriptionId: azure.subscriptionId, resourceGroup: group, name: 'fraud-west' };
  return {
    azure: azure.connect(),
    topology,
    bundle: { topology, templates: declared ? { westus3: declared } : {} },
    run: { runId: `run-${++runs}` },
    to: { region: 'westus3', workspace, template: undefined },
    signal,
    now: () => new Date(),
    checkpoint: () => Promise.resolve(),
  } as unknown as StepContext;
}

const workspace = [
  storage('fraudweststore'),
  {
    type: 'Microsoft.KeyVault/vaults',
    apiVersion: '2023-07-01',
    name: 'fraud-west-kv',
    location: "[parameters('location')]",
    properties: {
      tenantId: '[subscription().tenantId]',
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
    },
  },
  {
    type: 'Microsoft.Insights/components',
    apiVersion: '2020-02-02',
    name: 'fraud-west-ai',
    kind: 'web',
    location: "[parameters('location')]",
    properties: { Application_Type: 'web' },
  },
  {
    type: 'Microsoft.MachineLearningServices/workspaces',
    apiVersion: '2024-04-01',
    name: 'fraud-west',
    location: "[parameters('location')]",
    identity: { type: 'SystemAssigned' },
    dependsOn: [
      "[resourceId('Microsoft.Storage/storageAccounts', 'fraudweststore')]",
      "[resourceId('Microsoft.KeyVault/vaults', 'fraud-west-kv')]",
      "[resourceId('Microsoft.Insights/components', 'fraud-west-ai')]",
    ],
    properties: {
      storageAccount: "[resourceId('Microsoft.Storage/storageAccounts', 'fraudweststore')]",
      keyVault: "[resourceId('Microsoft.KeyVault/vaults', 'fraud-west-kv')]",
      applicationInsights: "[resourceId('Microsoft.Insights/components', 'fraud-west-ai')]",
    },
  },
];

describe('a template', () => {
  it('that lacks a parameter is refused for good, with what Azure said', async () => {
    const declared = { ...templateOf([storage('fraudwestx')]), parameters: {} as never };
    await expect(deployTemplate(contextOf(declared))).rejects.toMatchObject({
      code: 'AzureError',
      message: expect.stringMatching(
        /^deploying templates\/standby\.json as "understudy-run-\d+" into resource group "ml-west": .*location/,
      ),
    });
  });

  it('that takes longer than the policy fails the step, and says what to do', async () => {
    const context = contextOf(templateOf([storage('fraudslow')]));
    Object.assign(context.topology.policies, { provisionDeadline: '1s', whatIfDeadline: '1s' });
    azure.cloud.clock.setSpeed(0); // nothing that is long-running ends
    try {
      await expect(deployTemplate(context)).rejects.toMatchObject({
        code: 'PreconditionError',
        message: expect.stringMatching(/into resource group "ml-west": not done within 1s$/),
        details: { next: expect.stringContaining(`retry ${context.run.runId}`) },
      });
    } finally {
      azure.cloud.clock.setSpeed(1);
    }
  });

  it('that fails half-way says which resource, and why; it is not taken for silence', async () => {
    const orphan = {
      type: 'Microsoft.Network/virtualNetworks/subnets',
      apiVersion: '2023-04-01',
      name: 'none/orphan',
    };
    const failure = deployTemplate(contextOf(templateOf([orphan])));
    await expect(failure).rejects.toMatchObject({ code: 'AzureError' });
    await expect(failure).rejects.toThrow(/ParentResourceNotFound.*virtualNetworks\/none/);
  });

  it('that is refused says what is wrong, which Azure tells in the details alone', async () => {
    const failure = deployTemplate(contextOf(templateOf([storage('Not A Valid Name')])));
    await expect(failure).rejects.toMatchObject({ code: 'AzureError' });
    await expect(failure).rejects.toThrow(/InvalidTemplateDeployment.*Not A Valid Name/);
  });

  it('that Azure itself fails is tried again: the error passes', async () => {
    azure.cloud.faults.set('westus3', {
      failNextLongRunning: [
        { type: 'Microsoft.Storage/storageAccounts', code: 'InternalServerError', message: 'of its own' },
      ],
    });
    await expect(deployTemplate(contextOf(templateOf([storage('fraudwestown')])))).rejects.toMatchObject({
      code: 'AzureUnavailable',
      message: expect.stringContaining('of its own'),
    });
  });

  it('that does not build the workspace that the topology names is not what was meant', async () => {
    await expect(deployTemplate(contextOf(templateOf([storage('fraudwestother')])))).rejects.toMatchObject({
      code: 'PreconditionError',
      message: 'workspace "fraud-west" is not in resource group "ml-west" (westus3)',
    });
  });

  it('is deployed, and deployed again by the same run without harm', async () => {
    const context = contextOf(templateOf(workspace));
    expect(await deployTemplate(context)).toMatchObject({
      state: 'completed',
      detail: expect.stringMatching(/^deployed templates\/standby\.json in /),
    });
    expect(await deployTemplate(context)).toMatchObject({ state: 'completed' });
  });

  describe('that takes away what stands', () => {
    const cluster = (more: object) => ({
      type: 'Microsoft.MachineLearningServices/workspaces/computes',
      apiVersion: '2024-04-01',
      name: 'fraud-west/gpu',
      location: "[parameters('location')]",
      dependsOn: ["[resourceId('Microsoft.MachineLearningServices/workspaces', 'fraud-west')]"],
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
      },
      ...more,
    });
    const withIdentity = () => templateOf([...workspace, cluster({ identity: { type: 'SystemAssigned' } })]);
    const without = () => templateOf([...workspace, cluster({})]);
    const line =
      'templates/standby.json took away what it does not declare: workspaces/fraud-west/computes/gpu: identity';

    it('goes on, and says what it took', async () => {
      expect(await deployTemplate(contextOf(withIdentity()))).not.toHaveProperty('lost');
      const result = await deployTemplate(contextOf(without()));
      expect(result.lost).toEqual([expect.stringContaining(line)]);
      expect(result.detail).toMatch(/; it took 1 thing from what stood there$/);
    });

    it('is foretold by a plan, which changes nothing', async () => {
      await deployTemplate(contextOf(withIdentity()));
      const { azure: connected, topology, to, bundle, signal } = contextOf(without());
      const [declared] = Object.values(bundle.templates);
      if (!declared) throw new Error('no template is declared');
      const asked = { azure: connected, topology, workspace: to.workspace, declared, signal };
      const first = await foretell(asked);
      expect(first).toEqual({
        takes: [expect.stringContaining('workspaces/fraud-west/computes/gpu: identity')],
      });
      expect(await foretell(asked)).toEqual(first);
    });

    it('says so, too, where an attempt before has taken it already', async () => {
      await deployTemplate(contextOf(withIdentity()));
      const cursors: unknown[] = [];
      const first = contextOf(without());
      first.checkpoint = ({ cursor }) => Promise.resolve(void cursors.push(cursor));
      await deployTemplate(first);
      const again = { ...contextOf(without()), cursor: cursors.at(-1) };
      expect((await deployTemplate(again)).lost).toEqual([expect.stringContaining(line)]);
    });

    it('is told of identities, tags and elements of lists, and not of defaults that come back', async () => {
      const { topology, to, bundle, signal } = contextOf(without());
      const [declared] = Object.values(bundle.templates);
      if (!declared) throw new Error('no template is declared');
      const gone = (path: string, before: unknown = 'x') => ({ path, propertyChangeType: 'Delete', before });
      const changes = [
        {
          resourceId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v',
          changeType: 'Modify',
          delta: [
            gone('properties.publicNetworkAccess'),
            gone('tags.owner'),
            gone('tags.understudy-keys-rotated-by'),
            { path: 'properties.accessPolicies', propertyChangeType: 'Array', children: [gone('1')] },
            {
              path: 'identity',
              propertyChangeType: 'Modify',
              children: [
                {
                  path: 'type',
                  propertyChangeType: 'Modify',
                  before: 'SystemAssigned, UserAssigned',
                  after: 'UserAssigned',
                },
              ],
            },
          ],
        },
        { resourceId: '/x', changeType: 'Ignore', delta: [gone('tags.a')] },
      ];
      const whatIf = () => ({ pollUntilDone: () => Promise.resolve({ changes }) });
      const connected = {
        deployments: () => ({ deployments: { whatIf } }),
      } as unknown as StepContext['azure'];
      const asked = { azure: connected, topology, workspace: to.workspace, declared, signal };
      expect(await foretell(asked)).toEqual({
        takes: ['tags.owner', 'properties.accessPolicies.1', 'identity (SystemAssigned)'].map(
          (what) => `vaults/v: ${what}`,
        ),
      });
    });

    it('takes nothing from a resource group that is not there', async () => {
      const { azure: connected, topology, to, bundle, signal } = contextOf(without());
      const workspaceRef = { ...to.workspace, resourceGroup: 'none-yet' };
      const [declared] = Object.values(bundle.templates);
      if (!declared) throw new Error('no template is declared');
      const asked = { azure: connected, topology, workspace: workspaceRef, declared, signal };
      expect(await foretell(asked)).toEqual({ takes: [] });
    });

    it('is deployed although Azure does not say in time what it would change', async () => {
      const context = contextOf(withIdentity());
      context.topology.policies.whatIfDeadline = '1s';
      const real = context.azure;
      const silent = {
        pollUntilDone: ({ abortSignal }: { abortSignal: AbortSignal }) => untilAborted(abortSignal),
      };
      context.azure = {
        ...context.azure,
        deployments: (id: string) => {
          const own = real.deployments(id).deployments;
          return { deployments: { whatIf: () => silent, createOrUpdate: own.createOrUpdate.bind(own) } };
        },
      } as unknown as StepContext['azure'];
      expect((await deployTemplate(context)).detail).toMatch(
        /^deployed .*; what it took from what stood is not known: .*: not answered within 1s$/,
      );
    });
  });

  it('leaves the tags of a resource group that is there', async () => {
    const context = contextOf(templateOf(workspace));
    const id = `/subscriptions/${azure.subscriptionId}/resourceGroups/${group}`;
    const groups = context.azure.resources(azure.subscriptionId).resourceGroups;
    await groups.createOrUpdate(group, { location: 'westus3', tags: { costCentre: '42' } });
    await deployTemplate(context);
    expect(await context.azure.arm.get(id, apiVersions.resourceGroups)).toMatchObject({
      tags: { costCentre: '42' },
    });
  });

  it('that an attempt cut short is still deploying is waited for', async () => {
    const context = contextOf(templateOf(workspace));
    const active = new RestError('still active', { statusCode: 409, code: 'DeploymentActive' });
    const deployments = () => ({
      deployments: {
        whatIf: () => ({ pollUntilDone: () => Promise.resolve({ changes: [] }) }),
        createOrUpdate: () => ({ onProgress: () => undefined, pollUntilDone: () => Promise.reject(active) }),
      },
    });
    context.azure = { ...context.azure, deployments } as unknown as StepContext['azure'];
    await expect(deployTemplate(context)).rejects.toMatchObject({
      code: 'NotYetError',
      message: expect.stringContaining('DeploymentActive'),
    });
  });

  it('is not waited for by a run that has lost its lease', async () => {
    const context = contextOf(templateOf(workspace));
    context.checkpoint = () => Promise.reject(new UnderstudyError('FencedError', 'taken over'));
    await expect(deployTemplate(context)).rejects.toMatchObject({ code: 'FencedError' });
  });

  it('need not be declared where the workspace is there', async () => {
    expect(await deployTemplate(contextOf(undefined))).toEqual({
      state: 'skipped',
      detail: 'no template is declared for westus3; its workspace is there',
    });
  });

  it('stops when the run is cancelled, and that is no failure of Azure', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(deployTemplate(contextOf(templateOf(workspace), controller.signal))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
