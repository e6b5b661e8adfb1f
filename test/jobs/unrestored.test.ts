/** What this run could not restore, no job runs on. */
import { describe, expect, it } from 'vitest';
import { writeFindings, type Finding } from '../../src/run/work/findings.ts';
import type { AssetLine } from '../../src/recovery-point/manifest.ts';
import type { JsonObject } from '../../src/azure/azure.ts';
import type { Step } from '../../src/plan/plan.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { command, eastId, scene, westId, type Scene } from './scene.ts';

const another = 'there is another one of this name: dataUri is a, expected b';
const elsewhere = "the standby's datastore points to other/c, expected west/c";
const failed = (what: string, reason: string): Finding => ({ what, state: 'failed', reason });

/** A context in which earlier steps of the run have left these findings. */
async function after(made: Scene, assets: Finding[], datastores: Finding[] = []): Promise<StepContext> {
  const plain = made.context();
  const step = (id: string, action: Step['action']): Step => ({ ...plain.step, id, action });
  const steps = [
    step('restore/data/assets', 'restoreAssets'),
    step('restore/platform/datastores', 'configureDatastores'),
  ];
  const outcomes = new Map<string, StepResult>();
  for (const [index, findings] of [assets, datastores].entries()) {
    const of = steps[index] ?? plain.step;
    const evidence = await writeFindings({ ...plain, step: of }, 'list', findings);
    outcomes.set(of.id, { state: 'completed', detail: '', evidence });
  }
  return { ...plain, plan: { ...plain.plan, steps }, outcomeOf: ({ id }) => Promise.resolve(outcomes.get(id)) };
}

function asset(type: AssetLine['type'], name: string, version: string, properties: JsonObject): AssetLine {
  const id = `${eastId}/${type}/${name}/versions/${version}`;
  return { type, name, version, resource: { id, name: version, type: '', properties } };
}

const reads = (uri: string) => command({ inputs: { data: { jobInputType: 'uri_folder', uri } } });
const long = (rest: string) => `azureml:/${eastId.replace('/providers/Microsoft.MachineLearningServices', '')}/${rest}`;

const ofTrain = ({ lost }: StepResult) => lost?.find((line) => line.startsWith('job "train"'));

