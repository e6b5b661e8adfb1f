/** Assets made of what jobs have left. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(azure, 'eastus', 'outputs');
}, 60_000);
afterAll(() => azure?.close());

describe('assets', () => {
  it('made of the output of a job have its place instead', async () => {
    await azure.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
    await azure.put(`${workspace}/jobs/trained`, {
      properties: {
        jobType: 'Command',
        command: 'ls',
        environmentId: `${workspace}/environments/plain/versions/1`,
        outputs: { model: { jobOutputType: 'custom_model' } },
      },
    });
    const long = `azureml:/${workspace.replace('/resourceGroups/', '/resourcegroups/').replace('/providers/Microsoft.MachineLearningServices', '')}/datastores`;
    const places = {
      'azureml://jobs/trained/outputs/model/paths/best/': `${long}/workspaceblobstore/paths/azureml/trained/model/best/`,
      'azureml://jobs/trained/outputs/artifacts/paths/model': `${long}/workspaceartifactstore/paths/ExperimentRun/dcid.trained/model`,
      'runs:/trained/plots': `${long}/workspaceartifactstore/paths/ExperimentRun/dcid.trained/plots`,
    };
    for (const [i, [uri, place]] of Object.entries(places).entries()) {
      const at = `${workspace}/models/of-job/versions/${i + 1}`;
      const made = await azure.put(at, { properties: { modelUri: uri } });
      expect(properties(made)).toMatchObject({ modelUri: place, jobName: 'trained' });
      expect((await azure.arm('PUT', at, { properties: { modelUri: uri } })).status).toBe(200);
      const data = { properties: { dataType: 'uri_folder', dataUri: uri } };
      const folder = await azure.put(`${workspace}/data/of-job/versions/${i + 1}`, data);
      expect(properties(folder).dataUri).toBe(place);
    }
    const none = { properties: { modelUri: 'azureml://jobs/trained/outputs/other/paths/' } };
    const { status, body } = await azure.arm('PUT', `${workspace}/models/of-job/versions/9`, none);
    expect([status, message(body)]).toEqual([404, expect.stringContaining("has no output 'other'")]);
  });
});
