/**
 * Jobs of all five kinds and in every status, and what must become of each: the judge's expectation stands beside the
 * job.
 */
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { longUri } from './content-assets.ts';
import type { World } from './world.ts';

/** What must become of a job. */
export type Fate = 'resubmitted' | 'left';

export interface WrittenJob {
  name: string;
  fate: Fate;
}

const forever = {
  'simulator.prepareSeconds': '0',
  'simulator.queueSeconds': '0',
  'simulator.runSeconds': '360000',
};

const longName = `Very_Long-${'n'.repeat(190)}`;

export async function writeJobs(world: World): Promise<WrittenJob[]> {
  const written: WrittenJob[] = [];
  const add = async (name: string, fate: Fate, properties: JsonObject) => {
    await world.put(`${world.east.id}/jobs/${name}`, { properties });
    written.push({ name, fate });
  };
  await finished(world, add);
  await commands(world, add);
  await otherKinds(world, add);
  return written;
}

type Add = (name: string, fate: Fate, properties: JsonObject) => Promise<void>;

function command(world: World, more: JsonObject = {}): JsonObject {
  const { east } = world;
  return {
    jobType: 'Command',
    displayName: 'the same name',
    experimentName: 'exp-1',
    description: `go on from ${east.id}/jobs/before`,
    tags: { owner: 'ana', note: `${east.id}/models/m`, Größe: '大', key: 'v' },
    properties: { ...forever, custom: 'kept' },
    command: 'python train.py $[[--data ${{inputs.data}}]]',
    codeId: `${east.id}/codes/train-src/versions/1`,
    environmentId: `${east.id}/environments/sklearn/versions/3`,
    inputs: {
      data: {
        jobInputType: 'uri_folder',
        mode: 'ReadOnlyMount',
        uri: longUri(world, 'workspaceblobstore', 'data/big/'),
      },
      rate: { jobInputType: 'literal', value: '0.1' },
    },
    outputs: { model: { jobOutputType: 'mlflow_model', mode: 'ReadWriteMount' } },
    environmentVariables: { MODE: 'x', EMPTY: '' },
    limits: { jobLimitsType: 'Command', timeout: 'PT100H' },
    distribution: { distributionType: 'PyTorch', processCountPerInstance: 2 },
    resources: {
      instanceCount: 1,
      shmSize: '2g',
      dockerArgs: '--ipc=host',
      properties: { AISuperComputer: { a: 1 } },
    },
    queueSettings: { jobTier: 'Standard', priority: 2 },
    identity: { identityType: 'AMLToken' },
    notificationSetting: { emailOn: ['JobFailed'], emails: ['ana@example.org'] },
    ...more,
  };
}

async function finished(world: World, add: Add): Promise<void> {
  const quick = {
    'simulator.prepareSeconds': '0',
    'simulator.queueSeconds': '0',
    'simulator.runSeconds': '0',
  };
  await add('train-done', 'left', command(world, { properties: quick }));
  await add('train-failed', 'left', command(world, { properties: { ...quick, 'simulator.outcome': 'Failed' } }));
  await add('train-canceled', 'left', command(world));
  await world.fixture.settle(await world.fixture.arm('POST', `${world.east.id}/jobs/train-canceled/cancel`));
  world.fixture.running.clock.advance(10_000);
}

async function commands(world: World, add: Add): Promise<void> {
  const { east } = world;
  const input = (uri: string, jobInputType = 'uri_folder') => ({ jobInputType, uri });
  await add(longName, 'resubmitted', command(world, { tags: { priority: 'high' } }));
  await add(
    'resumes',
    'resubmitted',
    command(world, {
      command: 'python train.py --resume ${{inputs.resume_from}}',
      inputs: {
        resume_from: {
          jobInputType: 'uri_folder',
          mode: 'Download',
          uri: longUri(world, 'workspaceblobstore', 'data/nested/a'),
        },
      },
      outputs: {
        checkpoints: {
          jobOutputType: 'uri_folder',
          uri: longUri(world, 'workspaceblobstore', 'checkpoints/long/'),
        },
      },
      tags: { priority: 'low' },
    }),
  );
  await add(
    'from-outputs',
    'resubmitted',
    command(world, {
      inputs: {
        a: input('azureml://jobs/train-done/outputs/model'),
        b: input('runs:/train-done/model', 'mlflow_model'),
      },
    }),
  );
  await add(
    'from-ids',
    'resubmitted',
    command(world, {
      environmentId: 'azureml:sklearn:1',
      inputs: {
        a: input(`azureml:${east.id}/data/odd/versions/v1.0`),
        b: input('azureml:nested-a:1'),
        m: input(`${east.id}/models/m/versions/2`, 'custom_model'),
      },
      computeId: `${east.id}/computes/gpu`,
    }),
  );
  await add(
    'old-env',
    'resubmitted',
    command(world, { environmentId: `${east.id}/environments/Old.Env_Archived-1/versions/1` }),
  );
  await add(
    'latest',
    'resubmitted',
    command(world, { environmentId: `${east.id}/environments/sklearn/labels/latest`, isArchived: true }),
  );
  await add(
    'queued-1',
    'resubmitted',
    command(world, { computeId: `${east.id}/computes/gpu`, resources: { instanceCount: 2 } }),
  );
  await add(
    'queued-2',
    'resubmitted',
    command(world, { computeId: `${east.id}/computes/gpu`, resources: { instanceCount: 2 } }),
  );
  await add(
    'starting',
    'resubmitted',
    command(world, { properties: { ...forever, 'simulator.prepareSeconds': '500000' } }),
  );
  await add('in-lab', 'left', command(world, { services: { lab: { jobServiceType: 'JupyterLab', port: 8888 } } }));
  await add(
    'with-board',
    'resubmitted',
    command(world, {
      services: { board: { jobServiceType: 'TensorBoard', port: 6006, properties: { logDir: 'x' } } },
    }),
  );
  await add('says-never', 'left', command(world, { tags: { 'understudy.resume': 'never' } }));
  await add('low-prio-box', 'resubmitted', command(world, { computeId: `${east.id}/computes/Low-Prio` }));
  await add('names-workspace', 'left', command(world, { environmentVariables: { AZUREML_WORKSPACE_NAME: east.name } }));
}

