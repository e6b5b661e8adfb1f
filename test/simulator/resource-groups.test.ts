/** Resource groups: what is refused, what a PATCH keeps, and what becomes of one that is deleted. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2024-03-01';
let cloud: TestCloud;

beforeAll(async () => {
  cloud = await TestCloud.start();
}, 60_000);
afterAll(() => cloud.stop());

const ask = (method: string, path: string, body?: Json): Promise<HttpAnswer> =>
  cloud.arm(`${path}?${API}`, body === undefined ? { method } : { method, body });
const group = (name: string): string => `${cloud.subscription}/resourceGroups/${name}`;
const codeOf = async (answer: Promise<HttpAnswer>): Promise<unknown[]> => {
  const { status, json } = await answer;
  return [status, (json.error as { code: string } | undefined)?.code];
};

describe('a resource group', () => {
  it('is refused where it cannot be', async () => {
    expect(await codeOf(ask('PUT', group('far'), { location: 'mars' }))).toEqual([
      400,
      'LocationNotAvailableForResourceGroup',
    ]);
    expect(await codeOf(ask('GET', '/subscriptions/mine/resourceGroups/any'))).toEqual([400, 'InvalidSubscriptionId']);
    expect(await codeOf(ask('DELETE', group('none')))).toEqual([404, 'ResourceGroupNotFound']);
  });

  it('shows nobody who made it', async () => {
    const { json } = await ask('PUT', group('plain'), { location: 'eastus' });
    expect(Object.keys(json).toSorted()).toEqual(['id', 'location', 'name', 'properties', 'type']);
  });

  it('is refused tags that Azure takes on nothing', async () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, 'v']));
    const cases: [Json, string][] = [
      [many, 'TooManyTags'],
      [{ 'a/b': 'v' }, 'InvalidTagNameCharacters'],
      [{ ['n'.repeat(513)]: 'v' }, 'InvalidTagName'],
      [{ a: 'v'.repeat(257) }, 'InvalidTagValue'],
      [{ a: null }, 'InvalidTagValue'],
    ];
    for (const [tags, code] of cases)
      expect(await codeOf(ask('PUT', group('tagged'), { location: 'eastus', tags }))).toEqual([400, code]);
    const link = { 'hidden-link:/subscriptions/x': 'Resource' };
    expect((await ask('PUT', group('tagged'), { location: 'eastus', tags: link })).status).toBe(201);
    const merge = { operation: 'Merge', properties: { tags: { 'a<b': 'v' } } };
    expect(await codeOf(ask('PATCH', `${group('tagged')}/providers/Microsoft.Resources/tags/default`, merge))).toEqual([
      400,
      'InvalidTagNameCharacters',
    ]);
    const none = { operation: 'Merge', properties: { tags: { a: null } } };
    for (const [path, body] of [
      [group('tagged'), { tags: { a: null } }],
      [`${group('tagged')}/providers/Microsoft.Resources/tags/default`, none],
    ] as const)
      expect(await codeOf(ask('PATCH', path, body))).toEqual([400, 'InvalidTagValue']);
  });

  it('is refused a name that no group has', async () => {
    const cases: [string, string][] = [
      ['a%20b%3F', "invalid characters: ' ?'"],
      ['g'.repeat(91), 'has 91 characters: expected at most 90'],
      ['dot.', "ends in a '.'"],
    ];
    for (const [name, words] of cases) {
      const { status, json } = await ask('PUT', group(name), { location: 'eastus' });
      expect([status, json.error]).toEqual([
        400,
        { code: 'InvalidResourceGroup', message: expect.stringContaining(words) as string },
      ]);
      expect((await ask('GET', group(name))).status).toBe(404);
    }
    expect((await ask('PUT', group('(g)'.repeat(30)), { location: 'eastus' })).status).toBe(201);
  });

  it('has after a PATCH the tags that it names', async () => {
    await ask('PUT', group('patched'), { location: 'eastus', tags: { a: '1', b: '2' } });
    expect((await ask('PATCH', group('patched'), { tags: { c: '3' } })).json.tags).toEqual({ c: '3' });
    expect((await ask('PATCH', group('patched'), { managedBy: 'me' })).json.tags).toEqual({ c: '3' });
  });

  it('takes nothing any more once it is being deleted', async () => {
    await cloud.group('leaving', 'eastus');
    const account = `${group('leaving')}/providers/Microsoft.Storage/storageAccounts/leaving1`;
    const body = { location: 'eastus', sku: { name: 'Standard_LRS' }, kind: 'StorageV2' };
    await cloud.make(account, body);
    const clock = cloud.at.clock;
    clock.setSpeed(0);
    const deletion = await ask('DELETE', group('leaving'));
    expect(deletion.status).toBe(202);
    for (const refused of [
      ask('PUT', group('leaving'), { location: 'eastus' }),
      ask('PATCH', group('leaving'), { tags: {} }),
      ask('PUT', `${account}2`, body),
      ask('PUT', `${group('leaving')}/providers/Microsoft.Resources/deployments/late`, {
        properties: {
          mode: 'Incremental',
          template: {
            $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
            contentVersion: '1.0.0.0',
            resources: [],
          },
        },
      }),
    ])
      expect(await codeOf(refused)).toEqual([409, 'ResourceGroupBeingDeleted']);
    expect((await ask('GET', account)).status).toBe(200);
    clock.setSpeed(1);
    await cloud.ended(deletion);
    expect((await ask('HEAD', group('leaving'))).status).toBe(404);
  });

  it('is exported as people would write it, with names as they ask for', async () => {
    const id = await cloud.group('exported', 'eastus');
    const account = `${id}/providers/Microsoft.Storage/storageAccounts/exported1`;
    await cloud.make(account, {
      location: 'eastus',
      sku: { name: 'Standard_LRS' },
      kind: 'StorageV2',
      identity: { type: 'SystemAssigned' },
    });
    const template = async (options: string): Promise<JsonObject> => {
      const answer = await ask('POST', `${id}/exportTemplate`, { resources: [account], options });
      await cloud.ended(answer);
      return (await cloud.arm(answer.headers.location ?? '')).json.template as JsonObject;
    };
    const { parameters, resources } = await template('None');
    expect(parameters).toEqual({ storageAccounts_exported1_name: { type: 'String' } });
    const [exported] = resources as [JsonObject];
    expect(exported).toMatchObject({ name: "[parameters('storageAccounts_exported1_name')]" });
    expect(exported.identity).toEqual({ type: 'SystemAssigned' });
    expect(Object.keys(exported.properties as JsonObject)).not.toContain('primaryEndpoints');
    expect(await template('IncludeParameterDefaultValue,IncludeComments')).toMatchObject({
      parameters: { storageAccounts_exported1_name: { defaultValue: 'exported1' } },
      resources: [{ comments: expect.any(String) }],
    });
    expect(await template('SkipAllParameterization')).toMatchObject({
      parameters: {},
      resources: [{ name: 'exported1' }],
    });
    const wrong = { resources: ['*'], options: 'Everything' };
    expect(await codeOf(ask('POST', `${id}/exportTemplate`, wrong))).toEqual([400, 'InvalidRequestContent']);
    const none = { resources: [`${account}0`] };
    expect(await codeOf(ask('POST', `${id}/exportTemplate`, none))).toEqual([400, 'ExportTemplateResourceNotFound']);
  });
});
