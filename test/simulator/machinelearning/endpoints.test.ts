import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setQuota } from '../../../simulator/machinelearning/index.ts';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, text, type Answer, type Fixture } from './fixture.ts';

let azure: Fixture;
let east: string;
let west: string;

beforeAll(async () => {
  azure = await startFixture();
  east = await makeWorkspace(azure, 'eastus', 'fraud-east');
  west = await makeWorkspace(azure, 'westus3', 'fraud-west');
  for (const workspace of [east, west])
    for (const version of ['1', '2'])
      await azure.put(`${workspace}/models/fraud/versions/${version}`, {
        properties: {
          modelUri: 'azureml://datastores/workspaceblobstore/paths/m/',
          modelType: 'mlflow_model',
        },
      });
}, 60_000);
afterAll(() => azure?.close());

const endpoint = (more: JsonObject = {}, authMode = 'Key'): JsonObject => ({
  location: 'eastus',
  properties: { authMode, ...more },
});
const deployment = (workspace: string, version: string, capacity = 1): JsonObject => ({
  location: 'eastus',
  sku: { name: 'Default', capacity },
  properties: {
    endpointComputeType: 'Managed',
    instanceType: 'Standard_DS3_v2',
    model: `${workspace}/models/fraud/versions/${version}`,
  },
});
const INPUT: Json = { input_data: { columns: ['amount'], index: [0, 1], data: [[10], [20]] } };

async function score(
  workspace: string,
  key: string,
  headers: Record<string, string> = {},
  input: Json | Buffer = INPUT,
): Promise<Answer> {
  const { body } = await azure.arm('GET', `${workspace}/onlineEndpoints/fraud-score`);
  return azure.send('POST', text(properties(body).scoringUri), input, {
    authorization: `Bearer ${key}`,
    ...headers,
  });
}

