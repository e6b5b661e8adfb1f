/** Resource groups and deployments answer as Azure's published description of them says: status, headers and body. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { offersOnResources, publishedResources } from '../../simulator/groups/published.ts';
import { findDescriptions, loadOperations, violations, type Operation } from './machinelearning/api-description.ts';
import { startFixture, text, type Fixture } from './machinelearning/fixture.ts';

const found = findDescriptions();
const beside = found && join(found, '../../deployments/2024-03-01');
const folder = beside !== undefined && existsSync(beside) ? beside : undefined;
const operations = folder === undefined ? [] : loadOperations(folder, ['resources.json']);

const DEPLOYMENT = {
  properties: {
    mode: 'Incremental',
    template: {
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      contentVersion: '1.0.0.0',
      resources: [
        {
          type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
          apiVersion: '2023-01-31',
          name: 'writer',
          location: 'eastus',
        },
      ],
      outputs: { where: { type: 'string', value: '[deployment().name]' } },
    },
  },
};
const GROUPS = {
  location: 'eastus',
  properties: {
    ...DEPLOYMENT.properties,
    template: {
      ...DEPLOYMENT.properties.template,
      resources: [
        {
          type: 'Microsoft.Resources/resourceGroups',
          apiVersion: '2024-03-01',
          name: 'made',
          location: 'eastus',
        },
      ],
    },
  },
};

/** The operations that were held against their description. */
const held = new Set<string>();
let azure: Fixture;
beforeAll(async () => {
  azure = await startFixture();
}, 60_000);
afterAll(() => azure?.close());

function operationOf(id: string): Operation {
  const operation = operations.find((one) => one.id === id);
  if (!operation) throw new Error(`${id} is not described`);
  return operation;
}

function requestOf(id: string, values: Record<string, string>): [method: string, path: string] {
  const { method, path } = operationOf(id);
  const named: Record<string, string> = { subscriptionId: azure.running.address.subscriptionId, ...values };
  const filled = path
    .replace(/\/$/, '')
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? name)
    .replaceAll(/(?<!:)\/\/+/g, '/');
  return [method, `${filled}?api-version=2024-03-01`];
}

function groupOf(name: string): string {
  return `${azure.subscription}/resourceGroups/${name}`;
}

/** Asks an operation, waits for its end, and holds the first answer against what is published. Answers its body. */
async function ask(id: string, values: Record<string, string>, body?: JsonObject): Promise<JsonObject> {
  held.add(id);
  const operation = operationOf(id);
  const answer = await azure.arm(...requestOf(id, values), body);
  expect(Object.keys(operation.responses), `${id}: ${JSON.stringify(answer.body)}`).toContain(String(answer.status));
  const schema = operation.responses[String(answer.status)];
  if (schema) expect(violations(answer.body, schema)).toEqual([]);
  expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(operation.headers[String(answer.status)] ?? []));
  const ended = await azure.settle(answer);
  expect(ended.status, JSON.stringify(ended)).toBe('Succeeded');
  return answer.body;
}

