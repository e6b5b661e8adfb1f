import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { builtInRoleNamed, grant } from '../../../simulator/authorization/index.ts';
import { makeWorkspace, properties, startFixture, text, type Answer, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;
let api: string;
let authorization: string;

beforeAll(async () => {
  fixture = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(fixture, 'eastus', 'runs');
  const { discoveryUrl } = properties((await fixture.arm('GET', workspace)).body);
  api = text((await fixture.send('GET', text(discoveryUrl))).body.api);
  authorization = await bearer(fixture.running.address.arm);
  await fixture.put(`${workspace}/computes/cluster`, {
    location: 'eastus',
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
    },
  });
  await fixture.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
});
afterAll(() => fixture.close());

async function bearer(audience: string, { clientId, clientSecret } = fixture.running.address): Promise<string> {
  const { authority, tenantId } = fixture.running.address;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: `${audience}/.default`,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const url = `${authority}/${tenantId}/oauth2/v2.0/token`;
  const answer = await fixture.send('POST', url, Buffer.from(form.toString()), headers);
  return `Bearer ${text(answer.body.access_token)}`;
}

function submit(name: string, more: JsonObject = {}): Promise<JsonObject> {
  return fixture.put(`${workspace}/jobs/${name}`, {
    properties: {
      jobType: 'Command',
      command: 'true',
      experimentName: 'tries',
      environmentId: `${workspace}/environments/plain/versions/1`,
      computeId: `${workspace}/computes/cluster`,
      tags: { owner: 'a' },
      ...more,
    },
  });
}

function history(method: string, path: string, body?: Json): Promise<Answer> {
  return fixture.send(method, `${api}/history/v1.0${workspace}${path}`, body, { authorization });
}

describe('run history', () => {
  it('is told to those who may read the workspace, and changed by those who may write there', async () => {
    await submit('watched');
    const { directory, cloud } = fixture.running;
    const { objectId, clientId, secrets } = directory.addPrincipal('watcher');
    const { arm } = fixture.running.address;
    const theirs = await bearer(arm, {
      ...fixture.running.address,
      clientId,
      clientSecret: secrets[0] ?? '',
    });
    const ask = async (method: string, body?: Json): Promise<unknown> => {
      const url = `${api}/history/v1.0${workspace}/runs/watched`;
      const answer = await fixture.send(method, url, body, { authorization: theirs });
      return answer.status === 200 ? 200 : (answer.body.error as JsonObject).code;
    };
    expect(await ask('GET')).toBe('AuthorizationFailed');
    grant(cloud, objectId, builtInRoleNamed('Reader')?.id ?? '', workspace);
    expect(await ask('GET')).toBe(200);
    expect(await ask('PATCH', { tags: { seen: 'yes' } })).toBe('AuthorizationFailed');
    grant(cloud, objectId, builtInRoleNamed('AzureML Data Scientist')?.id ?? '', workspace);
    expect(await ask('PATCH', { tags: { seen: 'yes' } })).toBe(200);
  });

  it('follows a job to its end', async () => {
    await submit('followed');
    const early = (await history('GET', '/runs/followed/details')).body;
    expect([early.runId, early.status, early.startTimeUtc, early.endTimeUtc]).toEqual([
      'followed',
      'NotStarted',
      null,
      null,
    ]);
    fixture.running.clock.advance(60_000);
    const late = (await history('GET', '/experiments/tries/runs/followed/details')).body;
    expect(late.status).toBe('Completed');
    const seconds = (Date.parse(text(late.endTimeUtc)) - Date.parse(text(late.startTimeUtc))) / 1000;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(60);
    expect((await history('GET', '/runs/followed')).body).toMatchObject({
      experimentId: 'tries',
      tags: { owner: 'a' },
      target: 'cluster',
      hidden: false,
    });
  });

  it('says why a run failed', async () => {
    await submit('doomed', { properties: { 'simulator.outcome': 'Failed' } });
    fixture.running.clock.advance(60_000);
    const { body } = await history('GET', '/runs/doomed/details');
    expect([body.status, body.error]).toEqual(['Failed', { error: expect.objectContaining({ code: 'UserError' }) }]);
  });

  it('changes what describes a job, and ARM shows it', async () => {
    await submit('described');
    const change = { displayName: 'renamed', tags: { seen: 'yes' }, properties: { note: '1' }, hidden: true };
    expect((await history('PATCH', '/experiments/tries/runs/described', change)).status).toBe(200);
    expect(properties((await fixture.arm('GET', `${workspace}/jobs/described`)).body)).toMatchObject({
      displayName: 'renamed',
      tags: { owner: 'a', seen: 'yes' },
      properties: { note: '1' },
      isArchived: true,
      command: 'true',
    });
  });

  it('resolves the outputs of a run to places', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/out/';
    await submit('productive', { outputs: { model: { jobOutputType: 'uri_folder', uri } } });
    const { body } = await history('POST', '/rundata', { runId: 'productive' });
    const { outputs } = body.runMetadata as { outputs: Record<string, { assetId: string; type: string }> };
    expect(Object.keys(outputs)).toEqual(['model']);
    const id = outputs.model?.assetId ?? '';
    const url = `${api}/data/v1.0${workspace}/dataversion/batchGetResolvedUris`;
    const resolved = await fixture.send('POST', url, { values: [id] }, { authorization });
    const [, , subscription, , group] = workspace.split('/');
    expect(resolved.body.values).toEqual({
      [id]: {
        uri: `azureml://subscriptions/${subscription}/resourcegroups/${group}/workspaces/runs/datastores/workspaceblobstore/paths/out/`,
        type: 'uri_folder',
      },
    });
  });

  it('refuses strangers, strange runs, and what it does not offer', async () => {
    await submit('mine');
    const run = `${api}/history/v1.0${workspace}/runs/mine`;
    expect((await fixture.send('GET', run)).status).toBe(401);
    const other = await bearer('https://vault.azure.net');
    expect((await fixture.send('GET', run, undefined, { authorization: other })).status).toBe(401);
    expect((await history('GET', '/runs/nobody')).status).toBe(404);
    expect((await history('GET', '/experiments/other/runs/mine')).status).toBe(404);
    expect((await history('POST', '/rundata', {})).status).toBe(400);
    expect((await history('POST', '/rundata', Buffer.from('{') as unknown as Json)).status).toBe(400);
    expect((await history('GET', '/experiments/tries/metrics')).status).toBe(501);
    const elsewhere = api.replace(/:\d+/, `:${new URL(fixture.running.cloud.dataPlane('westus3')).port}`);
    const there = `${elsewhere}/history/v1.0${workspace}/runs/mine`;
    expect((await fixture.send('GET', there, undefined, { authorization })).status).toBe(404);
  });
});

