/** The order in which interrupted jobs are resubmitted, and what those read that read the outputs of others. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { datastoreUri } from '../../src/azure/ids.ts';
import { JobQueue } from '../../src/jobs/job-queue.ts';
import { producersOf } from '../../src/jobs/producers.ts';
import { successorName, type LedgerEntry } from '../../src/ledger/ledger.ts';
import { byUrgency, rankOf } from '../../src/ledger/urgency.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { entryNamed } from '../recovery-point/sealed.ts';
import { command, east, scene, topologyWith, west, type Scene } from './scene.ts';

const nameOf = (job: string) => successorName(`eastus.fraud-east.${job}`, 1);
const long = (rest: string) =>
  `azureml:/${workspaceId(east).replace('/providers/Microsoft.MachineLearningServices', '')}/${rest}`;
const input = (uri: string) => ({ data: { jobInputType: 'uri_folder', uri } });
const output = (uri: string | null) => ({ o: { jobOutputType: 'uri_folder', uri } });

/** A producer and a consumer, which comes first by its priority. */
async function pair(uri: string, produces: JsonObject = { outputs: output(null) }, how: JsonObject = {}) {
  const made = scene(topologyWith({ policies: { fenceDeadline: '2s', jobBatch: 10 } }));
  await made.addJob('reader', command({ inputs: input(uri), outputs: {}, tags: { priority: 'high' } }));
  await made.addJob('maker', command({ inputs: {}, ...produces, tags: { priority: 'low' }, ...how }));
  return made;
}

const submitted = ({ arm }: Scene) =>
  arm.requests.flatMap((request) => /^PUT .*\/jobs\/(.*)$/.exec(request)?.[1] ?? []);
const readBy = (made: Scene, job: string) =>
  made.successors().find(({ name }) => name === nameOf(job))?.properties['inputs'];

describe('a job that reads the output of an unfinished job', () => {
  const own = (path: string) => datastoreUri(west, 'workspaceblobstore', `azureml/${nameOf('maker')}/${path}`);

  it.each<[string, string, string]>([
    ['by the name of the job', 'azureml://jobs/maker/outputs/o/paths/part/', own('o/part/')],
    ['by the name of the job, with nothing below', 'azureml://jobs/maker/outputs/o', own('o')],
    [
      'in the place that Azure gives it',
      'azureml://datastores/workspaceblobstore/paths/azureml/maker/o/x.csv',
      own('o/x.csv'),
    ],
    ['by the long form', long('datastores/workspaceblobstore/paths/azureml/maker/o/'), own('o/')],
    [
      'in MLflow’s words',
      'runs:/maker/model',
      datastoreUri(west, 'workspaceartifactstore', `ExperimentRun/dcid.${nameOf('maker')}/model`),
    ],
  ])('comes after it, and reads what its successor writes (%s)', async (_how, from, to) => {
    const made = await pair(from);
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({ expected: 2, done: 2 });
    expect(submitted(made)).toEqual([nameOf('maker'), nameOf('reader')]);
    expect(readBy(made, 'reader')).toEqual(input(to));
  });

  it('reads it at the path that its owner gave', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/features/';
    const made = await pair(`${uri}2026/`, { outputs: output(uri) });
    await made.resubmit();
    expect(submitted(made)).toEqual([nameOf('maker'), nameOf('reader')]);
    expect(readBy(made, 'reader')).toEqual(input(datastoreUri(west, 'workspaceblobstore', 'features/2026/')));
  });

  it('reads the folder of the hop, where both sides write to one store', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/features/';
    const made = await pair(uri, { outputs: output(uri) });
    const shared = { datastoreType: 'AzureBlob', accountName: 'east', containerName: 'c' };
    made.arm.add(`${workspaceId(west)}/datastores/workspaceblobstore`, { properties: shared });
    await made.resubmit();
    expect(readBy(made, 'reader')).toEqual(
      input(datastoreUri(west, 'workspaceblobstore', `features/${nameOf('maker')}-hop-1/`)),
    );
  });

  it('is left to a person where that job has no successor, with the reason', async () => {
    const lab = { services: { s: { jobServiceType: 'JupyterLab' } } };
    const made = await pair('azureml://jobs/maker/outputs/o', { outputs: output(null) }, lab);
    const result = await made.resubmit();
    expect(made.successors()).toEqual([]);
    expect(result.lost).toContain(
      'job "reader" of ana is left for a person: it reads the output of job "maker", which has no successor: a person works in it (JupyterLab)',
    );
  });

  it('finds the successor that an earlier attempt submitted', async () => {
    const made = await pair('azureml://jobs/maker/outputs/o');
    made.arm.faults.push({ method: 'PUT', path: new RegExp(nameOf('reader')), kind: 'silent', times: 1 });
    await expect(made.resubmit()).rejects.toThrow(/no answer/);
    const cursor = made.progress.findLast((each) => each.cursor !== undefined)?.cursor;
    expect(cursor).toEqual({ batches: 1 });
    expect((await made.resubmit(made.context({ cursor }))).counts?.[0]).toMatchObject({ done: 2 });
    expect(readBy(made, 'reader')).toEqual(input(own('o')));
  });

  it('is known from its spec, where an earlier release took the recovery point', async () => {
    const made = await pair('azureml://jobs/maker/outputs/o');
    for (const entry of made.ledger) delete entry.description;
    await made.resubmit();
    expect(submitted(made)).toEqual([nameOf('maker'), nameOf('reader')]);
    expect(readBy(made, 'reader')).toEqual(input(own('o')));
  });

  it('and is read by it, is left to a person with it: nothing hangs', async () => {
    const uri = (name: string) => `azureml://datastores/workspaceblobstore/paths/${name}/`;
    const made = scene();
    for (const [name, from] of [
      ['a', 'c'],
      ['b', 'a'],
      ['c', 'b'],
    ] as const)
      await made.addJob(name, command({ inputs: input(uri(from)), outputs: output(uri(name)) }));
    await made.addJob('own', command({ inputs: input(uri('own')), outputs: output(uri('own')) }));
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({
      done: 1,
      skipped: [{ reason: 'left for a person: reads the output of a job without successor', count: 3 }],
    });
    expect(result.lost?.[0]).toContain('which in turn reads what this job writes');
    expect(made.successors().map(({ name }) => name)).toEqual([nameOf('own')]);
  });
});