async function otherKinds(world: World, add: Add): Promise<void> {
  const { east } = world;
  const { command: line, codeId, environmentId, distribution, resources, limits: _, ...common } = command(world);
  const trial = {
    command: line ?? '',
    codeId: codeId ?? '',
    environmentId: environmentId ?? '',
    distribution: distribution ?? {},
    resources: resources ?? {},
  };
  await add('sweep', 'resubmitted', {
    ...common,
    jobType: 'Sweep',
    trial,
    samplingAlgorithm: { samplingAlgorithmType: 'Random', rule: 'Sobol', seed: 7 },
    objective: { primaryMetric: 'auc', goal: 'Maximize' },
    searchSpace: { lr: ['uniform', [0.1, 0.9]], kernel: ['choice', [['a', 'b']]] },
    limits: { jobLimitsType: 'Sweep', maxTotalTrials: 4, maxConcurrentTrials: 2, timeout: 'PT100H' },
    earlyTermination: { policyType: 'Bandit', slackFactor: 0.1, evaluationInterval: 1 },
  });
  await add('sweep_0', 'left', command(world, { properties: { ...forever, 'azureml.parentRunId': 'sweep' } }));
  const node = (componentId: string, more: JsonObject = {}) => ({
    type: 'command',
    componentId,
    inputs: {
      data: { job_input_type: 'uri_folder', uri: 'azureml://datastores/workspaceblobstore/paths/data/odd/' },
      x: { job_input_type: 'literal', value: '${{parent.inputs.data}}' },
    },
    outputs: {
      model: { job_output_type: 'mlflow_model', uri: longUri(world, 'workspaceblobstore', 'out/${{name}}/') },
    },
    ...more,
  });
  const { distribution: __, resources: ___, ...plain } = { ...common, distribution: null, resources: null };
  await add('pipe', 'resubmitted', {
    ...plain,
    jobType: 'Pipeline',
    sourceJobId: `${east.id}/jobs/train-done`,
    settings: {
      default_compute: `${east.id}/computes/gpu`,
      default_datastore: `${east.id}/datastores/workspaceblobstore`,
      continue_on_step_failure: false,
    },
    jobs: {
      first: node(`${east.id}/components/z_train/versions/1.0.0`),
      second: node('azureml:a_outer:1', { type: 'pipeline', computeId: 'gpu' }),
      third: node('azureml://registries/azureml/components/train/versions/0.0.1', {
        settings: { compute: 'azureml:gpu' },
      }),
    },
  });
  await add('auto', 'resubmitted', {
    ...plain,
    jobType: 'AutoML',
    environmentId: environmentId ?? '',
    computeId: `${east.id}/computes/gpu`,
    taskDetails: {
      taskType: 'Classification',
      primaryMetric: 'AUCWeighted',
      targetColumnName: 'y',
      trainingData: { jobInputType: 'mltable', uri: `azureml:${east.id}/data/table/versions/1` },
      validationData: { jobInputType: 'mltable', uri: longUri(world, 'workspaceblobstore', 'data/table') },
      limitSettings: { maxTrials: 3, timeout: 'PT5H' },
      featurizationSettings: { mode: 'Custom', columnNameAndTypes: { a: 'Numeric' } },
    },
  });
  await add('spark', 'resubmitted', {
    ...plain,
    jobType: 'Spark',
    codeId: codeId ?? '',
    entry: { sparkJobEntryType: 'SparkJobPythonEntry', file: 'main.py' },
    args: '--in ${{inputs.data}}',
    conf: { 'spark.driver.cores': '1', 'spark.note': `of ${east.name}` },
    resources: { instanceType: 'standard_e4s_v3', runtimeVersion: '3.4' },
    jars: [longUri(world, 'workspaceblobstore', 'LocalUpload/abc/code/train.py')],
    archives: ['https://example.org/a.zip'],
    queueSettings: { jobTier: 'Standard' },
  });
}