describe('a batch endpoint', () => {
  const endpoint = (): string => `${workspace}/batchEndpoints/nightly`;
  const ask = (method: string, path: string, body?: Json, more: Record<string, string> = {}): Promise<Answer> =>
    fixture.send(method, `${fixture.running.cloud.dataPlane('eastus')}${path}`, body, {
      authorization,
      ...more,
    });
  const rows = {
    InputData: {
      rows: { JobInputType: 'UriFolder', Uri: 'azureml://datastores/workspaceblobstore/paths/in/' },
    },
  };

  it('makes a job of what invokes it, by its default deployment or the one that is asked for', async () => {
    const endpointBody = { location: 'eastus', properties: { authMode: 'AADToken' } };
    await fixture.put(endpoint(), endpointBody);
    const jobs = `/_/batch${endpoint()}/jobs`;
    expect((await ask('POST', jobs, { properties: rows })).status).toBe(400);
    await fixture.put(`${endpoint()}/deployments/one`, {
      location: 'eastus',
      properties: { compute: `${workspace}/computes/cluster` },
    });
    await fixture.put(endpoint(), {
      ...endpointBody,
      properties: { ...endpointBody.properties, defaults: { deploymentName: 'one' } },
    });
    const made = await ask('POST', jobs, { properties: rows });
    expect(made).toMatchObject({
      status: 201,
      body: {
        type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs',
        properties: {
          status: 'NotStarted',
          deploymentName: 'one',
          inputData: { rows: { jobInputType: 'uri_folder' } },
        },
      },
    });
    const job = await fixture.arm('GET', `${workspace}/jobs/${text(made.body.name)}`);
    expect(properties(job.body)).toMatchObject({
      jobType: 'Pipeline',
      computeId: `${workspace}/computes/cluster`,
    });
    // As azure-ai-ml lists them.
    const listed = await fixture.send('GET', `${api}/mferp/managementfrontend${endpoint()}/jobs`, undefined, {
      authorization: await bearer('https://ml.azure.'),
    });
    expect(listed.body.value).toMatchObject([{ name: made.body.name }]);
    const none = { 'azureml-model-deployment': 'two' };
    expect((await ask('POST', jobs, { properties: rows }, none)).status).toBe(404);
    expect((await ask('POST', jobs, { properties: {} })).status).toBe(400);
    expect((await ask('POST', jobs, { properties: rows }, { authorization: 'Bearer x' })).status).toBe(401);
  });

  it('needs no data where a pipeline is deployed', async () => {
    const configuration = (deploymentConfigurationType: string): JsonObject => ({
      location: 'eastus',
      properties: {
        compute: `${workspace}/computes/cluster`,
        deploymentConfiguration: { deploymentConfigurationType },
      },
    });
    await fixture.put(`${endpoint()}/deployments/pipe`, configuration('PipelineComponent'));
    await fixture.put(`${endpoint()}/deployments/model`, configuration('Model'));
    const statusOf = async (deployment: string): Promise<number> => {
      const body = { properties: {} };
      const path = `/_/batch${endpoint()}/jobs`;
      return (await ask('POST', path, body, { 'azureml-model-deployment': deployment })).status;
    };
    expect(await statusOf('pipe')).toBe(201);
    expect(await statusOf('model')).toBe(400);
  });
});

describe('MLflow', () => {
  it('is refused by name', async () => {
    const uri = text(properties((await fixture.arm('GET', workspace)).body).mlFlowTrackingUri);
    const url = `${uri.replace('azureml://', 'https://')}/api/2.0/mlflow/experiments/list`;
    const answer = await fixture.send('GET', url, undefined, { authorization });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([
      501,
      expect.stringContaining('MLflow tracking is not offered'),
    ]);
  });
});