describe('resubmitJobs, where something could not be restored', () => {
  it.each<[string, JsonObject, string]>([
    ['an input by ARM id', command(), 'its input data/d/2'],
    ['an input by its long URI', reads(long('data/D/versions/2')), 'its input data/d/2'],
    ['an input by its short name', reads('azureml:d:2'), 'its input data/d/2'],
    ['an input by a label', reads('azureml:d@latest'), 'its input data/d/2'],
    ['a word of its command', command({ inputs: {}, command: 'x --in=azureml:d:2' }), 'what it names, data/d/2'],
    [
      'a node of a pipeline',
      command({
        jobType: 'Pipeline',
        inputs: {},
        jobs: { n: { inputs: { i: { uri: `${eastId}/data/d/versions/2` } } } },
      }),
      'its input data/d/2',
    ],
  ])('leaves a job for a person whose %s refers to an asset that failed', async (_what, properties, named) => {
    const made = scene();
    await made.addJob('train', properties);
    await made.addJob('fine', command({ inputs: {} }));
    const result = await made.resubmit(await after(made, [failed('data/d/2', another)]));
    expect(made.successors().map((job) => job.properties['tags'])).toMatchObject([
      { 'understudy.origin': `${eastId}/jobs/fine` },
    ]);
    expect(result.counts?.[0]).toMatchObject({
      done: 1,
      skipped: [{ reason: 'left for a person: refers to what was not restored', count: 1 }],
    });
    expect(ofTrain(result)).toBe(`job "train" of ana is left for a person: ${named} was not restored: ${another}`);
  });

  it.each<[string, JsonObject, string]>([
    ['environments/e/1', command(), 'its environment environments/e/1'],
    ['codes/c/1', command(), 'its code codes/c/1'],
    ['models/m/4', reads(`${eastId}/models/m/versions/4`), 'its input models/m/4'],
    [
      'components/train/1',
      command({ jobType: 'Pipeline', jobs: { n: { componentId: `${eastId}/components/train/versions/1` } } }),
      'its component components/train/1',
    ],
  ])('leaves it where %s failed', async (what, properties, named) => {
    const made = scene();
    await made.addJob('train', properties);
    const result = await made.resubmit(await after(made, [failed(what, another)]));
    expect(made.successors()).toEqual([]);
    expect(result.lost).toEqual([`job "train" of ana is left for a person: ${named} was not restored: ${another}`]);
  });

  it.each<[string, JsonObject, string]>([
    ['an input', reads('azureml://datastores/Features/paths/a b/'), 'its input'],
    ['an input of the old workspace', reads(long('datastores/features/paths/a')), 'its input'],
    ['an output', command({ outputs: { o: { uri: long('datastores/features/paths/a') } } }), 'its output'],
    ['a bare name', command({ settings: { default_datastore: 'features' } }), 'what it names,'],
  ])('leaves a job whose %s is on a datastore that failed, there or not', async (_what, properties, role) => {
    for (const isThere of [true, false]) {
      const made = scene();
      if (isThere) made.arm.add(`${westId}/datastores/features`, { properties: { accountName: 'other' } });
      await made.addJob('train', properties);
      const context = await after(made, [], [failed('datastore features', elsewhere)]);
      const result = await made.resubmit(context);
      expect(made.successors()).toEqual([]);
      expect(result.lost).toEqual([
        `job "train" of ana is left for a person: ${role} datastore features was not restored: ${elsewhere}`,
      ]);
    }
  });

  it('leaves a job whose input was registered, on a datastore that is another one', async () => {
    const made = scene();
    made.assets.push(asset('data', 'd', '2', { dataUri: long('datastores/features/paths/d') }));
    await made.addJob('train', command());
    const context = await after(made, [], [failed('datastore features', elsewhere)]);
    const result = await made.resubmit(context);
    expect(made.successors()).toEqual([]);
    expect(result.lost).toEqual([
      `job "train" of ana is left for a person: its input data/d/2 refers to datastore features, which was not restored: ${elsewhere}`,
    ]);
  });

  it('follows components to what they are made of, in whatever order they stand', async () => {
    const made = scene();
    made.assets.push(
      asset('components', 'outer', '1', { componentSpec: { jobs: { n: { component: 'azureml:inner:1' } } } }),
      asset('components', 'inner', '1', { componentSpec: { environment: 'azureml:e:1' } }),
      asset('components', 'other', '1', { componentSpec: {}, description: 'not azureml:e:1' }),
    );
    const pipeline = (name: string) =>
      command({
        jobType: 'Pipeline',
        environmentId: null,
        jobs: { n: { componentId: `${eastId}/components/${name}/versions/1` } },
      });
    await made.addJob('train', pipeline('outer'));
    await made.addJob('fine', pipeline('other'));
    const result = await made.resubmit(await after(made, [failed('environments/e/1', another)]));
    expect(made.successors()).toHaveLength(1);
    expect(ofTrain(result)).toBe(
      `job "train" of ana is left for a person: its component components/outer/1 refers to components/inner/1, which refers to environments/e/1, which was not restored: ${another}`,
    );
  });

  it.each<[string, Finding, JsonObject]>([
    ['another version failed', failed('data/d/1', another), command()],
    ['another type failed under this name', failed('models/d/2', another), command()],
    ['it was skipped, not failed', { what: 'data/d/2', state: 'skipped', reason: 'left out' }, command()],
    ['the name stands in text for people', failed('data/d/3', another), command({ description: 'azureml:d:3' })],
    ['it is of a registry', failed('data/d/2', another), reads('azureml://registries/r/data/d/versions/2')],
    [
      'it is of a third workspace',
      failed('data/d/2', another),
      reads(`${eastId.replace('fraud-east', 'third')}/data/d/versions/2`),
    ],
  ])('submits where %s', async (_what, finding, properties) => {
    const made = scene();
    await made.addJob('train', properties);
    await made.resubmit(await after(made, [finding]));
    expect(made.successors()).toHaveLength(1);
  });

  it('does not read the recovery point where everything was restored', async () => {
    const made = scene();
    await made.addJob('train', command());
    made.assets.push(asset('data', 'd', '2', { dataUri: long('datastores/features/paths/d') }));
    const context = await after(made, []);
    const readText = (name: string) => {
      if (name.includes('/inventory/data-')) throw new Error('the assets were read');
      return context.store.readText(name);
    };
    await made.resubmit({ ...context, store: { ...context.store, readText } });
    expect(made.successors()).toHaveLength(1);
  });
});
