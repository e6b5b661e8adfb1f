/** What `reference(…, 'Full')` gives: members that Azure's has, and no others. */

import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { account, body, cloud, groupId, plan, storage } from './harness.ts';

const there = cloud({
  [`${storage}/b`]: {
    id: `${storage}/b`,
    name: 'b',
    type: 'Microsoft.Storage/storageAccounts',
    location: 'westus3',
    kind: 'StorageV2',
    systemData: { createdBy: 'x' },
    properties: { n: 1 },
  },
});
const told = {
  apiVersion: '2023-05-01',
  location: 'westus3',
  kind: 'StorageV2',
  properties: { n: 1 },
  condition: true,
  existing: false,
  isConditionTrue: true,
  subscriptionId: groupId.split('/')[2],
  resourceGroupName: 'rg',
  scope: '',
  resourceId: 'Microsoft.Storage/storageAccounts/b',
  referenceApiVersion: '2023-05-01',
  isTemplateResource: true,
  isAction: false,
  provisioningOperation: 'Create',
};

async function given(expression: string, parts: JsonObject): Promise<Json | undefined> {
  const reader = account('a', { properties: { v: expression } });
  const { resources = [], ...rest } = parts;
  const all = Array.isArray(resources) ? [...resources, reader] : { ...(resources as JsonObject), reader };
  const made = await body(plan({ ...rest, resources: all }), 'a', there);
  return (made['properties'] as JsonObject)['v'];
}

describe('a full reference', () => {
  it('to a resource of the template', async () => {
    const full = await given("[reference('b', '2023-05-01', 'Full')]", { resources: [account('b')] });
    expect(full).toEqual(told);
  });

  it('to one by its symbolic name, or one that is there already', async () => {
    const symbolic = (existing: boolean): JsonObject => ({
      languageVersion: '2.0',
      resources: { other: account('b', existing ? { existing } : {}) },
    });
    const ask = "[reference('other', '2023-05-01', 'full')]";
    expect(await given(ask, symbolic(false))).toEqual(told);
    const existing = { existing: true, isTemplateResource: false, provisioningOperation: 'Read' };
    expect(await given(ask, symbolic(true))).toEqual({ ...told, ...existing });
  });

  it('to a resource of no template', async () => {
    const id = `${storage}/b`;
    expect(await given(`[reference('${id}', '2022-09-01', 'Full')]`, {})).toEqual({
      ...told,
      apiVersion: '2022-09-01',
      referenceApiVersion: '2022-09-01',
      isTemplateResource: false,
      provisioningOperation: 'Read',
    });
  });

  it.each(['id', 'name', 'type', 'systemData', 'tags'])('has no %s', async (member) => {
    const ask = `[reference('b', '2023-05-01', 'Full').${member}]`;
    await expect(given(ask, { resources: [account('b')] })).rejects.toThrow(
      `The language expression property '${member}' doesn't exist, available properties are 'apiVersion, location, kind, properties, condition, existing, isConditionTrue, subscriptionId, resourceGroupName, scope, resourceId, referenceApiVersion, isTemplateResource, isAction, provisioningOperation'.`,
    );
  });
});