describe('the queue', () => {
  const queueOf = (names: string[], priority: Topology['jobs']['priority'], reads: Record<string, string[]> = {}) => {
    const entries = names.map((name, index): LedgerEntry => {
      const [tag = ''] = name.split('-');
      return { ...entryNamed(name), priority: tag, createdAt: String(index).padStart(6, '0') };
    });
    const jobs = topologyWith({ jobs: { priority } }).jobs;
    const described = new Map(
      names.map((name) => [name, { reads: (reads[name] ?? []).map((job) => ({ job, output: 'o' })), writes: [] }]),
    );
    return new JobQueue({
      entries: byUrgency(entries, jobs),
      rankOf: (entry) => rankOf(entry, jobs.priority),
      producers: producersOf(described),
    });
  };
  const batches = (queue: JobQueue, size = 10) => {
    const all: string[][] = [];
    for (let batch = queue.next(size, () => true); batch.length > 0; batch = queue.next(size, () => true)) {
      const names = batch.map(({ name }) => name);
      all.push(names);
      queue.remove(names);
    }
    expect(queue.size).toBe(0);
    return all;
  };

  it('takes jobs of one rank together, however their tags alternate', () => {
    const names = ['x-1', 'y-2', 'x-3', 'y-4'];
    expect(batches(queueOf(names, []))).toEqual([names]);
    expect(batches(queueOf(names, ['y']))).toEqual([
      ['y-2', 'y-4'],
      ['x-1', 'x-3'],
    ]);
  });

  it('takes a producer as early as the most urgent job that reads it', () => {
    const reads = { 'high-1': ['low-2'], 'low-2': ['low-3'] };
    expect(batches(queueOf(['high-1', 'high-4', 'low-2', 'low-3', 'low-5'], ['high', 'low'], reads))).toEqual([
      ['low-3', 'high-4'],
      ['low-2'],
      ['high-1'],
      ['low-5'],
    ]);
  });

  it('takes a chain of ten thousand', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `x-${index}`);
    const reads = Object.fromEntries(names.map((name, index) => [name, index === 0 ? [] : [`x-${index - 1}`]]));
    const queue = queueOf(names.toReversed(), [], reads);
    expect(queue.next(10, () => true).map(({ name }) => name)).toEqual(['x-0']);
    expect(queue.circular.size).toBe(0);
  });

  it('passes over what is not ready, and what waits for it', () => {
    const queue = queueOf(['x-1', 'x-2', 'x-3'], [], { 'x-2': ['x-1'] });
    const names = queue.next(10, ({ name }) => name !== 'x-1').map(({ name }) => name);
    expect(names).toEqual(['x-3']);
  });
});
