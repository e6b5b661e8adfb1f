import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClient } from './find-clients.ts';
import { startPythonCloud, type PythonCloud } from './python-cloud.ts';

const client = findClient('azure-ai-ml');
const script = join(dirname(fileURLToPath(import.meta.url)), 'azure_ai_ml.py');
/** Importing the client alone takes seconds, installing it minutes. */
const CHAPTER_MS = 180_000;
const INSTALL_MS = 1_200_000;

describe.skipIf(client === undefined)('azure-ai-ml', () => {
  let cloud: PythonCloud;
  beforeAll(async () => {
    client?.prepare();
    cloud = await startPythonCloud();
  }, INSTALL_MS);
  afterAll(() => cloud.close());

  /** What a chapter of the script saw: its last line. */
  async function chapter(name: string): Promise<unknown> {
    const { arm } = cloud.fixture.running.address;
    // Not for az: it would fetch this without looking at REQUESTS_CA_BUNDLE.
    const metadata = { ARM_CLOUD_METADATA_URL: `${arm}/metadata/endpoints?api-version=2019-05-01` };
    const output = await cloud.run(client?.program ?? '', [script, name, join(cloud.folder, name)], metadata);
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
        datastores: [
          'workspaceartifactstore',
          'workspaceblobstore',
          'workspacefilestore',
          'workspaceworkingdirectory',
        ],
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
});
