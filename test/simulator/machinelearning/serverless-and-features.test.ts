/**
 * Serverless endpoints and their keys; the features that a feature set's specification describes, and their backfill.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, text, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'offering');
}, 60_000);
afterAll(() => azure?.close());

describe('a serverless endpoint', () => {
  const body = {
    location: 'eastus',
    sku: { name: 'Consumption' },
    properties: { authMode: 'Key', modelSettings: { modelId: 'azureml://registries/azureml/models/phi' } },
  };

  it('checks its keys, and says that no model answers', async () => {
    const id = `${workspace}/serverlessEndpoints/phi`;
    const made = properties(await azure.put(id, body));
    expect(made).toMatchObject({ endpointState: 'Online', provisioningState: 'Succeeded' });
    expect(made.keys).toBeUndefined();
    const before = (await azure.arm('POST', `${id}/listKeys`)).body;
    const answer = await azure.arm('POST', `${id}/regenerateKeys`, { keyType: 'Primary' });
    const ended = await azure.settle(answer);
    expect(ended.properties).toMatchObject({ secondaryKey: before.secondaryKey });
    const { primaryKey } = ended.properties as JsonObject;
    expect(primaryKey).not.toBe(before.primaryKey);
    const uri = text((made.inferenceEndpoint as JsonObject).uri);
    const ask = async (key: Json | undefined): Promise<number> =>
      (await azure.send('POST', uri, {}, { authorization: `Bearer ${text(key)}` })).status;
    expect([await ask(before.primaryKey), await ask(primaryKey)]).toEqual([401, 501]);
  });

  it('shows the subscription to its model, whichever version it is of', async () => {
    const modelId = 'azureml://registries/partner/models/Chat';
    const subscription = `${workspace}/marketplaceSubscriptions/terms`;
    const odd = await azure.arm('PUT', subscription, { properties: { modelId: 'Chat' } });
    expect([odd.status, message(odd.body)]).toEqual([400, expect.stringContaining("got 'Chat'")]);
    expect(properties(await azure.put(subscription, { properties: { modelId } }))).toMatchObject({
      marketplaceSubscriptionStatus: 'Subscribed',
      marketplacePlan: { publisherId: 'partner' },
    });
    const other = { properties: { modelId: `${modelId}-2` } };
    expect((await azure.arm('PUT', subscription, other)).status).toBe(400);
    const endpoint = await azure.put(`${workspace}/serverlessEndpoints/partner-chat`, {
      location: 'eastus',
      properties: { authMode: 'Key', modelSettings: { modelId: `${modelId}/versions/3` } },
    });
    expect(properties(endpoint).marketplaceSubscriptionId).toBe(subscription);
  });

  it('is refused without a key’s kind of access, or for a name that cannot be', async () => {
    const aad = { ...body, properties: { ...body.properties, authMode: 'AAD' } };
    const refused = await azure.arm('PUT', `${workspace}/serverlessEndpoints/aad`, aad);
    expect([refused.status, message(refused.body)]).toEqual([400, "properties.authMode: expected Key, got 'AAD'."]);
    const misnamed = await azure.arm('PUT', `${workspace}/serverlessEndpoints/1st`, body);
    expect([misnamed.status, message(misnamed.body)]).toEqual([400, expect.stringContaining('"1st"')]);
  });
});

describe('a feature set', () => {
  it('has the features of its specification, and goes with them', async () => {
    await specify(
      'good',
      'features:\n  - { name: spend, type: double, tags: { of: card } }\n  - { name: seen, type: datetime }\n',
    );
    const id = await register('transactions', 'good');
    const listed = await azure.list(`${id}/features`);
    expect(listed.map(({ name, properties: own }) => [name, (own as JsonObject).dataType])).toEqual([
      ['spend', 'Double'],
      ['seen', 'Datetime'],
    ]);
    expect((await azure.list(`${id}/features?api-version=2024-04-01&tags=of=card`)).length).toBe(1);
    expect((await azure.arm('GET', `${id}/features/spend`)).status).toBe(200);
    expect((await azure.arm('GET', `${id}/features/other`)).status).toBe(404);
    await azure.settle(await azure.arm('DELETE', id));
    expect((await azure.arm('GET', `${id}/features/spend`)).status).toBe(404);
  });

  it('fails on a specification that cannot be', async () => {
    await specify('bad', 'features:\n  - { name: spend, type: money }\n');
    await expect(register('broken', 'bad')).rejects.toThrow(/features\[0\]\.type.*'money'/);
  });

  it('is backfilled by a job, where it is materialized', async () => {
    await specify('idle', 'features:\n  - { name: a, type: long }\n');
    const window = (from: string, to: string): JsonObject => ({
      featureWindow: { featureWindowStart: from, featureWindowEnd: to },
    });
    const idle = await register('idle', 'idle');
    const refused = await azure.arm('POST', `${idle}/backfill`, window('2024-01-01', '2024-01-02'));
    expect([refused.status, message(refused.body)]).toEqual([400, expect.stringContaining('materialization')]);
    const offline = await register('offline', 'idle', { materializationSettings: { storeType: 'Offline' } });
    const backward = await azure.arm('POST', `${offline}/backfill`, window('2024-01-03', '2024-01-02'));
    expect(backward.status).toBe(400);
    const ended = await azure.settle(
      await azure.arm('POST', `${offline}/backfill`, window('2024-01-01', '2024-01-02')),
    );
    const [job] = (ended.properties as { jobIds: string[] }).jobIds;
    expect((await azure.arm('GET', `${workspace}/jobs/${job}`)).status).toBe(200);
  });
});

describe('an outbound rule', () => {
  it('is refused for a name or a kind that cannot be', async () => {
    const rule = { properties: { type: 'FQDN', destination: 'example.com' } };
    expect((await azure.arm('PUT', `${workspace}/outboundRules/ab`, rule)).status).toBe(400);
    const odd = { properties: { type: 'Tunnel' } };
    expect((await azure.arm('PUT', `${workspace}/outboundRules/rule-1`, odd)).status).toBe(400);
  });
});

/** Puts a specification where the workspace's own datastore finds it. */
async function specify(folder: string, yaml: string): Promise<void> {
  const store = properties((await azure.arm('GET', `${workspace}/datastores/workspaceblobstore`)).body);
  await azure.running.cloud.blobs.putBlob(
    text(store.accountName),
    text(store.containerName),
    `${folder}/FeatureSetSpec.yaml`,
    Buffer.from(yaml),
  );
}

async function register(name: string, folder: string, more: JsonObject = {}): Promise<string> {
  const id = `${workspace}/featuresets/${name}/versions/1`;
  const specification = { path: `azureml://datastores/workspaceblobstore/paths/${folder}` };
  await azure.put(id, { properties: { specification, entities: [], ...more } });
  return id;
}
