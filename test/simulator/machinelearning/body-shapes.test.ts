import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import table from '../../../simulator/machinelearning/bodies/body-shapes.json' with { type: 'json' };
import { findDescriptions } from './api-description.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';
import { shapesIn } from './published-bodies.ts';

const descriptions = findDescriptions();

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(azure, 'eastus', 'bodies');
}, 60_000);
afterAll(() => azure?.close());

async function refusal(method: string, path: string, body: Json): Promise<Json[]> {
  const answer = await azure.arm(method, `${workspace}${path}`, body);
  const error = answer.body.error as JsonObject | undefined;
  return [answer.status, error?.code ?? null, error?.message ?? null];
}

const model = (more: JsonObject): JsonObject => ({
  properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/m/', ...more },
});
const cluster = (more: JsonObject): JsonObject => ({
  location: 'eastus',
  properties: { computeType: 'AmlCompute', properties: { vmSize: 'Standard_DS3_v2', ...more } },
});
const blobs = (more: JsonObject): JsonObject => ({
  properties: {
    datastoreType: 'AzureBlob',
    accountName: 'fraud',
    containerName: 'c',
    credentials: { credentialsType: 'None' },
    ...more,
  },
});

describe('the table of bodies', () => {
  it.skipIf(descriptions === undefined)('is what Azure publishes', () => {
    expect(table, 'run `node test/simulator/machinelearning/published-bodies.ts`').toEqual(
      shapesIn(descriptions ?? ''),
    );
  });
});

