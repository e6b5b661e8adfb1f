import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-04-01';
let cloud: TestCloud;
let group: string;
beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('Envelope', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

function error(json: JsonObject): { code: string; message: string } {
  return json.error as unknown as { code: string; message: string };
}

async function codeOf(
  path: string,
  method = 'GET',
  body?: JsonObject,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const answer = await cloud.arm(path, { method, headers, ...(body ? { body } : {}) });
  return [answer.status, error(answer.json).code];
}

describe('requests', () => {
  it('need an api-version, and JSON objects', async () => {
    expect(await codeOf(group)).toEqual([400, 'MissingApiVersionParameter']);
    expect(await codeOf(`${group}?api-version=yesterday`)).toEqual([400, 'InvalidApiVersionParameter']);
    const list = await cloud.arm(`${group}?${API}`, { method: 'PUT', body: ['no'] });
    expect([list.status, error(list.json).code]).toEqual([400, 'InvalidRequestContent']);
  });

  it('whose bodies do not call themselves JSON are refused', async () => {
    const put = (type: string, body: JsonObject): Promise<unknown> =>
      cloud
        .arm(`${group}?${API}`, { method: 'PUT', headers: { 'content-type': type }, body })
        .then(({ status, json }) => [status, json.error]);
    const body = { location: 'eastus' };
    for (const [type, named] of [
      ['text/plain', 'text/plain'],
      ['application/x-www-form-urlencoded; charset=utf-8', 'application/x-www-form-urlencoded'],
      ['', '<null>'],
    ] as const) {
      const message = `The content media type '${named}' is not supported. Only 'application/json' is supported.`;
      expect(await put(type, body)).toEqual([415, { code: 'UnsupportedMediaType', message }]);
    }
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/merge-patch+json'])
      expect(await put(type, body)).toEqual([200, undefined]);
    expect((await cloud.arm(`${group}/exportTemplate?${API}`, { method: 'POST' })).status).not.toBe(415);
  });

  it('carry the headers that clients correlate by', async () => {
    const answer = await cloud.arm(`${group}?${API}`, { headers: { 'x-ms-correlation-request-id': 'mine' } });
    expect(answer.headers['x-ms-correlation-request-id']).toBe('mine');
    expect(answer.headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['x-ms-routing-request-id']).toMatch(/^LOCAL:\d{8}T\d{6}Z:[0-9a-f-]{36}$/);
  });

  it('find ids in any case and with doubled slashes, and answer the first spelling', async () => {
    const answer = await cloud.arm(`/${cloud.subscription}/RESOURCEGROUPS/eNVELOPE?${API}`);
    expect(answer.json.id).toBe(group);
  });

  it('are refused for what is missing, each with its reason', async () => {
    const insights = '/providers/Microsoft.Insights/components/x';
    expect(await codeOf(`/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/x?${API}`)).toEqual([
      404,
      'SubscriptionNotFound',
    ]);
    expect(await codeOf(`${cloud.subscription}/resourceGroups/none?${API}`)).toEqual([404, 'ResourceGroupNotFound']);
    expect(
      await codeOf(`${cloud.subscription}/resourceGroups/none${insights}?${API}`, 'PUT', {
        location: 'eastus',
      }),
    ).toEqual([404, 'ResourceGroupNotFound']);
    expect(await codeOf(`${group}${insights}?${API}`)).toEqual([404, 'ResourceNotFound']);
    expect(await codeOf(`${group}/providers/Microsoft.Nowhere/things/x?${API}`)).toEqual([
      404,
      'InvalidResourceNamespace',
    ]);
    expect(await codeOf(`${group}/providers/Microsoft.Insights/nothings/x?${API}`)).toEqual([
      404,
      'InvalidResourceType',
    ]);
    const child = `${group}/providers/Microsoft.Network/virtualNetworks/none/subnets/a`;
    expect(await codeOf(`${child}?${API}`, 'PUT', { properties: {} })).toEqual([404, 'ParentResourceNotFound']);
    expect(await codeOf(`${group}${insights}?${API}`, 'PUT', { properties: {} })).toEqual([400, 'LocationRequired']);
    expect(await codeOf(`${group}${insights}?${API}`, 'PUT', { location: 'mars' })).toEqual([
      400,
      'LocationNotAvailableForResourceType',
    ]);
  });
});

describe('resources', () => {
  const nsg = (name: string): string => `${group}/providers/Microsoft.Network/networkSecurityGroups/${name}`;

  it('come back whole, keep what was put in place, and merge what is patched', async () => {
    const body = {
      location: 'East US',
      tags: { a: '1', b: '2' },
      properties: {
        securityRules: [{ name: 'x', deep: { list: [1, 'two', null] } }],
        unknown: { kept: true },
      },
    };
    const first = await cloud.arm(`${nsg('whole')}?${API}`, { method: 'PUT', body });
    expect(first.status).toBe(201);
    expect(first.json.properties).toMatchObject({ provisioningState: 'Creating' });
    expect((await cloud.ended(first))?.status).toBe('Succeeded');
    const made = (await cloud.arm(`${nsg('whole')}?${API}`)).json;
    expect(made).toMatchObject({
      location: 'eastus',
      tags: body.tags,
      properties: { ...body.properties, provisioningState: 'Succeeded' },
    });
    expect(made.systemData).toMatchObject({
      createdByType: 'Application',
      createdBy: cloud.at.address.clientId,
    });

    const patched = await cloud.arm(`${nsg('whole')}?${API}`, {
      method: 'PATCH',
      body: { tags: { b: null, c: '3' } },
    });
    expect(patched.status).toBe(200);
    expect(patched.json).toMatchObject({ tags: { a: '1', c: '3' }, properties: body.properties });
    expect(patched.json.tags).not.toHaveProperty('b');
    const moved = await codeOf(`${nsg('whole')}?${API}`, 'PUT', { location: 'westus3' });
    expect(moved).toEqual([409, 'InvalidResourceLocation']);
  });

  it('have the texts of numbers and flags among their tags', async () => {
    const body = { location: 'eastus', tags: { batching: 16, old: false, none: '' } };
    expect((await cloud.arm(`${nsg('tagged')}?${API}`, { method: 'PUT', body })).json).toMatchObject({
      tags: { batching: '16', old: 'false', none: '' },
    });
  });

  it('leave a resource group where it is', async () => {
    const home = await cloud.group('settled', 'eastus');
    const move = { location: 'westus3' };
    const stay = { location: 'East US', tags: { a: 'b' } };
    for (const method of ['PUT', 'PATCH'])
      expect(await codeOf(`${home}?${API}`, method, move)).toEqual([409, 'InvalidResourceGroupLocation']);
    expect((await cloud.arm(`${home}?${API}`, { method: 'PUT', body: stay })).status).toBe(200);
    expect((await cloud.arm(`${home}?${API}`)).json).toMatchObject({ location: 'eastus', tags: { a: 'b' } });
  });

  it('are refused when nested deeper than 200 levels, whatever they are nested of', async () => {
    const nested = async (levels: number, open: string, close: string): Promise<[number, string]> => {
      const tags = `${open.repeat(levels)}1${close.repeat(levels)}`;
      const answer = await cloud.arm(`${nsg('deep')}?${API}`, {
        method: 'PUT',
        raw: `{"location":"eastus","tags":${tags}}`,
        headers: { 'content-type': 'application/json' },
      });
      return [answer.status, error(answer.json).message];
    };
    for (const levels of [50_000, 201])
      for (const [open, close] of [
        ['{"a":', '}'],
        ['[', ']'],
      ] as const)
        expect(await nested(levels, open, close)).toEqual([400, expect.stringContaining('at most 200')]);
    expect(await nested(150, '{"a":', '}')).toEqual([400, expect.stringContaining("'tags'")]);
  });

  it('honour If-Match and If-None-Match', async () => {
    await cloud.make(nsg('etag'), { location: 'eastus' });
    const { headers } = await cloud.arm(`${nsg('etag')}?${API}`);
    const body = { tags: { x: 'y' } };
    expect(await codeOf(`${nsg('etag')}?${API}`, 'PUT', { location: 'eastus' }, { 'if-none-match': '*' })).toEqual([
      412,
      'PreconditionFailed',
    ]);
    expect(await codeOf(`${nsg('etag')}?${API}`, 'PATCH', body, { 'if-match': '"old"' })).toEqual([
      412,
      'PreconditionFailed',
    ]);
    const good = await cloud.arm(`${nsg('etag')}?${API}`, {
      method: 'PATCH',
      body,
      headers: { 'if-match': headers.etag ?? '' },
    });
    expect(good.status).toBe(200);
  });

  it('are listed in pages that follow one another, whatever changes meanwhile', async () => {
    const names = Array.from({ length: 23 }, (_, i) => `page-${String(i).padStart(2, '0')}`);
    const profile = (name: string): string => `${group}/providers/Microsoft.Insights/actionGroups/${name}`;
    for (const name of names) await cloud.make(profile(name), { location: 'eastus' });
    const seen: string[] = [];
    let url: string | undefined = `${group}/providers/Microsoft.Insights/actionGroups?${API}`;
    for (let pages = 0; url !== undefined; pages += 1) {
      const { json }: { json: JsonObject } = await cloud.arm(url);
      seen.push(...(json.value as { name: string }[]).map(({ name }) => name));
      url = json.nextLink as string | undefined;
      // The page's own last entry goes: the next page must neither repeat nor skip.
      if (pages === 0) await cloud.arm(`${profile('page-09')}?${API}`, { method: 'DELETE' });
      if (pages === 0) expect(seen).toHaveLength(10);
    }
    expect(seen).toEqual(names);
    const top = (await cloud.arm(`${cloud.subscription}/providers/Microsoft.Insights/actionGroups?${API}&$top=3`)).json;
    expect(top.value).toHaveLength(3);
    expect(top.nextLink).toContain('skipToken');
    expect(await codeOf(`${group}/providers/Microsoft.Insights/actionGroups?${API}&$skipToken=junk`)).toEqual([
      400,
      'InvalidSkipToken',
    ]);
  });
});

describe('long-running operations', () => {
  const workspace = (name: string): string => `${group}/providers/Microsoft.OperationalInsights/workspaces/${name}`;

  it('are polled, attach a repeated PUT, and refuse another', async () => {
    const body = { location: 'eastus', properties: { retentionInDays: 40 } };
    await cloud.admin('POST', '/clock', { speed: 0 });
    const first = await cloud.arm(`${workspace('slow-one')}?${API}`, { method: 'PUT', body });
    const operation = first.headers['azure-asyncoperation'] ?? '';
    expect((await cloud.arm(operation)).json).toMatchObject({ status: 'InProgress', percentComplete: 0 });
    const again = await cloud.arm(`${workspace('slow-one')}?${API}`, { method: 'PUT', body });
    expect(again.headers['azure-asyncoperation']).toBe(operation);
    expect(await codeOf(`${workspace('slow-one')}?${API}`, 'PUT', { location: 'eastus' })).toEqual([
      409,
      'AnotherOperationInProgress',
    ]);
    expect(await codeOf(`${workspace('slow-one')}?${API}`, 'DELETE')).toEqual([409, 'AnotherOperationInProgress']);
    await cloud.admin('POST', '/clock', { advanceSeconds: 2 });
    expect((await cloud.arm(operation)).json.status).toBe('Succeeded');
    await cloud.admin('POST', '/clock', { speed: 1 });
  });

  it('end a DELETE by Location, too', async () => {
    await cloud.make(workspace('to-delete'), { location: 'eastus' });
    await cloud.admin('POST', '/clock', { speed: 0 });
    const answer = await cloud.arm(`${workspace('to-delete')}?${API}`, { method: 'DELETE' });
    expect(answer.status).toBe(202);
    const location = answer.headers.location ?? '';
    expect((await cloud.arm(location)).status).toBe(202);
    expect((await cloud.arm(`${workspace('to-delete')}?${API}`)).json.properties).toMatchObject({
      provisioningState: 'Deleting',
    });
    await cloud.admin('POST', '/clock', { advanceSeconds: 5, speed: 1 });
    expect((await cloud.arm(location)).status).toBe(204);
    expect((await cloud.arm(`${workspace('to-delete')}?${API}`, { method: 'DELETE' })).status).toBe(204);
    // A day later Azure has forgotten it, whether other operations ended meanwhile or not.
    await cloud.admin('POST', '/clock', { advanceSeconds: 25 * 3600 });
    for (const url of [location, answer.headers['azure-asyncoperation'] ?? ''])
      expect(await codeOf(url)).toEqual([404, 'OperationNotFound']);
  });

  it('fail half-way when told to, and leave the resource failed', async () => {
    await cloud.admin('POST', '/regions/eastus/faults', {
      failNextLongRunning: { type: 'Microsoft.OperationalInsights/workspaces', code: 'CapacityExceeded' },
    });
    const answer = await cloud.arm(`${workspace('half-way')}?${API}`, {
      method: 'PUT',
      body: { location: 'eastus' },
    });
    expect(await cloud.ended(answer)).toMatchObject({
      status: 'Failed',
      error: { code: 'CapacityExceeded' },
    });
    expect((await cloud.arm(`${workspace('half-way')}?${API}`)).json.properties).toMatchObject({
      provisioningState: 'Failed',
    });
    expect((await cloud.make(workspace('half-way'), { location: 'eastus' })).properties).toMatchObject({
      provisioningState: 'Succeeded',
    });
  });
});

describe('the resource client', () => {
  it('handles groups, filters and deletion with everything inside', async () => {
    const client = cloud.resources();
    await client.resourceGroups.createOrUpdate('sdk', { location: 'westus3', tags: { team: 'ml' } });
    expect((await client.resourceGroups.get('sdk')).location).toBe('westus3');
    const { id } = await client.resources.beginCreateOrUpdateByIdAndWait(
      `${cloud.subscription}/resourceGroups/sdk/providers/Microsoft.Insights/components/app`,
      '2020-02-02',
      { location: 'westus3', kind: 'web', properties: { Application_Type: 'web' } },
    );
    const listed = [];
    for await (const one of client.resources.list({
      filter: "resourceType eq 'Microsoft.Insights/components' and location eq 'westus3'",
    }))
      listed.push(one.id);
    expect(listed).toEqual([id]);
    await expect(client.resources.list({ filter: 'nonsense' }).next()).rejects.toMatchObject({
      code: 'InvalidFilterInQueryString',
    });
    await client.resourceGroups.beginDeleteAndWait('sdk');
    expect((await client.resourceGroups.checkExistence('sdk')).body).toBe(false);
    expect((await cloud.arm(`${id}?${API}`)).status).toBe(404);
    const namespaces = [];
    for await (const one of client.providers.list()) namespaces.push(one.namespace);
    expect(namespaces).toEqual(
      expect.arrayContaining([
        'Microsoft.MachineLearningServices',
        'Microsoft.Storage',
        'Microsoft.KeyVault',
        'Microsoft.Cdn',
      ]),
    );
  });
});