describe('an online endpoint', () => {
  const at = (): string => `${east}/onlineEndpoints/fraud-score`;

  it('takes the keys it is given, and shows them to listKeys alone', async () => {
    const keys = { primaryKey: 'canary-primary', secondaryKey: 'canary-secondary' };
    const created = await azure.arm('PUT', at(), endpoint({ keys }));
    expect([created.status, properties(created.body).provisioningState]).toEqual([201, 'Creating']);
    await azure.settle(created);
    const { body } = await azure.arm('GET', at());
    expect(JSON.stringify([created.body, body])).not.toContain('canary');
    expect(properties(body)).toMatchObject({
      provisioningState: 'Succeeded',
      traffic: {},
      scoringUri: `${azure.running.address.regions.eastus?.dataPlane}/_/score/fraud-score/score`,
    });
    expect((await azure.arm('POST', `${at()}/listKeys`)).body).toEqual(keys);
  });

  it('regenerates one key, and leaves the other', async () => {
    await azure.settle(await azure.arm('POST', `${at()}/regenerateKeys`, { keyType: 'Primary' }));
    const { body } = await azure.arm('POST', `${at()}/listKeys`);
    expect(body.secondaryKey).toBe('canary-secondary');
    expect(body.primaryKey).not.toBe('canary-primary');
    const wrong = await azure.arm('POST', `${at()}/regenerateKeys`, { keyType: 'Third' });
    expect([wrong.status, message(wrong.body)]).toEqual([400, expect.stringContaining('one of Primary, Secondary')]);
    expect((await azure.arm('POST', `${at()}/token`)).status).toBe(400);
  });

  it('is one of its name in a region, and not in the next', async () => {
    const rival = await makeWorkspace(azure, 'eastus', 'rival');
    const refused = await azure.arm('PUT', `${rival}/onlineEndpoints/fraud-score`, endpoint());
    expect([refused.status, message(refused.body)]).toEqual([409, expect.stringContaining('already an endpoint')]);
    await azure.put(`${west}/onlineEndpoints/fraud-score`, {
      location: 'westus3',
      properties: { authMode: 'Key', keys: { primaryKey: 'west-key' } },
    });
  });

  it('gives traffic to deployments that exist, all or none of it', async () => {
    const refused = async (traffic: JsonObject): Promise<string> =>
      message((await azure.arm('PUT', at(), endpoint({ traffic }))).body);
    expect(await refused({ blue: 100 })).toContain("no deployment 'blue'");
    await azure.put(`${at()}/deployments/blue`, deployment(east, '1'));
    await azure.put(`${at()}/deployments/green`, deployment(east, '2'));
    expect(await refused({ blue: 50 })).toContain('they sum to 50');
    expect(await refused({ blue: 120 })).toContain('0 to 100');
    const shared = await azure.put(at(), endpoint({ traffic: { blue: 75, green: 25 } }));
    expect(properties(shared).traffic).toEqual({ blue: 75, green: 25 });
    // Azure's PATCH of an endpoint is of tags and identity alone.
    const patched = await azure.put(at(), { tags: { a: '1' }, properties: { traffic: { blue: 100 } } }, 'PATCH');
    expect([patched.tags, properties(patched).traffic]).toEqual([{ a: '1' }, { blue: 75, green: 25 }]);
  });

  it('scores by traffic, or by the deployment that is asked for', async () => {
    const seen: Json[] = [];
    for (let i = 0; i < 8; i++)
      seen.push((await score(east, 'canary-secondary')).headers['azureml-model-deployment'] ?? null);
    expect(seen.filter((name) => name === 'green')).toHaveLength(2);
    const green = await score(east, 'canary-secondary', { 'azureml-model-deployment': 'green' });
    expect(green.body).toMatchObject({ deployment: 'green', model: 'fraud:2' });
    expect(green.body.predictions).toHaveLength(2);
    expect((await score(east, 'canary-secondary', { 'azureml-model-deployment': 'red' })).status).toBe(404);
  });

  it('predicts the same from the same model in another region', async () => {
    await azure.put(`${west}/onlineEndpoints/fraud-score/deployments/white`, deployment(west, '2'));
    expect((await score(west, 'west-key')).status).toBe(503);
    const asked = await score(west, 'west-key', { 'azureml-model-deployment': 'white' });
    const green = await score(east, 'canary-secondary', { 'azureml-model-deployment': 'green' });
    const blue = await score(east, 'canary-secondary', { 'azureml-model-deployment': 'blue' });
    expect(asked.body.predictions).toEqual(green.body.predictions);
    expect(asked.body.predictions).not.toEqual(blue.body.predictions);
  });

  it('refuses a wrong key, a body that is no JSON and a name that is not there', async () => {
    expect((await score(east, 'canary-primary')).status).toBe(401);
    expect((await score(east, 'canary-secondary', {}, Buffer.from('{'))).status).toBe(400);
    const nowhere = `${azure.running.address.regions.eastus?.dataPlane}/_/score/nowhere/score`;
    expect((await azure.send('POST', nowhere, INPUT)).status).toBe(404);
  });

  it('has the principal that Azure gave it, for as long as it has an identity', async () => {
    const path = `${east}/onlineEndpoints/fraud-score`;
    const patch = async (identity: JsonObject): Promise<JsonObject> =>
      (await azure.put(path, { identity }, 'PATCH')).identity as JsonObject;
    const forged = '00000000-1111-2222-3333-444444444444';
    const given = await patch({ type: 'SystemAssigned', principalId: forged });
    expect(given.principalId).not.toBe(forged);
    expect((await patch({ type: 'SystemAssigned' })).principalId).toBe(given.principalId);
    expect(await patch({ type: 'None' })).toEqual({ type: 'None' });
  });

  it('gives tokens where it has no keys', async () => {
    const path = `${east}/onlineEndpoints/by-token`;
    await azure.put(path, endpoint({}, 'AMLToken'));
    expect((await azure.arm('POST', `${path}/listKeys`)).status).toBe(400);
    const { body: token } = await azure.arm('POST', `${path}/token`);
    const uri = `${azure.running.address.regions.eastus?.dataPlane}/_/score/by-token/swagger.json`;
    expect(
      (await azure.send('GET', uri, undefined, { authorization: `Bearer ${text(token.accessToken)}` })).status,
    ).toBe(200);
    expect((await azure.send('GET', uri, undefined, { authorization: 'Bearer other' })).status).toBe(401);
  });
});

