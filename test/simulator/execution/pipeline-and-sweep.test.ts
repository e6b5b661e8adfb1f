import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { text } from '../machinelearning/fixture.ts';
import { ExecutingWorkspace } from './executing.ts';

let workspace: ExecutingWorkspace;

beforeAll(async () => {
  workspace = await ExecutingWorkspace.start(10);
  await workspace.write('raw/numbers.txt', '1\n2\n3\n');
  await workspace.code('sums', {
    'sum.sh': 'paste -sd+ "$1" | bc 2>/dev/null || awk \'{s+=$1} END {print s}\' "$1"',
  });
  await workspace.azure.put(`${workspace.id}/components/double/versions/1`, {
    properties: {
      componentSpec: {
        name: 'double',
        version: '1',
        type: 'command',
        command:
          "awk '{print $1*${{inputs.factor}}}' ${{inputs.table}}/numbers.txt > ${{outputs.table}}/numbers.txt $[[&& echo ${{inputs.note}}]]",
        environment: `azureml:${workspace.id}/environments/plain/versions/1`,
        inputs: {
          table: { type: 'uri_folder' },
          factor: { type: 'integer', default: '2' },
          note: { type: 'string', optional: true },
        },
        outputs: { table: { type: 'uri_folder' } },
      },
    },
  });
}, 60_000);
afterAll(() => workspace?.azure.close());

const paths = 'azureml://datastores/workspaceblobstore/paths';
const literal = (value: string): JsonObject => ({ job_input_type: 'literal', value });

function pipeline(name: string, jobs: JsonObject, more: JsonObject = {}): Promise<string> {
  return workspace.submit(name, {
    jobType: 'Pipeline',
    environmentId: null,
    computeId: null,
    settings: { default_compute: `${workspace.id}/computes/executing` },
    inputs: {
      raw: { jobInputType: 'uri_folder', uri: `${paths}/raw/` },
      factor: { jobInputType: 'literal', value: '5' },
    },
    outputs: { total: { jobOutputType: 'uri_folder', uri: `${paths}/totals/${name}/` } },
    jobs,
    ...more,
  });
}

const double = (table: string, more: JsonObject = {}): JsonObject => ({
  type: 'command',
  componentId: `${workspace.id}/components/double/versions/1`,
  inputs: { table: literal(table), ...more },
});

/** The steps or trials of a job, as run history lists them: name, status and parent by display name. */
async function children(name: string): Promise<Record<string, Json>> {
  const { body } = await workspace.history(`/runs/${name}/children`);
  const runs = body.value as JsonObject[];
  return Object.fromEntries(
    runs.map((run) => [text(run.displayName), [run.status, run.parentRunId, run.rootRunId] as Json[]]),
  );
}

describe('a pipeline', () => {
  it('runs its steps in the order of their bindings', async () => {
    await pipeline('chain', {
      sum: {
        type: 'command',
        command: 'bash sum.sh ${{inputs.table}}/numbers.txt > ${{outputs.total}}/total.txt',
        codeId: `${workspace.id}/codes/sums/versions/1`,
        environmentId: `${workspace.id}/environments/plain/versions/1`,
        inputs: { table: literal('${{parent.jobs.second.outputs.table}}') },
        outputs: { total: literal('${{parent.outputs.total}}') },
      },
      second: double('${{parent.jobs.first.outputs.table}}', {
        factor: literal('${{parent.inputs.factor}}'),
      }),
      first: double('${{parent.inputs.raw}}', { note: literal('x${{parent.inputs.factor}}') }),
    });
    await workspace.reaches('chain', 'Running');
    expect(await workspace.ends('chain')).toBe('Completed');
    expect(await workspace.read('totals/chain/total.txt')).toBe('60\n');
    expect(await children('chain')).toEqual({
      first: ['Completed', 'chain', 'chain'],
      second: ['Completed', 'chain', 'chain'],
      sum: ['Completed', 'chain', 'chain'],
    });
    const listed = await workspace.azure.list(`${workspace.id}/jobs?jobType=Command`);
    expect(listed).toEqual([]);
  });

  it('fails with a step, and begins none that needs it', async () => {
    const failing = {
      ...double('${{parent.inputs.raw}}'),
      componentId: null,
      command: 'exit 1',
      outputs: { table: { job_output_type: 'uri_folder' } },
    };
    await pipeline('broken', { failing, after: double('${{parent.jobs.failing.outputs.table}}') });
    expect(await workspace.ends('broken')).toBe('Failed');
    expect(Object.keys(await children('broken'))).toEqual(['failing']);
    const { error } = (await workspace.details('broken')) as { error: { error: JsonObject } };
    expect(error.error.message).toContain('failing');
  });

  it('cancels its steps with itself', async () => {
    const long = {
      type: 'command',
      command: 'sleep 1000',
      environmentId: `${workspace.id}/environments/plain/versions/1`,
    };
    await pipeline('canceled', { long });
    await expect
      .poll(() => children('canceled'), { timeout: 10_000 })
      .toMatchObject({ long: ['Running', 'canceled', 'canceled'] });
    await workspace.azure.arm('POST', `${workspace.id}/jobs/canceled/cancel`);
    expect(await workspace.ends('canceled')).toBe('Canceled');
    expect(await children('canceled')).toMatchObject({ long: ['Canceled', 'canceled', 'canceled'] });
  });
});

