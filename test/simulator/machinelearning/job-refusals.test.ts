import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, properties, startFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;

beforeAll(async () => {
  fixture = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(fixture, 'eastus', 'shapes');
  await fixture.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
  const inputs = {
    needed: { type: 'string' },
    optional: { type: 'string', optional: true },
    filled: { type: 'integer', default: 3 },
  };
  await fixture.put(`${workspace}/components/asks/versions/1`, {
    properties: { componentSpec: { type: 'command', command: 'ls', inputs } },
  });
});
afterAll(() => fixture.close());

async function refusal(job: JsonObject): Promise<[number, string]> {
  const { status, body } = await fixture.arm('PUT', `${workspace}/jobs/refused`, { properties: job });
  return [status, (body.error as { message: string } | undefined)?.message ?? ''];
}

const command = (): JsonObject => ({
  jobType: 'Command',
  command: 'ls',
  environmentId: `${workspace}/environments/plain/versions/1`,
});
const sweep = (): JsonObject => ({
  jobType: 'Sweep',
  objective: { goal: 'Minimize', primaryMetric: 'loss' },
  samplingAlgorithm: { samplingAlgorithmType: 'Grid' },
  searchSpace: {},
  trial: { command: 'ls', environmentId: `${workspace}/environments/plain/versions/1` },
});

const pipeline = (): JsonObject => ({ jobType: 'Pipeline' });
const waiting = (step: string): JsonObject => ({
  command: 'ls',
  inputs: { x: { job_input_type: 'literal', value: `\${{parent.jobs.${step}.outputs.o}}` } },
});

