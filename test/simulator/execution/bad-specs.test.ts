/** Whatever a job says, it ends, Failed with a reason if it cannot run; and the local Azure goes on. */

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { ExecutingWorkspace } from './executing.ts';

let workspace: ExecutingWorkspace;

beforeAll(async () => {
  workspace = await ExecutingWorkspace.start(20);
  await workspace.submit('silent', { command: 'true', outputs: { o: { jobOutputType: 'uri_folder' } } });
  await workspace.ends('silent');
}, 60_000);
afterAll(() => workspace?.azure.close());

const paths = 'azureml://datastores/workspaceblobstore/paths';
const folder = (path: string): JsonObject => ({ jobInputType: 'uri_folder', uri: `${paths}/${path}/` });

/** Answers how a job ended, or its refusal. */
async function endOf(name: string, body: JsonObject): Promise<[Json | undefined, string]> {
  try {
    await workspace.submit(name, { command: 'true', ...body });
  } catch (error) {
    return ['refused', String(error)];
  }
  const status = await workspace.ends(name);
  const { error } = await workspace.details(name);
  return [status, JSON.stringify(error)];
}

describe('a command job', () => {
  it.each<[string, JsonObject, Json, string]>([
    [
      'an input that leads out of its folder',
      { inputs: { '../../../out': folder('a') } },
      'Failed',
      'no name of an input',
    ],
    ['an output that does', { outputs: { '..': { jobOutputType: 'uri_folder' } } }, 'Failed', 'no name of an input'],
    [
      'an output without a place',
      { outputs: { x: { jobOutputType: 'uri_folder', uri: 'https://example.org/a' } } },
      'Failed',
      "output 'x'",
    ],
    ['a command that cannot be', { command: 'echo \u0000' }, 'Failed', 'null bytes'],
    ['a variable that cannot be', { environmentVariables: { A: 'b\u0000', '': 'x' } }, 'Failed', 'null bytes'],
    [
      'variables that are none',
      { environmentVariables: ['a'] },
      'refused',
      'properties.environmentVariables: expected an object',
    ],
    [
      'inputs that are none',
      { inputs: { a: { jobInputType: 'literal' }, b: { jobInputType: 'uri_folder', uri: null } } },
      'refused',
      'properties.inputs.a.value: required',
    ],
    ['a syntax that bash refuses', { command: 'if then' }, 'Failed', 'exited with code 2'],
    ['a process that kills itself', { command: 'kill -9 $$' }, 'Failed', 'signal SIGKILL'],
    [
      'an asset that leads in circles',
      { inputs: { x: { jobInputType: 'uri_folder', uri: 'azureml:circle:1' } } },
      'Failed',
      'names no blobs',
    ],
    [
      'an input where there is nothing',
      { inputs: { x: folder('never/written') } },
      'Failed',
      `There is nothing at '${paths}/never/written/'`,
    ],
    [
      'an input where a job has left nothing',
      { inputs: { x: { jobInputType: 'uri_folder', uri: 'azureml://jobs/silent/outputs/o/paths/' } } },
      'Completed',
      'null',
    ],
    [
      'an input below what a job has left',
      { inputs: { x: { jobInputType: 'uri_folder', uri: 'azureml://jobs/silent/outputs/o/paths/deeper' } } },
      'Failed',
      'There is nothing at',
    ],
  ])('with %s', async (_, body, status, reason) => {
    await workspace.azure.put(`${workspace.id}/data/circle/versions/1`, {
      properties: { dataType: 'uri_folder', dataUri: 'azureml:circle:1' },
    });
    const name = `bad-${Math.abs(hash(_))}`;
    expect(await endOf(name, body)).toEqual([status, expect.stringContaining(reason)]);
  });

  it('downloads no blob to a place outside of its folder', async () => {
    await workspace.write('evil/../../../../escaped.txt', 'x');
    const [status] = await endOf('escaping', {
      inputs: { x: folder('evil') },
      command: 'ls -a ${{inputs.x}}',
    });
    expect(['Failed', 'Completed']).toContain(status);
    expect(await workspace.log('escaping').then((log) => log ?? '')).not.toContain('escaped');
  });

  it('leaves no folder behind', async () => {
    await workspace.ends('escaping');
    await expect.poll(() => readdirSync(workspace.azure.running.cloud.workFolder)).toEqual([]);
  });
});

describe('a pipeline or a sweep', () => {
  const compute = (): string => `${workspace.id}/computes/executing`;
  it.each<[string, JsonObject, Json]>([
    ['no steps', { jobs: {} }, 'Completed'],
    ['a step that is none', { jobs: { a: null, b: 3 } }, 'refused'],
    ['steps that are no object', { jobs: ['a'] }, 'refused'],
    [
      'a binding to an output that is none',
      {
        jobs: {
          a: { command: 'true' },
          b: { command: 'true', inputs: { x: '${{parent.jobs.a.outputs.none}}' } },
        },
      },
      'Failed',
    ],
    ['a step without a command', { jobs: { a: { type: 'command' } } }, 'refused'],
    ['a step of another kind', { jobs: { a: { type: 'spark', entry: {} } } }, 'Completed'],
  ])('with %s', async (_, body, status) => {
    const name = `bad-${Math.abs(hash(_))}`;
    const settings = { default_compute: compute() };
    const [ended] = await endOf(name, {
      jobType: 'Pipeline',
      command: null,
      computeId: null,
      settings,
      ...body,
    });
    expect(ended).toBe(status);
  });

  it.each<[string, JsonObject, Json]>([
    ['a space of nothing', { searchSpace: {} }, 'Completed'],
    ['a space that is none', { searchSpace: { x: 3 } }, 'Failed'],
    [
      'limits that are none',
      {
        searchSpace: { x: ['choice', [[1]]] },
        limits: { jobLimitsType: 'Sweep', maxTotalTrials: -1, maxConcurrentTrials: 0 },
      },
      'refused',
    ],
    ['a trial that is none', { trial: { command: 7 } }, 'refused'],
  ])('with %s', async (_, body, status) => {
    const trial = { command: 'true', environmentId: `${workspace.id}/environments/plain/versions/1` };
    const [ended] = await endOf(`bad-${Math.abs(hash(_))}`, {
      jobType: 'Sweep',
      samplingAlgorithm: { samplingAlgorithmType: 'Grid' },
      objective: { goal: 'Minimize', primaryMetric: '(' },
      searchSpace: { x: ['choice', [[1, 2]]] },
      trial,
      ...body,
    });
    expect(ended).toBe(status);
  });
});

/** A short name for each case. */
function hash(text: string): number {
  return Array.from(text).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) | 0, 7);
}
