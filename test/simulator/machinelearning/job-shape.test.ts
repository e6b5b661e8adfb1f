import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/provider.ts';
import { makeWorkspace, properties, startFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;

beforeAll(async () => {
  fixture = await startFixture({ speed: 0 });
  workspace = await makeWorkspace(fixture, 'eastus', 'shapes');
  await fixture.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
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

describe('the body of a job', () => {
  it.each<[() => JsonObject, JsonObject, string]>([
    [command, { environmentId: 5 }, 'environmentId: expected a string, got 5.'],
    [command, { inputs: [1] }, 'inputs: expected an object, got [1].'],
    [command, { inputs: { a: 'b' } }, 'inputs.a: expected an object, got "b".'],
    [
      command,
      { inputs: { a: { jobInputType: 'uri_file', uri: 1 } } },
      'inputs.a.uri: expected a string, got 1.',
    ],
    [command, { outputs: { a: 1 } }, 'outputs.a: expected an object, got 1.'],
    [command, { computeId: {} }, 'computeId: expected a string, got {}.'],
    [command, { command: ['ls'] }, 'command: expected a string, got ["ls"].'],
    [command, { distribution: 'many' }, 'distribution: expected an object, got "many".'],
    [
      command,
      { resources: { instanceCount: 'two' } },
      'resources.instanceCount: expected an integer, got "two".',
    ],
    [command, { isArchived: 'yes' }, 'isArchived: expected true or false, got "yes".'],
    [command, { tags: { a: ['b'] } }, 'tags.a: expected a string, got ["b"].'],
    [sweep, { trial: { codeId: 7 } }, 'trial.codeId: expected a string, got 7.'],
    [sweep, { limits: { maxTotalTrials: 1.5 } }, 'limits.maxTotalTrials: expected an integer, got 1.5.'],
    [() => ({ jobType: 'Pipeline' }), { jobs: { a: null } }, 'jobs.a: expected an object, got null.'],
    [
      () => ({ jobType: 'Pipeline' }),
      { jobs: { b: { type: 'command', componentId: 7 } } },
      'jobs.b.componentId: expected a string, got 7.',
    ],
    [
      () => ({ jobType: 'Spark', codeId: 'c' }),
      { entry: 'main.py' },
      'entry: expected an object, got "main.py".',
    ],
    [() => ({ jobType: 'AutoML' }), { taskDetails: [] }, 'taskDetails: expected an object, got [].'],
  ])('is refused where a field is of another type (%#)', async (job, wrong, message) => {
    expect(await refusal({ ...job(), ...wrong })).toEqual([400, `properties.${message}`]);
  });

  it('is kept whole with fields that no schema lists, with nulls, and with values that can be written as texts', async () => {
    const more = {
      description: null,
      newest: { deep: [1, { a: true }] },
      resources: { instanceCount: 1, later: ['x'] },
      environmentVariables: { RETRIES: 3 },
      outputs: { o: null },
    };
    const made = await fixture.put(`${workspace}/jobs/kept`, { properties: { ...command(), ...more } });
    expect(properties(made)).toMatchObject({ ...more, outputs: { o: null } });
    const again = await fixture.arm('PUT', `${workspace}/jobs/kept`, {
      properties: { ...command(), ...more, tags: [] },
    });
    expect([again.status, JSON.stringify(again.body)]).toEqual([
      400,
      expect.stringContaining('properties.tags: expected an object, got [].'),
    ]);
  });
});
