/** Resources: names and ids, loops, conditions, dependencies. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { account, body, failure, input, named, plan, storage, subscriptionId } from './harness.ts';

describe('names and ids', () => {
  it('of children, extensions, other scopes', () => {
    const planned = plan({
      resources: [
        account('a', {
          resources: [
            {
              type: 'blobServices',
              apiVersion: '1',
              name: 'default',
              dependsOn: ['a'],
              resources: [{ type: 'containers', apiVersion: '1', name: 'c' }],
            },
          ],
        }),
        {
          type: 'Microsoft.Authorization/locks',
          apiVersion: '1',
          name: 'l',
          scope: "[concat('Microsoft.Storage/storageAccounts/', 'a')]",
        },
        {
          type: 'Microsoft.Storage/storageAccounts/providers/locks',
          apiVersion: '1',
          name: 'a/Microsoft.Authorization/old',
        },
      ],
    });
    expect(planned.resources.map(({ id, type, name }) => [id, type, name])).toEqual([
      [`${storage}/a`, 'Microsoft.Storage/storageAccounts', 'a'],
      [`${storage}/a/blobServices/default`, 'Microsoft.Storage/storageAccounts/blobServices', 'a/default'],
      [
        `${storage}/a/blobServices/default/containers/c`,
        'Microsoft.Storage/storageAccounts/blobServices/containers',
        'a/default/c',
      ],
      [`${storage}/a/providers/Microsoft.Authorization/locks/l`, 'Microsoft.Authorization/locks', 'l'],
      [`${storage}/a/providers/Microsoft.Authorization/locks/old`, 'Microsoft.Authorization/locks', 'old'],
    ]);
  });

  it('at the scope of a subscription', () => {
    const { scope } = input({});
    const planned = plan(
      {
        resources: [
          { type: 'Microsoft.Resources/resourceGroups', apiVersion: '1', name: 'g', location: 'eastus' },
          {
            type: 'Microsoft.Resources/deployments',
            apiVersion: '1',
            name: 'inner',
            resourceGroup: 'g',
            dependsOn: ["[resourceId('Microsoft.Resources/resourceGroups/', 'g')]"],
            properties: {
              mode: 'Incremental',
              expressionEvaluationOptions: { scope: 'inner' },
              template: {},
            },
          },
        ],
      },
      {
        scope: {
          kind: 'subscription',
          subscriptionId: scope.subscriptionId,
          tenantId: scope.tenantId,
          location: 'eastus',
        },
      },
    );
    expect(planned.resources.map((each) => [each.id, each.dependsOn])).toEqual([
      [`/subscriptions/${subscriptionId}/resourceGroups/g`, []],
      [
        `/subscriptions/${subscriptionId}/resourceGroups/g/providers/Microsoft.Resources/deployments/inner`,
        [`/subscriptions/${subscriptionId}/resourceGroups/g`],
      ],
    ]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a name of too few segments',
      { type: 'A.B/c/d', apiVersion: '1', name: 'x' },
      "The template resource 'x' for type 'A.B/c/d' at line '1' and column '176' has incorrect segment lengths.",
    ],
    [
      'no api-version',
      { type: 'A.B/c', name: 'x' },
      "The template resource 'x' at line '1' and column '160' is not valid. The apiVersion property cannot be null or empty.",
    ],
    [
      'a reference in a name',
      { type: 'A.B/c', apiVersion: '1', name: "[reference('y', '1').name]" },
      "The template function 'reference' is not expected at this location.",
    ],
    [
      'a reference in a sku',
      { type: 'A.B/c', apiVersion: '1', name: 'x', sku: { name: "[reference('/y', '1').sku]" } },
      "at line '1' and column '160'. 'The template function 'reference' is not expected",
    ],
    [
      'a condition that is a text',
      { type: 'A.B/c', apiVersion: '1', name: 'x', condition: 'yes' },
      "The condition must be of type 'Boolean', but 'yes' is of type 'String'",
    ],
    [
      'an unknown function in a property',
      { type: 'A.B/c', apiVersion: '1', name: 'x', properties: { y: ['[foo()]'] } },
      "The template resource 'x' at line '1' and column '160' is not valid: The template function 'foo' is not valid.",
    ],
    [
      'an unknown dependency',
      { type: 'A.B/c', apiVersion: '1', name: 'x', dependsOn: ['y'] },
      "The resource 'y' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.",
    ],
    [
      'too many turns',
      { type: 'A.B/c', apiVersion: '1', name: 'x', copy: { name: 'l', count: 801 } },
      "The specified copy count '801' is not valid",
    ],
  ])('refuse %s', async (_, resource, message) => {
    expect(await failure(() => plan({ resources: [resource] }))).toContain(message);
  });

  it('refuse two resources of one id, in any case', async () => {
    expect(await failure(() => plan({ resources: [account('a'), account('A')] }))).toContain(
      "The resource 'Microsoft.Storage/storageAccounts/A' at line '1' and column '262' is defined multiple times in a template.",
    );
  });
});

describe('loops', () => {
  it('of resources: names, offsets, bodies, and all of them as a dependency', async () => {
    const planned = plan({
      resources: [
        account("[concat('s', copyIndex(1))]", {
          // A count may be written as a text.
          copy: { name: 'accounts', count: '3' },
          tags: { n: "[string(copyIndex('accounts'))]" },
        }),
        account('after', { dependsOn: ['accounts'] }),
      ],
    });
    expect(planned.resources.map((each) => each.name)).toEqual(['s1', 's2', 's3', 'after']);
    expect(named(planned, 'after').dependsOn).toEqual([`${storage}/s1`, `${storage}/s2`, `${storage}/s3`]);
    expect(named(planned, 's2').copy).toEqual({ name: 'accounts', index: 1, count: 3 });
    expect(await body(planned, 's3')).toEqual({ location: 'eastus', tags: { n: '2' } });
  });

  it('in batches: each waits for the batch before', () => {
    const planned = plan({
      resources: [
        account("[concat('s', copyIndex())]", {
          copy: { name: 'l', count: 5, mode: 'serial', batchSize: 2 },
        }),
      ],
    });
    expect(planned.resources.map((each) => each.dependsOn.map((id) => id.slice(-2)))).toEqual([
      [],
      [],
      ['s0', 's1'],
      ['s0', 's1'],
      ['s2', 's3'],
    ]);
  });

  it('of properties, inside a loop of resources', async () => {
    const planned = plan({
      resources: [
        account("[concat('s', copyIndex())]", {
          copy: { name: 'l', count: 2 },
          properties: {
            copy: [
              {
                name: 'disks',
                count: 2,
                input: {
                  lun: "[copyIndex('disks')]",
                  of: '[copyIndex()]',
                  both: "[add(mul(copyIndex('l'), 10), copyIndex('disks', 1))]",
                },
              },
            ],
          },
        }),
      ],
    });
    expect(await body(planned, 's1')).toEqual({
      location: 'eastus',
      properties: {
        disks: [
          { lun: 0, of: 1, both: 11 },
          { lun: 1, of: 1, both: 12 },
        ],
      },
    });
  });

  it('without a turn leave nothing, and may be depended on', () => {
    const planned = plan({
      resources: [account('x', { copy: { name: 'none', count: 0 } }), account('after', { dependsOn: ['none'] })],
    });
    expect(planned.resources.map((each) => [each.name, each.dependsOn])).toEqual([['after', []]]);
  });
});

describe('conditions and dependencies', () => {
  it('drop what is not deployed, and dependencies on it', () => {
    const planned = plan({
      parameters: { make: { type: 'bool', defaultValue: false } },
      resources: [
        account('a', { condition: "[parameters('make')]", properties: {} }),
        account('b', { dependsOn: ["[resourceId('Microsoft.Storage/storageAccounts', 'a')]"] }),
      ],
    });
    expect(planned.resources.map((each) => [each.name, each.dependsOn])).toEqual([['b', []]]);
  });

  it('do not ask for the name of what is not deployed', () => {
    const planned = plan({
      parameters: { vaultId: { type: 'string', nullable: true } },
      languageVersion: '2.0',
      resources: {
        vault: {
          condition: "[not(empty(parameters('vaultId')))]",
          existing: true,
          type: 'Microsoft.KeyVault/vaults',
          apiVersion: '2023-07-01',
          name: "[last(split(parameters('vaultId'), '/'))]",
        },
        a: account('a', { dependsOn: ['vault'] }),
      },
    });
    expect(planned.resources.map((each) => [each.name, each.dependsOn])).toEqual([['a', []]]);
  });

  it('follow references by name and by id', () => {
    const planned = plan({
      resources: [
        account('a', { properties: { of: "[reference('b').x]" } }),
        account('b', {
          properties: {
            of: "[listKeys(resourceId('Microsoft.Storage/storageAccounts', 'c'), '2023-05-01').keys[0].value]",
          },
        }),
        account('c', { dependsOn: ['Microsoft.Storage/storageAccounts/d'] }),
        account('d'),
      ],
    });
    expect(planned.resources.map((each) => each.dependsOn.map((id) => id.at(-1)))).toEqual([['b'], ['c'], ['d'], []]);
  });

  it('refuse a circle', async () => {
    const resources = [account('a', { dependsOn: ['b'] }), account('b', { properties: { of: "[reference('a').x]" } })];
    expect(await failure(() => plan({ resources }))).toContain(
      `Circular dependency detected on resource: '${storage}/a'`,
    );
  });
});
