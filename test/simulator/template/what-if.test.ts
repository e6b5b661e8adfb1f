/** What-if: resource changes and property deltas, in the shape of Azure's published answer. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { whatIf, type WhatIfChange } from '../../../simulator/template/index.ts';
import { account, cloud, plan, storage } from './harness.ts';

async function predict(
  resources: JsonObject[],
  current: JsonObject[],
  mode: 'Incremental' | 'Complete' = 'Incremental',
  format: 'ResourceIdOnly' | 'FullResourcePayloads' = 'FullResourcePayloads',
): Promise<WhatIfChange[]> {
  const planned = plan({ resources });
  const environment = cloud(Object.fromEntries(current.map((each) => [each['id'] as string, each])));
  const bodies = await Promise.all(
    planned.resources.map(async (resource) => ({
      resource,
      body: await planned.previewBody(resource, environment),
    })),
  );
  // Nobody knows here what services would leave: what a template does not mention is then taken to stay.
  const shown = (resource: JsonObject): JsonObject => resource;
  return whatIf({ planned: bodies, current, mode, format, left: () => undefined, touched: [], shown });
}

const vnet = (name: string, tags: JsonObject, prefixes: string[], subnets: JsonObject[]): JsonObject =>
  account(name, { tags, properties: { addressSpace: { addressPrefixes: prefixes }, subnets } });
const now = (name: string, more: JsonObject): JsonObject => ({
  id: `${storage}/${name}`,
  name,
  type: 'Microsoft.Storage/storageAccounts',
  location: 'East US',
  systemData: { createdAt: 'x' },
  ...more,
});

describe('what-if', () => {
  it('tells creation, change, no change, and what is left alone or deleted', async () => {
    const resources = [
      account('new'),
      account('same', { properties: { a: 1 } }),
      account('other', { properties: { a: 2 } }),
    ];
    const current = [
      now('same', { properties: { a: 1, provisioningState: 'Succeeded', filledIn: true } }),
      now('other', { properties: { a: 1 } }),
      now('stays', { properties: {} }),
    ];
    expect(
      (await predict(resources, current)).map((each) => [each.resourceId.split('/').at(-1), each.changeType]),
    ).toEqual([
      ['new', 'Create'],
      ['other', 'Modify'],
      ['same', 'NoChange'],
      ['stays', 'Ignore'],
    ]);
    expect((await predict(resources, current, 'Complete')).at(-1)).toMatchObject({
      changeType: 'Delete',
      before: { name: 'stays' },
    });
    expect(
      (await predict(resources, current, 'Complete', 'ResourceIdOnly')).map(
        (each) => Object.keys(each).length + each.changeType,
      ),
    ).toEqual(['2Create', '2Deploy', '2Deploy', '2Delete']);
  });

  it('tells property changes as Azure’s documentation shows them', async () => {
    const [change] = await predict(
      [vnet('v', { CostCenter: '12345' }, ['10.0.0.0/15'], [{ name: 'subnet002', properties: { p: '10.0.1.0/24' } }])],
      [
        now('v', {
          tags: { CostCenter: '12345', Owner: 'Team A' },
          properties: {
            addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
            subnets: [
              { name: 'subnet001', properties: { p: '10.0.0.0/24' } },
              { name: 'subnet002', properties: { p: '10.0.1.0/24', id: 'x' } },
            ],
          },
        }),
      ],
    );
    expect(change?.changeType).toBe('Modify');
    expect(change?.delta).toEqual([
      { path: 'tags.Owner', propertyChangeType: 'Delete', before: 'Team A' },
      {
        path: 'properties.addressSpace.addressPrefixes',
        propertyChangeType: 'Array',
        children: [
          { path: '0', propertyChangeType: 'Delete', before: '10.0.0.0/16' },
          { path: '0', propertyChangeType: 'Create', after: '10.0.0.0/15' },
        ],
      },
      {
        path: 'properties.subnets',
        propertyChangeType: 'Array',
        children: [
          {
            path: '0',
            propertyChangeType: 'Delete',
            before: { name: 'subnet001', properties: { p: '10.0.0.0/24' } },
          },
        ],
      },
    ]);
  });

  it('shows a creation with what would be sent, and what cannot be known as its expression', async () => {
    const [change] = await predict([account('a', { properties: { x: "[reference('b').y]" } }), account('b')], []);
    expect(change).toEqual({
      resourceId: `${storage}/a`,
      changeType: 'Create',
      after: {
        apiVersion: '2023-05-01',
        id: `${storage}/a`,
        type: 'Microsoft.Storage/storageAccounts',
        name: 'a',
        location: 'eastus',
        properties: { x: "[reference('b').y]" },
      },
    });
  });

  it('tells a new property', async () => {
    const [change] = await predict(
      [account('a', { tags: { myNewTag: 'my tag value' } })],
      [now('a', { properties: {} })],
    );
    expect(change?.delta).toEqual([{ path: 'tags.myNewTag', propertyChangeType: 'Create', after: 'my tag value' }]);
  });

  it('tells what would be gone, where it is known what would be left', () => {
    const old = now('a', {
      tags: { team: 'ml' },
      identity: { type: 'SystemAssigned' },
      properties: { acls: { rules: ['x'] }, order: [1, 2], kept: null, made: 1 },
    });
    const left = now('a', { properties: { order: [2, 1], kept: null, empty: {} } });
    const [resource] = plan({ resources: [account('a')] }).resources;
    if (!resource) throw new Error('the plan is empty');
    const predicted = whatIf({
      planned: [{ resource, body: {} }],
      current: [old],
      left: () => left,
      touched: [],
      mode: 'Incremental',
      format: 'FullResourcePayloads',
      shown: (one) => one,
    });
    expect(predicted).toMatchObject([{ changeType: 'Modify', after: { properties: left['properties'] } }]);
    expect(predicted[0]?.delta?.map(({ path, propertyChangeType: kind }) => `${kind} ${path}`)).toEqual([
      'Modify properties.order',
      'Create properties.empty',
      'Delete properties.acls',
      'Delete properties.made',
      'Delete tags',
      'Delete identity',
    ]);
  });
});
