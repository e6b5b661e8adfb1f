import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { properties, text } from '../machinelearning/fixture.ts';
import { ExecutingWorkspace } from './executing.ts';

let workspace: ExecutingWorkspace;
let environmentId: string;
let computeId: string;

const literal = (value: string): JsonObject => ({ job_input_type: 'literal', value });

beforeAll(async () => {
  workspace = await ExecutingWorkspace.start(10);
  environmentId = `${workspace.id}/environments/plain/versions/1`;
  computeId = `${workspace.id}/computes/executing`;
  await component('fit', {
    type: 'command',
    command: 'echo "loss: ${{inputs.rate}}"; echo ${{inputs.rate}} > ${{outputs.model}}/rate.txt',
    environment: `azureml:${environmentId}`,
    inputs: { rate: { type: 'number', default: '7' } },
    outputs: { model: { type: 'uri_folder' } },
  });
  await component('inner', {
    type: 'pipeline',
    inputs: { rate: { type: 'number' } },
    outputs: { made: { type: 'uri_folder' } },
    jobs: {
      fit: {
        type: 'command',
        componentId: `${workspace.id}/components/fit/versions/1`,
        inputs: { rate: literal('${{parent.inputs.rate}}') },
        outputs: { model: literal('${{parent.outputs.made}}') },
      },
    },
  });
}, 60_000);
afterAll(() => workspace?.azure.close());

async function component(name: string, spec: JsonObject): Promise<void> {
  await workspace.azure.put(`${workspace.id}/components/${name}/versions/1`, {
    properties: { componentSpec: { name, version: '1', ...spec } },
  });
}

const show = (made: string): JsonObject => ({
  type: 'command',
  command: 'cat ${{inputs.made}}/rate.txt > ${{outputs.shown}}/shown.txt',
  environmentId,
  inputs: { made: literal(made) },
  outputs: { shown: { job_output_type: 'uri_folder', value: '${{parent.outputs.shown}}' } },
});

function pipeline(name: string, jobs: JsonObject): Promise<string> {
  return workspace.submit(name, {
    jobType: 'Pipeline',
    environmentId: null,
    // Where nothing else is said, steps run on the compute of the pipeline itself.
    computeId,
    outputs: {
      shown: { jobOutputType: 'uri_folder', uri: `azureml://datastores/workspaceblobstore/paths/${name}/` },
    },
    jobs,
  });
}

async function childrenOf(name: string): Promise<JsonObject[]> {
  return (await workspace.history(`/runs/${name}/children`)).body.value as JsonObject[];
}

describe('a step', () => {
  it('that is a pipeline is a pipeline of its own, whose steps run', async () => {
    await pipeline('outer', {
      inner: {
        type: 'pipeline',
        componentId: `${workspace.id}/components/inner/versions/1`,
        inputs: { rate: literal('3') },
      },
      show: show('${{parent.jobs.inner.outputs.made}}'),
    });
    expect(await workspace.ends('outer')).toBe('Completed');
    expect(await workspace.read('outer/shown.txt')).toBe('3\n');
    const inner = (await childrenOf('outer')).find((run) => run.displayName === 'inner');
    expect(inner).toMatchObject({ runType: 'azureml.PipelineRun', status: 'Completed' });
    const [fit] = await childrenOf(text(inner?.runId));
    expect(fit).toMatchObject({ displayName: 'fit', parentRunId: inner?.runId, rootRunId: 'outer' });
    // Without the prefix that components have before ids.
    expect(await workspace.job(text(fit?.runId))).toMatchObject({ environmentId, computeId });
  });

  it('that is a sweep has trials, and the outputs of the best', async () => {
    await pipeline('tuned', {
      tune: {
        type: 'sweep',
        sampling_algorithm: 'grid',
        objective: { goal: 'minimize', primary_metric: 'loss' },
        search_space: { rate: { type: 'choice', values: [4, 2, 9] } },
        limits: { max_total_trials: 3, max_concurrent_trials: 3, trial_timeout: 600 },
        trial: { componentId: `${workspace.id}/components/fit/versions/1` },
        outputs: { model: { job_output_type: 'uri_folder' } },
      },
      show: show('${{parent.jobs.tune.outputs.model}}'),
    });
    expect(await workspace.ends('tuned')).toBe('Completed');
    expect(await workspace.read('tuned/shown.txt')).toBe('2\n');
    const tune = (await childrenOf('tuned')).find((run) => run.displayName === 'tune');
    expect(await workspace.job(text(tune?.runId))).toMatchObject({
      jobType: 'Sweep',
      objective: { goal: 'Minimize', primaryMetric: 'loss' },
      searchSpace: { rate: ['choice', [[4, 2, 9]]] },
      limits: { jobLimitsType: 'Sweep', maxTotalTrials: 3, trialTimeout: 'PT600S' },
    });
    expect(await childrenOf(text(tune?.runId))).toHaveLength(3);
  });

  it('runs where an input of its pipeline says, also of a pipeline in it', async () => {
    await component('placed', {
      type: 'pipeline',
      inputs: { where: { type: 'string' } },
      jobs: {
        fit: {
          type: 'command',
          componentId: `${workspace.id}/components/fit/versions/1`,
          computeId: '${{parent.inputs.where}}',
        },
      },
    });
    await workspace.submit('placed', {
      jobType: 'Pipeline',
      environmentId: null,
      computeId: null,
      inputs: { where: { jobInputType: 'literal', value: 'executing' } },
      jobs: {
        inner: {
          type: 'pipeline',
          componentId: `${workspace.id}/components/placed/versions/1`,
          inputs: { where: literal('${{parent.inputs.where}}') },
        },
      },
    });
    expect(await workspace.ends('placed')).toBe('Completed');
    const [inner] = await childrenOf('placed');
    const [fit] = await childrenOf(text(inner?.runId));
    expect(fit).toMatchObject({ displayName: 'fit', status: 'Completed' });
    expect(await workspace.job(text(fit?.runId))).toMatchObject({ computeId: 'executing' });
  });

  it('is told of in the log of the pipeline', async () => {
    await pipeline('told', {
      fit: { type: 'command', componentId: `${workspace.id}/components/fit/versions/1` },
    });
    expect(await workspace.ends('told')).toBe('Completed');
    const [step] = await childrenOf('told');
    const { logFiles } = await workspace.details('told');
    expect(Object.keys(logFiles as JsonObject)).toEqual(['logs/azureml/executionlogs.txt']);
    const log = (await workspace.log('told', 'logs/azureml/executionlogs.txt')) ?? '';
    const lines = log
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\[[\d-]{10} [\d:]{8}Z\] /, ''));
    expect(lines).toEqual([
      `Submitting 1 runs, first five are: ${text(step?.runId).slice(0, 8)}:${text(step?.runId)}`,
      `Completing processing run id ${text(step?.runId)}.`,
      'Finishing experiment: no runs left and nothing to schedule.',
    ]);
  });
});