describe('an online deployment', () => {
  const at = (name: string): string => `${east}/onlineEndpoints/fraud-score/deployments/${name}`;

  it('scales by its sku, never to zero, never beyond the quota', async () => {
    const scaled = await azure.put(at('blue'), { sku: { capacity: 3 } }, 'PATCH');
    expect([scaled.sku, properties(scaled).model]).toEqual([
      expect.objectContaining({ name: 'Default', capacity: 3 }),
      `${east}/models/fraud/versions/1`,
    ]);
    const zero = await azure.arm('PATCH', at('blue'), { sku: { capacity: 0 } });
    expect([zero.status, message(zero.body)]).toEqual([400, expect.stringContaining('at least 1 instance')]);
    setQuota(azure.running.cloud, 'eastus', 'standardDSv2Family', 20);
    const beyond = await azure.arm('PATCH', at('blue'), { sku: { capacity: 5 } });
    expect([beyond.status, message(beyond.body)]).toEqual([
      400,
      expect.stringMatching(/Maximum allowed: 20, current in use: 4, additional requested: 20/),
    ]);
  });

  it('is refused without what it serves, or with another size than it had', async () => {
    const put = async (change: JsonObject): Promise<Answer> => {
      const body = deployment(east, '1');
      return azure.arm('PUT', at('blue'), {
        ...body,
        properties: { ...properties(body), ...change },
      });
    };
    const absent = await put({ model: `${east}/models/fraud/versions/9` });
    expect([absent.status, message(absent.body)]).toEqual([404, expect.stringContaining('versions/9')]);
    const foreign = await put({ model: `${west}/models/fraud/versions/1` });
    expect(message(foreign.body)).toContain('another workspace');
    expect(message((await put({ instanceType: 'Standard_DS4_v2' })).body)).toContain('cannot be changed');
    const unknown = await azure.arm('PUT', at('red'), {
      ...deployment(east, '1'),
      properties: { endpointComputeType: 'Managed', instanceType: 'Standard_Z1' },
    });
    expect((unknown.body.error as JsonObject).code).toBe('SkuNotAvailable');
  });

  it('is scaled by its sku, not by itself', async () => {
    const { body } = await azure.arm('GET', at('blue'));
    const scaleSettings = { scaleType: 'TargetUtilization', minInstances: 1, maxInstances: 2 };
    const refused = await azure.arm('PUT', at('scaled'), {
      location: 'eastus',
      properties: { ...properties(body), scaleSettings },
    });
    expect([refused.status, message(refused.body)]).toEqual([
      400,
      expect.stringContaining('scaleType: expected Default'),
    ]);
  });

  it('is deleted only without traffic', async () => {
    const live = await azure.arm('DELETE', at('green'));
    expect([live.status, message(live.body)]).toEqual([400, expect.stringContaining('25% of live traffic')]);
    await azure.put(`${east}/onlineEndpoints/fraud-score`, endpoint({ traffic: { blue: 100, green: 0 } }));
    await azure.settle(await azure.arm('DELETE', at('green')));
    expect(properties((await azure.arm('GET', `${east}/onlineEndpoints/fraud-score`)).body).traffic).toEqual({
      blue: 100,
    });
  });

  it('has logs', async () => {
    const { body } = await azure.arm('POST', `${at('blue')}/getLogs`, { tail: 1 });
    expect(body.content).toContain('listening');
  });
});

describe('batch endpoints', () => {
  it('have deployments, one of them the default', async () => {
    const path = `${east}/batchEndpoints/nightly`;
    const body = { location: 'eastus', properties: { authMode: 'AADToken' } };
    await azure.put(path, body);
    const early = await azure.arm('PUT', path, {
      ...body,
      properties: { ...body.properties, defaults: { deploymentName: 'one' } },
    });
    expect([early.status, message(early.body)]).toEqual([400, expect.stringContaining("no deployment 'one'")]);
    const model = { referenceType: 'Id', assetId: `${east}/models/fraud/versions/1` };
    const made = await azure.put(`${path}/deployments/one`, { location: 'eastus', properties: { model } });
    expect(properties(made)).toMatchObject({
      model,
      miniBatchSize: 10,
      outputAction: 'AppendRow',
      provisioningState: 'Succeeded',
    });
    await azure.put(path, {
      ...body,
      properties: { ...body.properties, defaults: { deploymentName: 'one' } },
    });
    expect((await azure.arm('DELETE', `${path}/deployments/one`)).status).toBe(400);
  });
});
