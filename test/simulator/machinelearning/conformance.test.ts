/**
 * Each operation that is offered answers its published examples as its published schema says, and what was put comes
 * back whole. An example's placeholders ("string" as an id of an identity, say) are replaced by something real where
 * nothing could have that name.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offers } from '../../../simulator/operations-table.ts';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { published } from '../../../simulator/machinelearning/unoffered.ts';
import { findDescriptions, loadOperations, violations, type Operation } from './api-description.ts';
import { makeWorkspace, startFixture, text, type Answer, type Fixture } from './fixture.ts';
import { real } from './placeholders.ts';
import { missing } from './whole.ts';

const folder = findDescriptions();
const operations = folder === undefined ? [] : loadOperations(folder);

/** Operations whose example needs a resource of a certain kind: the maker's example to take, and a change to it. */
const NEEDS: Record<string, { example?: RegExp; change?: JsonObject }> = {
  Jobs_Cancel: {},
  Compute_Start: { example: /ComputeInstance Compute with minimal/ },
  Compute_Stop: { example: /ComputeInstance Compute with minimal/ },
  Compute_Restart: { example: /ComputeInstance Compute with minimal/ },
  Compute_ListKeys: { example: /Create an AKS/ },
  OnlineEndpoints_ListKeys: { change: { authMode: 'Key' } },
  OnlineEndpoints_RegenerateKeys: { change: { authMode: 'Key' } },
  BatchEndpoints_ListKeys: { change: { authMode: 'Key' } },
};

let azure: Fixture;
let identity: string;