describe('the body of a job', () => {
  it.each<[() => JsonObject, JsonObject, string]>([
    [command, { environmentId: 5 }, 'environmentId: expected a string, got 5.'],
    [command, { inputs: [1] }, 'inputs: expected an object, got [1].'],
    [command, { inputs: { a: 'b' } }, "inputs.a: expected an object, got 'b'."],
    [command, { inputs: { a: { jobInputType: 'uri_file', uri: 1 } } }, 'inputs.a.uri: expected a string, got 1.'],
    [command, { outputs: { a: 1 } }, 'outputs.a: expected an object, got 1.'],
    [command, { computeId: {} }, 'computeId: expected a string, got {}.'],
    [command, { command: ['ls'] }, 'command: expected a string, got ["ls"].'],
    [command, { distribution: 'many' }, "distribution: expected an object, got 'many'."],
    [command, { resources: { instanceCount: 'two' } }, "resources.instanceCount: expected a whole number, got 'two'."],
    [command, { isArchived: 'yes' }, "isArchived: expected true or false, got 'yes'."],
    [command, { tags: { a: ['b'] } }, 'tags.a: expected a string, got ["b"].'],
    [sweep, { trial: { codeId: 7 } }, 'trial.codeId: expected a string, got 7.'],
    [
      sweep,
      { limits: { jobLimitsType: 'Sweep', maxTotalTrials: 1.5 } },
      'limits.maxTotalTrials: expected a whole number, got 1.5.',
    ],
    [() => ({ jobType: 'Pipeline' }), { jobs: { a: null } }, 'jobs.a: expected an object, got null.'],
    [
      () => ({ jobType: 'Pipeline' }),
      { jobs: { b: { type: 'command', componentId: 7 } } },
      'jobs.b.componentId: expected a string, got 7.',
    ],
    [() => ({ jobType: 'Spark', codeId: 'c' }), { entry: 'main.py' }, "entry: expected an object, got 'main.py'."],
    [() => ({ jobType: 'AutoML' }), { taskDetails: [] }, 'taskDetails: expected an object, got [].'],
  ])('is refused where a field is of another type (%#)', async (job, wrong, message) => {
    expect(await refusal({ ...job(), ...wrong })).toEqual([400, `properties.${message}`]);
  });

  it.each<[string, () => JsonObject, JsonObject, string]>([
    ['of no type', command, { jobType: null }, 'jobType: required.'],
    ['without a command', command, { command: null }, 'command: required.'],
    [
      'with a command that says nothing',
      command,
      { command: ' -- ' },
      "command: expected a command with a letter, a digit or an underscore, got ' -- '.",
    ],
    [
      'with an input of no known type',
      command,
      { inputs: { a: { jobInputType: 'uri_thing', uri: 'azureml://datastores/d/paths/x' } } },
      "inputs.a.jobInputType: expected one of literal, uri_file, uri_folder, mltable, custom_model, mlflow_model, triton_model, got 'uri_thing'.",
    ],
    ['with an input of no place', command, { inputs: { a: { jobInputType: 'uri_file' } } }, 'inputs.a.uri: required.'],
    ['with no value', command, { inputs: { a: { jobInputType: 'literal' } } }, 'inputs.a.value: required.'],
    [
      'with an output that is mounted for reading',
      command,
      { outputs: { a: { jobOutputType: 'uri_file', mode: 'ReadOnlyMount' } } },
      "outputs.a.mode: expected one of ReadWriteMount, Upload, Direct, got 'ReadOnlyMount'.",
    ],
    [
      'with a limit that is no duration',
      command,
      { limits: { jobLimitsType: 'Command', timeout: '5 minutes' } },
      "limits.timeout: expected a duration in ISO 8601 (PT30S), got '5 minutes'.",
    ],
    [
      'with the limits of another kind',
      command,
      { limits: { jobLimitsType: 'Sweep', timeout: 'PT5M' } },
      "limits.jobLimitsType: expected Command, got 'Sweep'.",
    ],
    [
      'on no node',
      command,
      { resources: { instanceCount: 0 } },
      'resources.instanceCount: expected at least 1, got 0.',
    ],
    [
      'with an objective of no metric',
      sweep,
      { objective: { goal: 'Minimize' } },
      'objective.primaryMetric: required.',
    ],
    [
      'of no trial',
      sweep,
      { limits: { jobLimitsType: 'Sweep', maxTotalTrials: 0 } },
      'limits.maxTotalTrials: expected 1 to 1000, got 0.',
    ],
    [
      'with a grid of what is no choice',
      sweep,
      { searchSpace: { rate: ['uniform', [0, 1]] } },
      "searchSpace.rate: Grid sampling draws from choice, not from 'uniform'.",
    ],
    [
      'that ends trials early which Bayesian sampling compares',
      sweep,
      {
        samplingAlgorithm: { samplingAlgorithmType: 'Bayesian' },
        earlyTermination: { policyType: 'Bandit' },
      },
      'earlyTermination: Bayesian sampling has no early termination policy.',
    ],
    [
      'with steps that wait for each other',
      pipeline,
      { jobs: { a: waiting('b'), b: waiting('a') } },
      'jobs: the steps a, b wait for each other.',
    ],
    [
      'with a step that waits for none',
      pipeline,
      { jobs: { a: waiting('c') } },
      "jobs.a: takes an output of 'c', which is no step.",
    ],
    [
      'with a step that runs nothing',
      pipeline,
      { jobs: { a: { type: 'command' } } },
      'jobs.a: a step of type command must have a componentId or a command.',
    ],
    [
      'with a step that gives its component too little',
      pipeline,
      { jobs: { a: { componentId: 'azureml:asks:1', inputs: { optional: 1 } } } },
      'jobs.a.inputs.needed: its component requires it.',
    ],
    [
      'with a step of no known type',
      pipeline,
      { jobs: { a: { type: 'kommand', command: 'ls' } } },
      "jobs.a.type: expected one of command, sweep, parallel, automl, pipeline, import, spark, data_transfer, promptflow_parallel, do_while, if_else, parallel_for, got 'kommand'.",
    ],
    [
      'that trains on a folder',
      () => ({ jobType: 'AutoML' }),
      { taskDetails: { taskType: 'Regression', trainingData: { jobInputType: 'uri_folder', uri: 'x' } } },
      "taskDetails.trainingData.jobInputType: expected mltable, got 'uri_folder'.",
    ],
  ])('is refused %s', async (_, job, wrong, message) => {
    expect(await refusal({ ...job(), ...wrong })).toEqual([400, `properties.${message}`]);
  });

  const literal = { jobInputType: 'literal', value: '1' };
  const output = { jobOutputType: 'uri_folder' };
  it.each<[string, () => JsonObject, JsonObject, string, string]>([
    ['an input', command, { inputs: { other: literal } }, 'ls ${{inputs.nope}}', 'input'],
    ['an output', command, { inputs: { nope: literal } }, 'ls ${{ outputs.nope }}', 'output'],
    [
      'an input of a step',
      pipeline,
      { jobs: { a: { command: 'ls ${{inputs.nope}}' } }, inputs: { nope: literal } },
      'ls ${{inputs.nope}}',
      'input',
    ],
    [
      'what its sweep does not draw',
      sweep,
      {
        searchSpace: { rate: ['choice', [[1, 2]]] },
        trial: { ...(sweep().trial as JsonObject), command: '${{search_space.rate}} ${{search_space.nope}}' },
      },
      '${{search_space.rate}} ${{search_space.nope}}',
      'search space',
    ],
  ])('is refused where its command names %s that is not declared', async (_, job, more, text, noun) => {
    const own = 'command' in job() ? { command: text } : {};
    expect(await refusal({ ...job(), ...more, ...own })).toEqual([
      400,
      `In command "${text}", ${noun} with name 'nope' not found.`,
    ]);
  });

  it('may name what is left out without its input, and the output of every job', async () => {
    const made = await fixture.put(`${workspace}/jobs/bound`, {
      properties: {
        ...command(),
        command: 'ls ${{inputs.a}} $[[--b ${{inputs.b}}]] ${{outputs.c}} ${{outputs.default}}',
        inputs: { a: literal },
        outputs: { c: output },
      },
    });
    expect(properties(made).inputs).toEqual({ a: literal });
  });

  it('is refused with a component whose command names what it does not declare', async () => {
    const spec = (text: string): JsonObject => ({
      properties: {
        componentSpec: { type: 'command', command: text, inputs: { group: { type: 'group' } } },
      },
    });
    const { status, body } = await fixture.arm(
      'PUT',
      `${workspace}/components/binds/versions/1`,
      spec('ls ${{inputs.nope}}'),
    );
    expect([status, body.error]).toMatchObject([
      400,
      { code: 'UserError', message: `In command "ls \${{inputs.nope}}", input with name 'nope' not found.` },
    ]);
    await fixture.put(`${workspace}/components/binds/versions/1`, spec('ls ${{inputs.group.rate}}'));
  });

  it('may spell the words of the API in any case, and is shown as published', async () => {
    const made = await fixture.put(`${workspace}/jobs/spelt`, {
      properties: {
        ...command(),
        queueSettings: { jobTier: 'spot' },
        distribution: { distributionType: 'pytorch' },
      },
    });
    expect(properties(made)).toMatchObject({
      queueSettings: { jobTier: 'Spot' },
      distribution: { distributionType: 'PyTorch' },
    });
  });

  it('is kept whole with fields that no schema lists, with nulls, and with values that can be written as texts', async () => {
    const more = {
      description: null,
      newest: { deep: [1, { a: true }] },
      resources: { instanceCount: 1, later: ['x'] },
      environmentVariables: { RETRIES: 3 },
      outputs: { o: null },
      inputs: { n: { jobInputType: 'literal', value: 7 } },
    };
    const made = await fixture.put(`${workspace}/jobs/kept`, { properties: { ...command(), ...more } });
    expect(properties(made)).toMatchObject({
      ...more,
      environmentVariables: { RETRIES: '3' },
      inputs: { n: { value: '7' } },
    });
    const again = await fixture.arm('PUT', `${workspace}/jobs/kept`, {
      properties: { ...command(), ...more, tags: [] },
    });
    expect([again.status, JSON.stringify(again.body)]).toEqual([
      400,
      expect.stringContaining('properties.tags: expected an object, got [].'),
    ]);
  });
});
