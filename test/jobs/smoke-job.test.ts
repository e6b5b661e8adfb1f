import { beforeEach, describe, expect, it } from 'vitest';
import type { Azure, JsonObject } from '../../src/azure/azure.ts';
import { runSmokeJob, smokeJobName } from '../../src/jobs/smoke-job.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { scene as bareScene, westId, type Scene } from './scene.ts';

const path = `${westId}/jobs/${smokeJobName('run-1')}`;

/**
 * Blobs of the default datastore, by path: the job of the fake writes what a real one would, when it is read as
 * Completed.
 */
const blobs = new Map<string, string>();
beforeEach(() => blobs.clear());

function scene(): Scene {
  const made = bareScene();
  made.arm.add(westId, {
    properties: {
      storageAccount: '/subscriptions/sub-1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/west',
    },
  });
  made.arm.add(`${westId}/datastores/workspaceblobstore`, {
    properties: {
      datastoreType: 'AzureBlob',
      accountName: 'west',
      containerName: 'c',
      isDefault: true,
    },
  });
  const blob = (name: string) => ({
    upload: (text: string) => Promise.resolve(blobs.set(name, text)),
    exists: () => Promise.resolve(blobs.has(name)),
    deleteIfExists: () => Promise.resolve(blobs.delete(name)),
    downloadToBuffer: () => Promise.resolve(Buffer.from(blobs.get(name) ?? '')),
  });
  const container = () => ({ getBlockBlobClient: blob, getBlobClient: blob });
  const context = made.context.bind(made);
  made.context = (more: Partial<StepContext> = {}) => {
    const found = context(more);
    const azure = { ...found.azure, blobAccount: () => Promise.resolve({ container }) } as unknown as Azure;
    return { ...found, azure };
  };
  return made;
}

function carryOut(job: string): void {
  const folder = `understudy/smoke/${job}`;
  const text = blobs.get(`${folder}/in.txt`);
  if (text !== undefined) blobs.set(`${folder}/out/copied.txt`, text);
}

/** The job has the next of `statuses` each time it is read. */
function withLife(made: Scene, statuses: string[], writes = true): Scene {
  const { arm } = made;
  const get = arm.get.bind(arm);
  arm.get = async (at, ...rest) => {
    const job = arm.resources.get(at.toLowerCase());
    if (job?.name.startsWith('us-smoke')) {
      job.properties['status'] = statuses.shift() ?? 'Completed';
      if (job.properties['status'] === 'Completed' && writes) carryOut(job.name);
    }
    return get(at, ...rest);
  };
  return made;
}

function withEnvironment(made: Scene, properties: JsonObject = { image: 'i' }): Scene {
  made.arm.add(`${westId}/environments/e`, { properties: {} });
  made.arm.add(`${westId}/environments/e/versions/1`, { properties });
  return made;
}

describe('runSmokeJob', () => {
  it('submits a tiny job and waits until it is completed', async () => {
    const made = withLife(withEnvironment(scene()), ['Queued', 'Completed']);
    made.arm.add(`${westId}/computes/a-gpu`, {
      properties: { computeType: 'AmlCompute', properties: { vmSize: 'STANDARD_NC6s_v3' } },
    });
    made.arm.add(`${westId}/computes/a-laptop`, { properties: { computeType: 'ComputeInstance' } });
    const result = await runSmokeJob(made.context());
    expect(result).toMatchObject({ state: 'completed', facts: { job: smokeJobName('run-1') } });
    expect(made.arm.resources.get(path.toLowerCase())?.properties).toMatchObject({
      jobType: 'Command',
      computeId: `${westId}/computes/gpu-west`,
      environmentId: `${westId}/environments/e/versions/1`,
      inputs: {
        probe: {
          jobInputType: 'uri_file',
          uri: expect.stringMatching(
            /\/workspaces\/fraud-west\/datastores\/workspaceblobstore\/paths\/understudy\/smoke\/us-smoke-[0-9a-f]{16}\/in\.txt$/,
          ) as string,
        },
      },
    });
    expect(result.detail).toContain('it read and wrote the default datastore');
    expect([...blobs.keys()]).toEqual([]);
    expect(made.progress.length).toBe(2);
  });

  it('another attempt waits for the same job', async () => {
    const made = withLife(withEnvironment(scene()), []);
    made.arm.faults.push({ method: 'PUT', path: /us-smoke/, kind: 'lost', times: 1 });
    await expect(runSmokeJob(made.context())).rejects.toMatchObject({ code: 'AzureUnavailable' });
    expect((await runSmokeJob(made.context())).state).toBe('completed');
    expect(made.arm.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  it('a job that wrote nothing, or another text, fails the step', async () => {
    const made = withLife(withEnvironment(scene()), ['Completed', 'Completed'], false);
    await expect(runSmokeJob(made.context())).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringContaining('what it should have written is not there') as string,
    });
    blobs.set(`understudy/smoke/${smokeJobName('run-1')}/out/copied.txt`, 'of another');
    await expect(runSmokeJob(made.context())).rejects.toThrow('is another text');
  });

  it('a failed job fails the step', async () => {
    const made = withLife(withEnvironment(scene()), ['Failed']);
    await expect(runSmokeJob(made.context())).rejects.toThrow(/is Failed, expected Completed/);
  });

  it('a run that is taken up after a failed job tries another one', async () => {
    const made = withLife(withEnvironment(scene()), ['Failed', 'Completed']);
    await expect(runSmokeJob(made.context())).rejects.toMatchObject({ code: 'PreconditionError' });
    const { facts } = await runSmokeJob(made.context());
    expect(facts).toEqual({ job: smokeJobName('run-1', 1) });
    expect(facts?.job).not.toBe(smokeJobName('run-1'));
    expect(made.arm.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(2);
  });

  it('a job that does not end in time fails, and is waited for again', async () => {
    const made = withLife(withEnvironment(scene()), [...Array.from({ length: 4 }, () => 'Queued'), 'Completed']);
    let seconds = 0;
    const now = () => new Date(Date.parse('2026-11-21T10:12:00.000Z') + 2000 * seconds++);
    await expect(runSmokeJob(made.context({ now }))).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringMatching(/is Queued after 5s \(policies\.smokeDeadline\)/),
    });
    await expect(runSmokeJob(made.context())).resolves.toMatchObject({ state: 'completed' });
    expect(made.arm.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  it('says why there is none', async () => {
    expect(await runSmokeJob(scene().context())).toMatchObject({
      state: 'skipped',
      detail: 'no smoke job: workspace "fraud-west" has no environment',
    });
    const bare = withEnvironment(scene());
    for (const compute of ['gpu-west', 'cpu']) bare.arm.resources.delete(`${westId}/computes/${compute}`.toLowerCase());
    expect((await runSmokeJob(bare.context())).detail).toMatch(/no compute that runs jobs/);
  });
});