beforeAll(async () => {
  if (folder === undefined) return;
  azure = await startFixture({ regions: ['eastus', 'eastus2euap'], throttling: 'off' });
  const group = azure.group('eastus');
  await makeWorkspace(azure, 'eastus', 'donor');
  identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/testuai`;
  await azure.put(`${identity}?api-version=2023-01-31`, { location: 'eastus' });
}, 60_000);
afterAll(() => azure?.close());

describe.skipIf(folder === undefined)('Azure’s API descriptions (set AZURE_SPECS to their folder)', () => {
  const offered = operations.filter(offers);

  it('cover what is offered', () => {
    expect(offered.length).toBeGreaterThanOrEqual(150);
    expect(operations.map(({ id, method, path }) => ({ id, method, path })).toSorted(byId)).toEqual(
      published.toSorted(byId),
    );
    expect(offered.filter((operation) => operation.examples.length === 0).map(({ id }) => id)).toEqual([]);
  });

  it('are read so that a wrong answer is found', () => {
    const get = operations.find(({ id }) => id === 'Jobs_Get')?.responses['200'];
    const good = { properties: { jobType: 'Command', command: 'a', environmentId: 'b', status: 'Running' } };
    if (!get) throw new Error('Jobs_Get is not described');
    expect(violations(good, get)).toEqual([]);
    const bad = {
      properties: { jobType: 'Command', command: 1, status: 'Dancing', resources: { instanceCount: '1' } },
    };
    expect(violations(bad, get).map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining([
        '$.properties.command',
        '$.properties.environmentId',
        '$.properties.status',
        '$.properties.resources.instanceCount',
      ]),
    );
    expect(violations({}, get)).toEqual(['$.properties: required, and not there']);
  });

  // In order of depth, so that what stands above is there; deletions last.
  const inOrder = offered.toSorted((a, b) => rank(a) - rank(b) || a.path.length - b.path.length);
  it.each(inOrder.flatMap(casesOf))('%s: %s', async (_id, _name, operation, parameters) => {
    const path = pathOf(operation, parameters);
    const sent = bodyOf(operation, parameters);
    await prepare(operation, parameters);
    // A job that is deleted must have finished: the clock is driven past its end.
    if (operation.id === 'Jobs_Delete') azure.running.clock.advance(3_600_000);
    const answer = await azure.arm(operation.method, path, sent);
    requireConformance(operation, answer);
    const ended = await azure.settle(answer);
    expect(ended.status, JSON.stringify(ended)).toBe('Succeeded');
    if (operation.method === 'PUT' || operation.method === 'PATCH') await requireWhole(operation, path, sent ?? {});
  });
});

type Case = readonly [id: string, example: string, operation: Operation, parameters: JsonObject];

/**
 * An operation's examples, each on a resource of its own where they are of different kinds or need one of a certain
 * kind.
 */
function casesOf(operation: Operation): Case[] {
  const isOwn = (operation.method === 'PUT' && operation.examples.length > 1) || operation.id in NEEDS;
  const leaf = [...operation.path.matchAll(/\{(\w+)\}/g)].at(-1)?.[1] ?? '';
  return operation.examples.map(({ name, parameters }, i) => {
    const own = {
      ...parameters,
      [leaf]: operation.id.startsWith('Features_')
        ? 'string'
        : `${text(parameters[leaf] ?? '')}${operation.id.split('_')[1]?.slice(0, 4)}${i}`,
    };
    // The version that the examples register has a specification that is nowhere.
    if (operation.id.startsWith('Features_')) own.featuresetVersion = 'described';
    // A job ends by the clock: the one to be cancelled is made for that.
    if (operation.id === 'Jobs_Cancel') own.id = 'cancelled';
    const chosen = isOwn || operation.id.startsWith('Features_') ? own : parameters;
    return [operation.id, name, operation, chosen] as const;
  });
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function rank({ method, path }: Operation): number {
  const order: Record<string, number> = { PUT: 0, PATCH: 1, GET: 2, POST: 3 };
  // Deleting begins at the leaves.
  return order[method] ?? 1000 - path.split('/').length;
}

function pathOf(operation: Operation, parameters: JsonObject): string {
  const values: JsonObject = {
    ...parameters,
    subscriptionId: azure.running.address.subscriptionId,
    location: 'eastus',
  };
  // The example of this parameter is a URL that stands for the job's name.
  if (text(values.id ?? '-').startsWith('http:')) values.id = 'string';
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(text(values[name])));
  // A compute is deleted, the alternative being refused for what Azure manages itself.
  return operation.id === 'Compute_Delete' ? `${path}?underlyingResourceAction=Delete` : path;
}

function bodyOf(operation: Operation, parameters: JsonObject): JsonObject | undefined {
  const body =
    operation.bodyName === undefined ? undefined : (parameters[operation.bodyName] as JsonObject | undefined);
  return body && (real(body, operation, { subscription: azure.subscription, identity }) as JsonObject);
}

/** Makes, where they are missing, the resources that the path stands on and that the body refers to. */
async function prepare(operation: Operation, parameters: JsonObject): Promise<void> {
  const group = parameters.resourceGroupName;
  if (group === undefined) return;
  await ensure(`${azure.subscription}/resourceGroups/${text(group)}?api-version=2021-04-01`, {
    location: 'eastus',
  });
  const segments = operation.path.split('/');
  const own = segments.findIndex((segment) => segment === 'workspaces');
  for (let end = own + 2; end <= segments.length; end += 2) {
    const template = segments.slice(0, end).join('/');
    if (template === operation.path && operation.method === 'PUT') break;
    const maker = operations.find((one) => one.method === 'PUT' && one.path === template);
    if (maker) await ensure(pathOf(maker, parameters), await makerBody(operation, maker, parameters));
  }
  if (operation.id.startsWith('Features_')) await describeFeatures(workspaceOf(parameters));
  const attached = objectAt(bodyOf(operation, parameters)?.properties).resourceId;
  if (typeof attached === 'string') await cluster(attached);
  if (operation.path.endsWith('/workspaces/{workspaceName}') && operation.method === 'PUT')
    await dependencies(bodyOf(operation, parameters) ?? {});
  else if (parameters.workspaceName !== undefined) await referred(workspaceOf(parameters));
}

function workspaceOf(parameters: JsonObject): string {
  return `${azure.subscription}/resourceGroups/${text(parameters.resourceGroupName)}/providers/Microsoft.MachineLearningServices/workspaces/${text(parameters.workspaceName)}`;
}

/** A feature set version whose specification is really there, with the feature that the examples ask for. */
async function describeFeatures(workspace: string): Promise<void> {
  const { body } = await azure.arm('GET', `${workspace}/datastores/workspaceblobstore`);
  const { accountName, containerName } = body.properties as JsonObject;
  await azure.running.cloud.blobs.putBlob(
    text(accountName),
    text(containerName),
    'spec/FeatureSetSpec.yaml',
    Buffer.from('features:\n  - { name: string, type: float, description: string, tags: { string: string } }\n'),
  );
  await ensure(`${workspace}/featuresets/string/versions/described`, {
    properties: {
      specification: { path: 'azureml://datastores/workspaceblobstore/paths/spec' },
      entities: ['azureml:string:1'],
    },
  });
}

async function makerBody(operation: Operation, maker: Operation, parameters: JsonObject): Promise<JsonObject> {
  const { example, change } = operation.path.startsWith(`${maker.path}/`) ? (NEEDS[operation.id] ?? {}) : {};
  const chosen = maker.examples.find(({ name }) => example?.test(name)) ?? maker.examples[0];
  const body = bodyOf(maker, chosen?.parameters ?? {}) ?? {};
  if (change) body.properties = { ...(body.properties as JsonObject), ...change };
  if (!maker.path.endsWith('/workspaces/{workspaceName}')) return body;
  const source = `${azure.group('eastus')}/providers/Microsoft.MachineLearningServices/workspaces/donor`;
  const { storageAccount, keyVault, applicationInsights } = (await azure.arm('GET', source)).body.properties as Record<
    string,
    string
  >;
  const location = text(parameters.location ?? 'eastus');
  return {
    location,
    properties: {
      managedNetwork: { isolationMode: 'AllowOnlyApprovedOutbound' },
      storageAccount: storageAccount ?? '',
      keyVault: keyVault ?? '',
      applicationInsights: applicationInsights ?? '',
    },
  };
}

async function ensure(path: string, body: JsonObject): Promise<void> {
  if ((await azure.arm('GET', path)).status === 404) await azure.put(path, body);
}

function objectAt(value: JsonObject[string] | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** The cluster of pods that an example attaches. */
async function cluster(id: string): Promise<void> {
  await ensure(`${id.split('/providers/')[0] ?? ''}?api-version=2021-04-01`, { location: 'eastus' });
  await ensure(`${id}?api-version=2023-01-01`, { location: 'eastus', properties: {} });
}

/** The resources that the example of a workspace names. */
async function dependencies(body: JsonObject): Promise<void> {
  const bodies: Record<string, JsonObject> = {
    storageAccount: { kind: 'StorageV2', sku: { name: 'Standard_LRS' }, properties: {} },
    keyVault: {
      properties: {
        tenantId: azure.running.address.tenantId,
        sku: { family: 'A', name: 'standard' },
        accessPolicies: [],
      },
    },
    containerRegistry: { sku: { name: 'Premium' }, properties: {} },
    applicationInsights: { kind: 'web', properties: { Application_Type: 'web' } },
  };
  for (const [field, resource] of Object.entries(bodies)) {
    const id = text((body.properties as JsonObject)[field]).replace('testStorageAccount', 'teststorageaccount');
    const group = id.split('/providers/')[0] ?? '';
    await ensure(`${group}?api-version=2021-04-01`, { location: 'eastus' });
    await ensure(`${id}?api-version=2023-01-01`, { location: 'eastus', ...resource });
  }
}

/** What the examples refer to by the name "string": a compute, and one asset of each kind. */
async function referred(workspace: string): Promise<void> {
  if ((await azure.arm('GET', workspace)).status === 404) return;
  const cluster = {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } },
  };
  await ensure(`${workspace}/computes/string`, { properties: cluster });
  await ensure(`${workspace}/codes/string/versions/string`, {
    properties: { codeUri: 'https://blobStorage/folderName' },
  });
  await ensure(`${workspace}/models/string/versions/1`, {
    properties: { modelUri: 'https://blobStorage/folderName' },
  });
  await ensure(`${workspace}/environments/string/versions/1`, {
    properties: { image: 'docker.io/tensorflow/serving:latest' },
  });
}

function requireConformance(operation: Operation, answer: Answer): void {
  const known = Object.keys(operation.responses);
  expect(known, JSON.stringify(answer.body)).toContain(String(answer.status));
  const schema = operation.responses[String(answer.status)];
  if (schema) expect(violations(answer.body, schema)).toEqual([]);
  // How long a client should poll at most is advice, and the one published header that is not given.
  const expected = (operation.headers[String(answer.status)] ?? []).filter(
    (name) => name !== 'x-ms-async-operation-timeout',
  );
  expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(expected));
  if (answer.status === 202)
    expect(answer.headers.location ?? answer.headers['azure-asyncoperation']).toMatch(/^https:/);
}

/** A GET shows all that was sent, but for secrets, in a shape that its own schema accepts. */
async function requireWhole(operation: Operation, path: string, sent: JsonObject): Promise<void> {
  const { status, body } = await azure.arm('GET', path);
  expect(status).toBe(200);
  const get = operations.find((one) => one.method === 'GET' && one.path === operation.path);
  if (get?.responses['200']) expect(violations(body, get.responses['200'])).toEqual([]);
  expect(missing(sent, body)).toEqual([]);
}
