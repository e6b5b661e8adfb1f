/** A scene with one running training in eastus, whose checkpoints the tests write. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { listBlobs } from '../../src/azure/storage/blobs.ts';
import { readLedgerSnapshot } from '../../src/recovery-point/recovery-point.ts';
import type { BlobAccount } from '../../src/azure/azure.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { startScene, textOf, upload, type Scene } from '../recovery-point/scene.ts';

/** The job "train" has written `step-1.json`, `step-2.json` and `deep/optimizer.bin` to `checkpoints/train`. */
export async function startTraining(): Promise<Scene> {
  const scene = await startScene();
  const { fixture, east, west } = scene;
  for (const [workspace, location] of [
    [east, 'eastus'],
    [west, 'westus3'],
  ] as const) {
    await fixture.put(`${workspace}/computes/gpu`, {
      location,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } },
      },
    });
  }
  await fixture.put(`${east}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  await fixture.put(`${east}/jobs/train`, { properties: training(east) });
  for (const [path, content] of Object.entries(written))
    await upload(scene.eastAccount, scene.eastContainer, `checkpoints/train/${path}`, content);
  return scene;
}

const written = { 'step-1.json': 'step 1', 'step-2.json': 'step 2', 'deep/optimizer.bin': 'o'.repeat(5000) };

/** Digests of what the training has written when the scene starts. */
export const firstCheckpoint = Object.fromEntries(
  Object.entries(written).map(([path, content]) => [path, sha256(content)]),
);

/** The simulator writes none of its checkpoints: the test says what is where. */
function training(east: string): JsonObject {
  return {
    jobType: 'Command',
    command: 'python train.py --resume ${{inputs.resume_from}}',
    environmentId: `${east}/environments/e/versions/1`,
    computeId: `${east}/computes/gpu`,
    inputs: {
      resume_from: {
        jobInputType: 'uri_folder',
        mode: 'Download',
        uri: 'azureml://datastores/workspaceblobstore/paths/start',
      },
    },
    outputs: {
      checkpoints: {
        jobOutputType: 'uri_folder',
        mode: 'ReadWriteMount',
        uri: 'azureml://datastores/workspaceblobstore/paths/checkpoints/train',
      },
    },
    properties: {
      'simulator.prepareSeconds': '0',
      'simulator.queueSeconds': '0',
      'simulator.runSeconds': '360000',
    },
    tags: { owner: 'ana' },
  };
}

/** sha256 of each blob below a folder, by path below it. */
export async function digestsOf(
  account: BlobAccount,
  container: string,
  folder: string,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { path } of listBlobs(account, container, folder, new AbortController().signal)) {
    const text = (await textOf(account, container, path)) ?? '';
    found[path.slice(folder.length + 1)] = sha256(text);
  }
  return found;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export async function entryOf({ store }: Scene, ref: RecoveryPointRef, name: string): Promise<LedgerEntry | undefined> {
  const entries = await Array.fromAsync(readLedgerSnapshot(store, ref));
  return entries.find((each) => each.name === name);
}