describe.skipIf(folder === undefined)('Azure’s description of deployments (set AZURE_SPECS to its folder)', () => {
  it('holds for resource groups', async () => {
    const group = { resourceGroupName: 'published' };
    await ask('ResourceGroups_CreateOrUpdate', group, { location: 'eastus', tags: { a: '1' } });
    await ask('ResourceGroups_CheckExistence', group);
    expect((await ask('ResourceGroups_Update', group, { tags: { b: '2' } })).tags).toMatchObject({
      b: '2',
    });
    expect(await ask('ResourceGroups_Get', group)).toMatchObject({ name: 'published', location: 'eastus' });
    expect((await ask('ResourceGroups_List', {})).value).toHaveLength(1);
    await ask('Resources_ListByResourceGroup', group);
    await ask('Resources_List', {});
    await ask('ResourceGroups_Delete', group);
    expect((await azure.arm('GET', groupOf('published'))).status).toBe(404);
  });

  it.each([
    ['', 'ListByResourceGroup', { resourceGroupName: 'ml', deploymentName: 'first' }, DEPLOYMENT],
    ['AtSubscriptionScope', 'ListAtSubscriptionScope', { deploymentName: 'second' }, GROUPS],
  ] as const)('holds for deployments %s', async (scope, list, names, body) => {
    await ask('ResourceGroups_CreateOrUpdate', { resourceGroupName: 'ml' }, { location: 'eastus' });
    await ask(`Deployments_Validate${scope}`, names, body);
    await ask(`Deployments_WhatIf${scope}`, names, body);
    await ask(`Deployments_CreateOrUpdate${scope}`, names, body);
    await ask(`Deployments_CheckExistence${scope}`, names);
    const got = await ask(`Deployments_Get${scope}`, names);
    expect(got.properties).toMatchObject({ provisioningState: 'Succeeded' });
    await ask(`Deployments_${list}`, names);
    const { template } = await ask(`Deployments_ExportTemplate${scope}`, names);
    expect(template).toMatchObject({ contentVersion: '1.0.0.0' });
    await requireCancel(`Deployments_Cancel${scope}`, names);
    const { value } = await ask(`DeploymentOperations_List${scope}`, names);
    const operationId = text((value as JsonObject[])[0]?.operationId ?? '');
    await ask(`DeploymentOperations_Get${scope}`, { ...names, operationId });
    await ask(`Deployments_Delete${scope}`, names);
    expect(await statusOf(`Deployments_Delete${scope}`, names)).toBe(204);
  });

  it('holds for deployments at a scope that is spelled out', async () => {
    await ask('ResourceGroups_CreateOrUpdate', { resourceGroupName: 'spelled' }, { location: 'eastus' });
    const names = { scope: groupOf('spelled').slice(1), deploymentName: 'third' };
    await ask('Deployments_ValidateAtScope', names, DEPLOYMENT);
    await ask('Deployments_CreateOrUpdateAtScope', names, DEPLOYMENT);
    await ask('Deployments_CheckExistenceAtScope', names);
    await ask('Deployments_GetAtScope', names);
    expect((await ask('Deployments_ListAtScope', names)).value).toHaveLength(1);
    await ask('Deployments_ExportTemplateAtScope', names);
    await requireCancel('Deployments_CancelAtScope', names);
    const { value } = await ask('DeploymentOperations_ListAtScope', names);
    const operationId = text((value as JsonObject[])[0]?.operationId ?? '');
    await ask('DeploymentOperations_GetAtScope', { ...names, operationId });
    await ask('Deployments_DeleteAtScope', names);
  });

  it('holds for resources of any type', async () => {
    await ask('ResourceGroups_CreateOrUpdate', { resourceGroupName: 'any' }, { location: 'eastus' });
    const plan = {
      resourceGroupName: 'any',
      resourceProviderNamespace: 'Microsoft.Web',
      parentResourcePath: '',
      resourceType: 'serverfarms',
      resourceName: 'plan',
    };
    const resourceId = `${groupOf('any').slice(1)}/providers/Microsoft.Web/serverfarms/plan`;
    for (const [suffix, names] of [
      ['', plan],
      ['ById', { resourceId }],
    ] as const) {
      await ask(`Resources_CreateOrUpdate${suffix}`, names, { location: 'eastus', sku: { name: 'S1' } });
      await ask(`Resources_CheckExistence${suffix}`, names);
      expect(await ask(`Resources_Update${suffix}`, names, { tags: { a: '1' } })).toMatchObject({
        sku: { name: 'S1' },
        tags: { a: '1' },
      });
      expect((await ask(`Resources_Get${suffix}`, names)).name).toBe('plan');
      await ask(`Resources_Delete${suffix}`, names);
    }
  });

  it('holds for tags at a scope', async () => {
    await ask('ResourceGroups_CreateOrUpdate', { resourceGroupName: 'tagged' }, { location: 'eastus' });
    const scope = { scope: groupOf('tagged').slice(1) };
    const tagsOf = async (): Promise<unknown> => ((await ask('Tags_GetAtScope', scope)).properties as JsonObject).tags;
    const patch = async (operation: string, tags: JsonObject): Promise<unknown> => {
      await ask('Tags_UpdateAtScope', scope, { operation, properties: { tags } });
      return tagsOf();
    };
    expect(await tagsOf()).toEqual({});
    expect(await patch('Merge', { a: '1' })).toEqual({ a: '1' });
    await ask('Tags_CreateOrUpdateAtScope', scope, { properties: { tags: { a: '1', b: '2', c: '3' } } });
    expect(await patch('Merge', { A: '0', d: '4' })).toEqual({ A: '0', b: '2', c: '3', d: '4' });
    expect(await patch('Delete', { A: 'other', b: '2', c: '' })).toEqual({ A: '0', d: '4' });
    expect(await patch('Replace', { e: '5' })).toEqual({ e: '5' });
    expect((await azure.arm('GET', groupOf('tagged'))).body.tags).toEqual({ e: '5' });
    expect(await statusOf('Tags_UpdateAtScope', scope, { operation: 'Dance', properties: { tags: {} } })).toBe(400);
    await ask('Tags_DeleteAtScope', scope);
    expect(await tagsOf()).toEqual({});
  });

  it('holds for providers', async () => {
    const web = { resourceProviderNamespace: 'Microsoft.Web' };
    await ask('Operations_List', {});
    for (const id of ['Providers_List', 'Providers_ListAtTenantScope'])
      expect(((await ask(id, {})).value as JsonObject[]).length).toBeGreaterThan(50);
    for (const id of ['Get', 'GetAtTenantScope', 'Register', 'Unregister', 'ProviderPermissions'])
      await ask(`Providers_${id}`, web);
    expect(JSON.stringify(await ask('ProviderResourceTypes_List', web))).toContain('"sites"');
    const hash = async (): Promise<unknown> =>
      (await ask('Deployments_CalculateTemplateHash', {}, DEPLOYMENT.properties.template)).templateHash;
    expect(await hash()).toBe(await hash());
  });

  it('holds for the export of a group, which can be deployed to another', async () => {
    const from = { resourceGroupName: 'from' };
    await ask('ResourceGroups_CreateOrUpdate', from, { location: 'eastus' });
    const network = `${groupOf('from')}/providers/Microsoft.Network`;
    await azure.put(`${network}/networkSecurityGroups/guard?api-version=2024-03-01`, {
      location: 'eastus',
      properties: { securityRules: [{ name: 'in', properties: { priority: 100 } }] },
    });
    const guarded = { networkSecurityGroup: { id: `${network}/networkSecurityGroups/guard` } };
    await azure.put(`${network}/virtualNetworks/net?api-version=2024-03-01`, {
      location: 'eastus',
      properties: { subnets: [{ name: 'a', properties: { addressPrefix: '10.0.0.0/24', ...guarded } }] },
    });
    await ask('ResourceGroups_ExportTemplate', from, { resources: ['*'] });
    const body = { resources: ['*'], options: 'IncludeParameterDefaultValue' };
    const answer = await azure.arm('POST', `${groupOf('from')}/exportTemplate`, body);
    const result = await azure.settle(answer);
    expect(result.status).toBe('Succeeded');
    const { template = {} } = (await azure.arm('GET', text(answer.headers.location))).body;
    await ask('ResourceGroups_CreateOrUpdate', { resourceGroupName: 'to' }, { location: 'eastus' });
    await ask(
      'Deployments_CreateOrUpdate',
      { resourceGroupName: 'to', deploymentName: 'copy' },
      { properties: { mode: 'Incremental', template } },
    );
    const copied = await azure.arm('GET', `${groupOf('to')}/providers/Microsoft.Network/virtualNetworks/net/subnets/a`);
    expect(copied.body.properties).toMatchObject({
      addressPrefix: '10.0.0.0/24',
      networkSecurityGroup: { id: expect.stringContaining('/resourceGroups/to/') },
    });
  });

  it('was held for all that is offered', () => {
    const offered = publishedResources.filter(offersOnResources).map(({ id }) => id);
    expect([...held].toSorted()).toEqual(offered.toSorted());
    expect(operations.map(({ id }) => id).toSorted()).toEqual(publishedResources.map(({ id }) => id).toSorted());
  });

  it('names what is not offered', async () => {
    const refused = publishedResources.filter((operation) => !offersOnResources(operation));
    expect(refused.length).toBeGreaterThan(0);
    for (const { id, method, path } of refused) {
      const named = path
        .replace('{subscriptionId}', azure.running.address.subscriptionId)
        .replaceAll(/\{\w+\}/g, 'none');
      const { status, body } = await azure.arm(method, named, method === 'GET' ? undefined : {});
      // A HEAD has no body to name it in.
      if (method === 'HEAD') expect([id, status]).toEqual([id, 501]);
      else expect([id, status, (body.error as JsonObject).target]).toEqual([id, 501, id]);
    }
  });
});

/** The status of an operation that is refused, or that finds nothing to do. */
async function statusOf(id: string, values: Record<string, string>, body?: JsonObject): Promise<number> {
  return (await azure.arm(...requestOf(id, values), body)).status;
}

/** What has ended can no longer be cancelled. */
async function requireCancel(id: string, values: Record<string, string>): Promise<void> {
  held.add(id);
  const { status, body } = await azure.arm(...requestOf(id, values));
  expect([status, (body.error as JsonObject).code]).toEqual([409, 'DeploymentCannotBeCancelled']);
}
