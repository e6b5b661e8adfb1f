/** What jobs and assets leave to the service to fill in. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(azure, 'eastus', 'filled');
  await azure.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
}, 60_000);
afterAll(() => azure?.close());

const step = (more: JsonObject): JsonObject => ({
  type: 'command',
  command: 'ls',
  environmentId: `${workspace}/environments/plain/versions/1`,
  ...more,
});

describe('a pipeline', () => {
  it('may leave the datastore of an output to its settings', async () => {
    const uri = 'azureml://datastores/${{default_datastore}}/paths/${{name}}/out.csv';
    const made = await azure.put(`${workspace}/jobs/at-default`, {
      properties: {
        jobType: 'Pipeline',
        outputs: { out: { jobOutputType: 'uri_file', uri } },
        jobs: { make: step({ outputs: { out: { job_output_type: 'uri_file', uri } } }) },
      },
    });
    expect(properties(made)).toMatchObject({
      jobType: 'Pipeline',
      jobs: { make: { outputs: { out: { uri } } } },
    });
  });

  it('may have the compute of a step as an input', async () => {
    await azure.put(`${workspace}/computes/cpu`, {
      location: 'eastus',
      properties: { computeType: 'AmlCompute', properties: { scaleSettings: { maxNodeCount: 1 } } },
    });
    const made = await azure.put(`${workspace}/jobs/where-asked`, {
      properties: {
        jobType: 'Pipeline',
        inputs: { where: { jobInputType: 'literal', value: 'cpu' } },
        jobs: { make: step({ computeId: '${{parent.inputs.where}}' }) },
      },
    });
    expect(properties(made).jobs).toMatchObject({ make: { computeId: '${{parent.inputs.where}}' } });
    const { status, body } = await azure.arm('PUT', `${workspace}/jobs/nowhere`, {
      properties: {
        jobType: 'Pipeline',
        inputs: { where: { jobInputType: 'literal', value: 'none' } },
        jobs: { make: step({ computeId: '${{parent.inputs.where}}' }) },
      },
    });
    expect([status, message(body)]).toEqual([400, "Unknown compute target 'none'."]);
  });
});

describe('an environment', () => {
  it('that is built may be sent again without the name of its Dockerfile', async () => {
    const at = `${workspace}/environments/built/versions/1`;
    const body = (build: JsonObject): JsonObject => ({ properties: { build } });
    const contextUri = 'https://store.blob.core.windows.net/contexts/one/';
    expect(properties(await azure.put(at, body({ contextUri }))).build).toMatchObject({
      dockerfilePath: 'Dockerfile',
    });
    expect((await azure.arm('PUT', at, body({ contextUri }))).status).toBe(200);
    const other = await azure.arm('PUT', at, body({ contextUri, dockerfilePath: 'other/Dockerfile' }));
    expect([other.status, message(other.body)]).toEqual([409, expect.stringContaining('cannot be changed')]);
  });
});

describe('a data asset', () => {
  it('may be sent again with its type as it was spelled before', async () => {
    const version = { properties: { dataType: 'UriFile', dataUri: 'https://a/b' } };
    for (const status of [201, 200])
      expect((await azure.arm('PUT', `${workspace}/data/older/versions/1`, version)).status).toBe(status);
  });
});
