/**
 * Runs a tiny job in the standby to prove that training works there before anyone depends on it: that a compute runs
 * it, and that it reads and writes the default datastore through the workspace.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { apiVersions, type Arm, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { workspaceId } from '../topology/sides.ts';
import { isObject, objectAt, textAt } from '../azure/body/json.ts';
import { createdAt, isFinished, statusOf } from '../workspace/jobs/job.ts';
import { smokeData, type SmokeData } from './smoke-data.ts';

/** Milliseconds between two polls. Short at first, because a tiny job may complete at once. */
const firstPause = 500;
const longestPause = 10_000;

/**
 * The action `runSmokeJob`. The job's name is a function of the run, so that a retry waits for the same job. If that
 * job did not complete, a retry submits the next one, so that a run can continue after the compute was fixed.
 * Errors: PreconditionError if the job failed, did not complete within `policies.smokeDeadline`, or wrote nothing;
 * AzureUnavailable.
 */
export async function runSmokeJob(context: StepContext): Promise<StepResult> {
  const { azure, signal } = context;
  const found = await findOpenJob(context);
  const { path } = found;
  let { job } = found;
  const data = await smokeData(context, found.name);
  if (!job) {
    const body = await compose(context, data);
    if (typeof body === 'string') return { state: 'skipped', detail: `no smoke job: ${body}` };
    await data.prepare();
    job = await azure.arm.put(path, apiVersions.machineLearning, body, { signal });
  }
  const ended = await waitForEnd(context, path, job);
  // Recorded before they are removed: otherwise a retry would look for them.
  await context.recordUndo(async () => {
    await data.check();
    return { checked: ended.name };
  });
  await data.clear();
  const compute = textAt(ended.properties, 'computeId')?.split('/').at(-1);
  const took = showDuration(context.now().getTime() - startOf(job, context.now()));
  return {
    state: 'completed',
    detail: `smoke job "${ended.name}" completed on compute "${compute}" in ${took}; it read and wrote the default datastore`,
    facts: { job: ended.name },
  };
}

/** `failures`: how many smoke jobs of the run have ended without completing. */
export function smokeJobName(runId: string, failures = 0): string {
  const seed = failures === 0 ? runId : `${runId}/${failures}`;
  return `us-smoke-${createHash('sha256').update(seed).digest('hex').slice(0, 16)}`;
}

/** Returns the run's smoke job that has not failed. `job` is absent if there is none yet. */
async function findOpenJob({
  azure,
  to,
  run,
  signal,
}: StepContext): Promise<{ name: string; path: string; job: ArmResource | undefined }> {
  for (let failures = 0; ; failures++) {
    const name = smokeJobName(run.runId, failures);
    const path = `${workspaceId(to.workspace)}/jobs/${name}`;
    const job = await azure.arm.find(path, apiVersions.machineLearning, { signal });
    const hasFailed = job && isFinished(statusOf(job)) && statusOf(job) !== 'Completed';
    if (!hasFailed) return { name, path, job };
  }
}

/** Returns the body of the job, or why there is none. */
async function compose(
  { azure: { arm }, to, run, signal }: StepContext,
  { fields }: SmokeData,
): Promise<JsonObject | string> {
  const workspace = workspaceId(to.workspace);
  const options = { signal };
  const computes = await Array.fromAsync(arm.list(`${workspace}/computes`, apiVersions.machineLearning, options));
  const compute = computes.filter(isReady).toSorted((a, b) => rank(a) - rank(b))[0];
  if (!compute) return `workspace "${to.workspace.name}" has no compute that runs jobs`;
  const environmentId = await anyEnvironment(arm, workspace, options);
  if (environmentId === undefined) return `workspace "${to.workspace.name}" has no environment`;
  return {
    properties: {
      jobType: 'Command',
      displayName: 'Understudy smoke job',
      description: 'Shows that training works here.',
      experimentName: 'understudy-smoke',
      ...fields,
      computeId: compute.id,
      environmentId,
      limits: { jobLimitsType: 'Command', timeout: 'PT10M' },
      tags: { 'understudy.run': run.runId },
    },
  };
}

/** Whether a compute was created successfully and can have a node. A compute instance belongs to a person. */
function isReady({ properties }: ArmResource): boolean {
  const state = textAt(properties, 'provisioningState');
  if (state !== undefined && state !== 'Succeeded') return false;
  return textAt(properties, 'computeType') !== 'ComputeInstance' && maxNodes(properties) !== 0;
}

function maxNodes(properties: JsonObject): number | undefined {
  const scale = objectAt(objectAt(properties, 'properties') ?? {}, 'scaleSettings') ?? {};
  return typeof scale['maxNodeCount'] === 'number' ? scale['maxNodeCount'] : undefined;
}

/** Clusters come before attached computes, and those without GPUs (not of the N series) before those with. */
function rank({ properties }: ArmResource): number {
  const size = textAt(objectAt(properties, 'properties') ?? {}, 'vmSize') ?? '';
  const gpu = /^standard_n/i.test(size) ? 1 : 0;
  return textAt(properties, 'computeType') === 'AmlCompute' ? gpu : 2 + gpu;
}

/** Returns the first environment that needs no image build, or else the first one. */
async function anyEnvironment(
  arm: Arm,
  workspace: string,
  options: { signal: AbortSignal },
): Promise<string | undefined> {
  let fallback: string | undefined;
  for await (const container of arm.list(`${workspace}/environments`, apiVersions.machineLearning, options)) {
    const versions = `${workspace}/environments/${container.name}/versions`;
    for await (const version of arm.list(versions, apiVersions.machineLearning, options)) {
      if (version.properties['isArchived'] === true) continue;
      if (!isObject(version.properties['build'])) return version.id;
      fallback ??= version.id;
    }
  }
  return fallback;
}

async function waitForEnd(context: StepContext, path: string, submitted: ArmResource): Promise<ArmResource> {
  const { azure, topology, signal } = context;
  // The deadline counts from this attempt: a retry waits again.
  const started = context.now().getTime();
  const deadline = topology.policies.smokeDeadline;
  for (let job = submitted, pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
    const status = statusOf(job);
    if (status === 'Completed') return job;
    if (isFinished(status)) {
      throw new UnderstudyError(
        'PreconditionError',
        `smoke job "${job.name}" in workspace "${context.to.workspace.name}" is ${status}, expected Completed`,
        {
          place: path,
          next: 'Look at its logs in the studio: the compute, the environment, or the storage that it reads and writes. Fix that, then "understudy retry" the run.',
        },
      );
    }
    if (context.now().getTime() - started > toSeconds(deadline) * 1000) {
      throw new UnderstudyError(
        'PreconditionError',
        `smoke job "${job.name}" is ${status} after ${deadline} (policies.smokeDeadline), expected Completed`,
        {
          place: path,
          next: 'See whether the compute gets its nodes (quota, capacity), then "understudy retry" the run: it waits for the same job.',
        },
      );
    }
    await context.checkpoint({ unit: 'jobs', done: 0, total: 1 });
    await wait(pause, undefined, { signal });
    job = await azure.arm.get(path, apiVersions.machineLearning, { signal });
  }
}

/** When the job was created, by Azure's clock, or by ours if Azure does not say. */
function startOf(job: ArmResource, now: Date): number {
  const created = Date.parse(createdAt(job) ?? '');
  return Number.isNaN(created) ? now.getTime() : created;
}