describe('an output that is a folder', () => {
  it('has the files that links in it lead to, and not what links to folders do', async () => {
    await workspace.submit('links', {
      command:
        'cd ${{outputs.it}} && echo a > a && ln -s a b && mkdir d && ln -s d e && ln -s none f && echo c > "d/ü %41"',
      outputs: { it: { jobOutputType: 'uri_folder' } },
    });
    expect(await workspace.ends('links')).toBe('Completed');
    expect(await workspace.files('azureml/links/it/')).toEqual(['a', 'b', 'd/ü %41']);
    expect(await workspace.read('azureml/links/it/b')).toBe('a\n');
  });
});

describe('an output with a name', () => {
  const named = (name: string, outputs: JsonObject): Promise<string> =>
    workspace.submit(name, { command: 'echo w > ${{outputs.it}}/w', outputs: { it: outputs } });
  const asset = async (path: string): Promise<JsonObject> =>
    properties((await workspace.azure.arm('GET', `${workspace.id}/${path}`)).body);

  it('is registered as data when its job has completed, one version after the other', async () => {
    const output = { jobOutputType: 'uri_folder', assetName: 'table', description: 'made' };
    for (const name of ['table-a', 'table-b']) {
      await named(name, output);
      expect(await workspace.ends(name)).toBe('Completed');
    }
    expect(await asset('data/table/versions/2')).toMatchObject({
      dataType: 'uri_folder',
      description: 'made',
      dataUri: expect.stringMatching(
        /^azureml:\/\/subscriptions\/.*\/workspaces\/runs-east\/datastores\/workspaceblobstore\/paths\/azureml\/table-b\/it\/$/,
      ),
    });
    const again = { it: { jobInputType: 'uri_folder', uri: `${workspace.id}/data/table/versions/1` } };
    await workspace.submit('reads', { command: 'cat ${{inputs.it}}/w', inputs: again });
    expect(await workspace.ends('reads')).toBe('Completed');
    expect(await workspace.log('reads')).toBe('w\n');
  });

  it('is registered as a model in its own version, which cannot be two models', async () => {
    const output = { jobOutputType: 'custom_model', assetName: 'net', assetVersion: '5' };
    await named('net-a', output);
    expect(await workspace.ends('net-a')).toBe('Completed');
    expect(await asset('models/net/versions/5')).toMatchObject({
      modelType: 'custom_model',
      jobName: 'net-a',
    });
    await named('net-b', output);
    expect(await workspace.ends('net-b')).toBe('Failed');
    const { error } = (await workspace.details('net-b')) as { error: { error: JsonObject } };
    expect(error.error.message).toMatch(/^The output 'it' could not be registered: .*already exists/);
  });

  it('is not registered of a job that fails', async () => {
    await workspace.submit('fails', {
      command: 'echo w > ${{outputs.it}}/w; exit 1',
      outputs: { it: { jobOutputType: 'uri_folder', assetName: 'never' } },
    });
    expect(await workspace.ends('fails')).toBe('Failed');
    expect((await workspace.azure.arm('GET', `${workspace.id}/data/never`)).status).toBe(404);
  });

  it('is given to a job that opens it itself by its address in storage', async () => {
    await workspace.azure.put(`${workspace.id}/data/there/versions/1`, {
      properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/there/' },
    });
    const input = {
      jobInputType: 'uri_folder',
      mode: 'Direct',
      uri: `${workspace.id}/data/there/versions/1`,
    };
    await workspace.submit('direct', { command: 'echo ${{inputs.it}}', inputs: { it: input } });
    expect(await workspace.ends('direct')).toBe('Completed');
    expect(await workspace.log('direct')).toBe('azureml://datastores/workspaceblobstore/paths/there/\n');
  });
});
