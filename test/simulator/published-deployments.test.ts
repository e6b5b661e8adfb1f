/** Resource groups and deployments answer as Azure's published description of them says: status, headers and body. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/provider.ts';
import { findDescriptions, loadOperations, violations } from './machinelearning/api-description.ts';
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
const EMPTY = {
  location: 'eastus',
  properties: {
    ...DEPLOYMENT.properties,
    template: { ...DEPLOYMENT.properties.template, resources: [] },
  },
};

let azure: Fixture;
beforeAll(async () => {
  azure = await startFixture();
}, 60_000);
afterAll(() => azure?.close());

/** Asks an operation, waits for its end, and holds the first answer against what is published. Answers its body. */
async function ask(id: string, values: Record<string, string>, body?: JsonObject): Promise<JsonObject> {
  const operation = operations.find((one) => one.id === id);
  if (!operation) throw new Error(`${id} is not described`);
  const named: Record<string, string> = { subscriptionId: azure.running.address.subscriptionId, ...values };
  const path = operation.path
    .replace(/\/$/, '')
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? name);
  const answer = await azure.arm(operation.method, `${path}?api-version=2024-03-01`, body);
  expect(Object.keys(operation.responses), `${id}: ${JSON.stringify(answer.body)}`).toContain(
    String(answer.status),
  );
  const schema = operation.responses[String(answer.status)];
  if (schema) expect(violations(answer.body, schema)).toEqual([]);
  expect(Object.keys(answer.headers)).toEqual(
    expect.arrayContaining(operation.headers[String(answer.status)] ?? []),
  );
  const ended = await azure.settle(answer);
  expect(ended.status, JSON.stringify(ended)).toBe('Succeeded');
  return answer.body;
}

describe.skipIf(folder === undefined)(
  'Azure’s description of deployments (set AZURE_SPECS to its folder)',
  () => {
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
      expect((await azure.arm('GET', azure.group('published'))).status).toBe(404);
    });

    it.each([
      ['', 'ListByResourceGroup', { resourceGroupName: 'ml', deploymentName: 'first' }, DEPLOYMENT],
      ['AtSubscriptionScope', 'ListAtSubscriptionScope', { deploymentName: 'second' }, EMPTY],
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
      const { value } = await ask(`DeploymentOperations_List${scope}`, names);
      const [first] = value as JsonObject[];
      if (first)
        await ask(`DeploymentOperations_Get${scope}`, {
          ...names,
          operationId: text(first.operationId),
        });
    });
  },
);