describe('a body', () => {
  it.each<[string, JsonObject, string]>([
    ['/models/m/versions/1', model({ description: 5 }), 'properties.description: expected a string, got 5.'],
    ['/models/m/versions/1', model({ tags: ['a'] }), 'properties.tags: expected an object, got ["a"].'],
    ['/models/m/versions/1', model({ isArchived: 'yes' }), "properties.isArchived: expected true or false, got 'yes'."],
    ['/models/m/versions/1', {}, 'properties.modelUri: required.'],
    [
      '/data/d/versions/1',
      { properties: { dataType: 'mltable', dataUri: 'https://a/b', referencedUris: 'x' } },
      "properties.referencedUris: expected a list, got 'x'.",
    ],
    ['/data/d', { properties: {} }, 'properties.dataType: required.'],
    [
      '/environments/e/versions/1',
      { properties: { image: 'ubuntu', osType: 'BeOS' } },
      "properties.osType: expected one of Linux, Windows, got 'BeOS'.",
    ],
    ['/environments/e/versions/1', { properties: { build: {} } }, 'properties.build.contextUri: required.'],
    [
      '/computes/cpu-one',
      cluster({ scaleSettings: { maxNodeCount: 'two' } }),
      "properties.properties.scaleSettings.maxNodeCount: expected a whole number, got 'two'.",
    ],
    [
      '/computes/cpu-one',
      cluster({ scaleSettings: { maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: '5 minutes' } }),
      "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown: expected a duration in ISO 8601 (PT30S), got '5 minutes'.",
    ],
    [
      '/computes/cpu-one',
      { ...cluster({}), identity: { type: 'Banana' } },
      "identity.type: expected one of None, SystemAssigned, UserAssigned, SystemAssigned,UserAssigned, got 'Banana'.",
    ],
    [
      '/datastores/d',
      blobs({ serviceDataAccessAuthIdentity: 'mine' }),
      "properties.serviceDataAccessAuthIdentity: expected one of None, WorkspaceSystemAssignedIdentity, WorkspaceUserAssignedIdentity, got 'mine'.",
    ],
    [
      '/datastores/d',
      blobs({ credentials: { credentialsType: 'ServicePrincipal', secrets: { clientSecret: 's' } } }),
      'properties.credentials.clientId: required.',
    ],
    [
      '/connections/feed',
      { properties: { authType: 'None', target: 'https://a', expiryTime: 'tomorrow' } },
      "properties.expiryTime: expected a date and time in ISO 8601, got 'tomorrow'.",
    ],
    [
      '/batchEndpoints/scores',
      { location: 'eastus', properties: { authMode: 'Nope' } },
      "properties.authMode: expected one of AMLToken, Key, AADToken, got 'Nope'.",
    ],
  ])('of %s is refused as %j', async (path, body, text) => {
    expect(await refusal('PUT', path, body)).toEqual([400, 'ValidationError', text]);
    expect((await azure.arm('GET', `${workspace}${path}`)).status).toBe(404);
  });

  it('of an endpoint must say where it is', async () => {
    expect(await refusal('PUT', '/onlineEndpoints/nowhere', { properties: { authMode: 'Key' } })).toEqual([
      400,
      'LocationRequired',
      'The location property is required for this definition.',
    ]);
  });

  it('may name its region as people do', async () => {
    const body = { location: 'East US', properties: { authMode: 'Key' } };
    expect((await azure.put(`${workspace}/onlineEndpoints/by-people`, body)).location).toBe('eastus');
    const named = await azure.put(`${workspace}/computes/by-people`, { ...cluster({}), location: 'East US' });
    expect(named.location).toBe('eastus');
  });

  it('of an action is held to its own shape', async () => {
    expect(await refusal('POST', '/provisionManagedNetwork', { includeSpark: 'yes' })).toEqual([
      400,
      'ValidationError',
      "includeSpark: expected true or false, got 'yes'.",
    ]);
  });

  it('may spell the words of the API in any case, and is shown as published', async () => {
    await azure.put(`${workspace}/environments/e/versions/2`, {
      properties: {
        image: 'ubuntu',
        osType: 'linux',
        tags: { year: 2026, old: false },
        isAnonymous: 'False',
      },
    });
    const shown = properties((await azure.arm('GET', `${workspace}/environments/e/versions/2`)).body);
    expect(shown).toMatchObject({
      osType: 'Linux',
      isAnonymous: false,
      tags: { year: '2026', old: 'false' },
    });
  });

  it('may have numbers as texts', async () => {
    const scaleSettings = { minNodeCount: '0', maxNodeCount: '2' };
    const made = await azure.put(`${workspace}/computes/cpu-texts`, cluster({ scaleSettings }));
    expect(properties(properties(made))).toMatchObject({
      scaleSettings: { minNodeCount: 0, maxNodeCount: 2 },
    });
  });

  it('may be of a job that fine-tunes in previews alone, which have those', async () => {
    const body = {
      properties: {
        jobType: 'fineTuning',
        fineTuningDetails: { taskType: 'ChatCompletion', modelProvider: 'Custom' },
        outputs: { registered: { jobOutputType: 'mlflow_model' } },
      },
    };
    const at = `${workspace}/jobs/tuned?api-version=`;
    const { status, body: refused } = await azure.arm('PUT', `${at}2024-04-01`, body);
    expect([status, message(refused)]).toEqual([400, expect.stringContaining("got 'fineTuning'")]);
    const made = await azure.put(`${at}2024-10-01-preview`, body);
    expect(properties(made)).toMatchObject({
      ...body.properties,
      jobType: 'FineTuning',
      outputs: { registered: { jobOutputType: 'mlflow_model' } },
    });
    const other = { properties: { ...body.properties, jobType: 'Other' } };
    expect((await azure.arm('PUT', `${workspace}/jobs/o?api-version=2024-10-01-preview`, other)).status).toBe(400);
  });

  it('keeps what a later version of the API may know', async () => {
    const path = `${workspace}/models/m/versions/2`;
    await azure.put(path, model({ madeUp: { at: [1] } }));
    expect(properties((await azure.arm('GET', path)).body).madeUp).toEqual({ at: [1] });
  });

  it('needs no secret again that was sent before', async () => {
    const path = `${workspace}/datastores/keyed`;
    const credentials = { credentialsType: 'AccountKey' };
    expect((await refusal('PUT', '/datastores/keyed', blobs({ credentials })))[0]).toBe(400);
    await azure.put(path, blobs({ credentials: { ...credentials, secrets: { key: 'a2V5' } } }));
    await azure.put(path, blobs({ credentials, description: 'again' }));
    expect((await azure.arm('POST', `${path}/listSecrets`)).body).toMatchObject({ key: 'a2V5' });
  });
});
