import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClient } from './find-clients.ts';
import { startPythonCloud, type PythonCloud } from './python-cloud.ts';

const client = findClient('azure-ai-ml');
const here = dirname(fileURLToPath(import.meta.url));
/** Importing the client alone takes seconds. */
const CHAPTER_MS = 180_000;
const START_MS = 60_000;

describe.skipIf(client === undefined)('azure-ai-ml', () => {
  let cloud: PythonCloud;
  beforeAll(async () => {
    cloud = await startPythonCloud();
  }, START_MS);
  afterAll(() => cloud.close());

  /** What a chapter of the script saw: its last line. */
  async function chapter(name: string): Promise<unknown> {
    return told('azure_ai_ml.py', [name, join(cloud.folder, name)]);
  }

  /** The last line that a script prints. */
  async function told(script: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const { arm } = cloud.fixture.running.address;
    // Not for az: it would fetch this without looking at REQUESTS_CA_BUNDLE.
    const metadata = { ...more, ARM_CLOUD_METADATA_URL: `${arm}/metadata/endpoints?api-version=2019-05-01` };
    const output = await cloud.run(client?.program ?? '', [join(here, script), ...args], metadata);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  }

  it(
    'uploads, lists, downloads and archives assets',
    async () => {
      const { subscriptionId } = cloud.fixture.running.address;
      const place = `azureml://subscriptions/${subscriptionId}/resourcegroups/ml-eastus/workspaces/people`;
      expect(await chapter('assets')).toEqual({
        model: ['weights', '1', place, '2'],
        downloaded: ['model/nested/config.json', 'model/weights.txt'],
        latest: '1',
        versions: ['2', '1'],
        data: ['table', '7', 'uri_folder'],
        environment: ['1', ['python=3.11']],
        built: 'Dockerfile',
        datastores: ['workspaceartifactstore', 'workspaceblobstore', 'workspacefilestore', 'workspaceworkingdirectory'],
        default: 'workspaceblobstore',
        workspace: 'eastus',
        workspaces: ['people'],
      });
    },
    CHAPTER_MS,
  );

  it(
    'submits jobs with local code, and streams, updates, archives and cancels them',
    async () => {
      expect(await chapter('jobs')).toEqual({
        finished: ['command', 'Completed', 'cluster', 'plain:1', 'tries'],
        code: 'people',
        updated: ['renamed', { kept: 'yes' }],
        archived: true,
        restored: true,
        canceled: 'Canceled',
        pipeline: {
          component: ['1', '1'],
          steps: ['first', 'second'],
          status: 'Completed',
          children: [],
          schedules: [['nightly', false]],
          disabled: false,
        },
        sweep: ['sweep', 4, 'minimize'],
        serverless: ['Completed', 'serverless'],
      });
    },
    CHAPTER_MS,
  );

  it(
    'streams, downloads and lists jobs that really run, their steps and their trials',
    async () => {
      expect(await told('azure_ai_ml_runs.py', [join(cloud.folder, 'runs')])).toEqual({
        log: ['loss: 1.5', 'loss: 1.0', 'loss: 0.5'],
        status: 'Completed',
        files: ['artifacts/user_logs/std_log.txt', 'named-outputs/model/model.txt'],
        failure: 'code 4',
        pipeline: {
          children: [
            ['counted', 'Completed'],
            ['trained', 'Completed'],
          ],
          listed: 1,
          count: '14',
        },
        sweep: {
          status: 'Completed',
          best: '_1',
          children: ['_0', '_1', '_2'],
          model: 'trained by 1',
        },
      });
    },
    CHAPTER_MS,
  );

  it(
    'makes an endpoint, scores, and takes it down',
    async () => {
      expect(await chapter('endpoints')).toEqual({
        endpoints: ['fraud'],
        deployments: ['blue'],
        traffic: { blue: 100 },
        answer: { deployment: 'blue', model: 'scored:1', predictions: [expect.any(Number)] },
        key: true,
        logs: true,
        connections: ['feed'],
        usage: true,
        sizes: true,
        left: [],
      });
    },
    CHAPTER_MS,
  );

  it(
    'makes a workspace by its own template, with the account and the vault it needs',
    async () => {
      expect(await chapter('workspaces')).toEqual({
        made: ['made-here', 'eastus'],
        account: true,
        found: ['made-here', 'people'],
      });
    },
    CHAPTER_MS,
  );

  it(
    'makes feature stores, hubs and projects',
    async () => {
      const group = cloud.fixture.group('westus3');
      await cloud.fixture.put(`${group}?api-version=2021-04-01`, { location: 'westus3' });
      const more = { OTHER_GROUP: group.split('/').at(-1) ?? '' };
      expect(await told('azure_ai_ml_features.py', [join(cloud.folder, 'features')], more)).toEqual({
        store: {
          made: ['features', 'azure_data_lake_gen2', null],
          identity: 'userAssignedIdentities',
          entities: [['account', '1']],
          key: ['account'],
          sets: [['spending', '1']],
          features: [
            ['spend', 'Float'],
            ['count', 'Integer'],
          ],
          listed: ['features'],
          left: [],
        },
        hub: {
          near: 'InvalidTemplate',
          far: [true, true],
          hubs: ['hub'],
          projects: ['far'],
          again: 'hub',
        },
      });
    },
    CHAPTER_MS,
  );
});