describe('a sweep', () => {
  const sweep = (name: string, more: JsonObject): Promise<string> =>
    workspace.submit(name, {
      jobType: 'Sweep',
      samplingAlgorithm: { samplingAlgorithmType: 'Grid' },
      objective: { goal: 'Minimize', primaryMetric: 'val.loss' },
      limits: { jobLimitsType: 'Sweep', maxTotalTrials: 6, maxConcurrentTrials: 2 },
      trial: {
        command:
          'echo "val_loss=0 val.loss: 9"; echo "val.loss: $((${{search_space.x}} * ${{search_space.x}} - ${{inputs.shift}}))"',
        environmentId: `${workspace.id}/environments/plain/versions/1`,
      },
      searchSpace: { x: ['choice', [[3, -1, 2]]] },
      inputs: { shift: { jobInputType: 'literal', value: '7' } },
      ...more,
    });

  it('runs its trials, so many at once, and shows the best', async () => {
    await sweep('grid', {});
    expect(await workspace.ends('grid')).toBe('Completed');
    expect(await children('grid')).toEqual({
      grid_0: ['Completed', 'grid', 'grid'],
      grid_1: ['Completed', 'grid', 'grid'],
      grid_2: ['Completed', 'grid', 'grid'],
    });
    expect((await workspace.job('grid')).properties).toMatchObject({
      best_child_run_id: 'grid_1',
      score: '-6',
    });
    expect((await workspace.job('grid_2')).properties).toMatchObject({
      hyperparameters: '{"x":2}',
      score: '-3',
    });
  });

  it('draws the same trials from the same seed', async () => {
    const random: JsonObject = {
      samplingAlgorithm: { samplingAlgorithmType: 'Random', seed: 11 },
      searchSpace: { x: ['randint', [100]], y: ['loguniform', [-6, -1]] },
      limits: { jobLimitsType: 'Sweep', maxTotalTrials: 3, maxConcurrentTrials: 3 },
      objective: { goal: 'Maximize', primaryMetric: 'val.loss' },
    };
    await Promise.all([sweep('drawn-a', random), sweep('drawn-b', random)]);
    const drawn = async (name: string): Promise<Json[]> => {
      expect(await workspace.ends(name)).toBe('Completed');
      const trials = await Promise.all([0, 1, 2].map((i) => workspace.job(`${name}_${i}`)));
      return trials.map(({ properties }) => (properties as JsonObject).hyperparameters ?? null);
    };
    const first = await drawn('drawn-a');
    expect(new Set(first).size).toBe(3);
    expect(await drawn('drawn-b')).toEqual(first);
  });

  it('ends trials early by its policy', async () => {
    await sweep('banded', {
      searchSpace: { x: ['choice', [[1, 9]]] },
      earlyTermination: { policyType: 'Bandit', slackAmount: 1, evaluationInterval: 1 },
      trial: {
        command: 'for i in $(seq 60); do echo "val.loss: ${{search_space.x}}"; sleep 0.1; done',
        environmentId: `${workspace.id}/environments/plain/versions/1`,
      },
    });
    expect(await workspace.ends('banded')).toBe('Completed');
    expect(await children('banded')).toMatchObject({
      banded_0: ['Completed', 'banded', 'banded'],
      banded_1: ['Canceled', 'banded', 'banded'],
    });
    expect((await workspace.job('banded')).properties).toMatchObject({ best_child_run_id: 'banded_0' });
  });

  it('fails for a space that is none, or when no trial completes', async () => {
    await sweep('nonsense', { searchSpace: { x: { type: 'dance', values: [1] } } });
    await sweep('hopeless', {
      trial: { command: 'exit 1', environmentId: `${workspace.id}/environments/plain/versions/1` },
    });
    expect([await workspace.ends('nonsense'), await workspace.ends('hopeless')]).toEqual(['Failed', 'Failed']);
  });
});
