/** Lists what a workspace has besides assets, without secrets. Each kind goes into a part of its own. */
import { apiVersions, type Arm, type ArmResource } from '../azure/azure.ts';
import { numberAt, objectAt, textAt } from '../azure/body/json.ts';
import type { ControlStore } from '../control-store/store.ts';
import { collectJobs } from './collect.ts';
import { createdAt, ownerOf, statusOf, type NamedJob, type RawJob } from '../workspace/jobs/job.ts';
import { lineageOfSuccessor, submittedAs } from '../ledger/ledger.ts';
import { leftCancelledBy, lineOfLeftCancelled } from '../fence/left-cancelled.ts';
import type { StoppedByRun } from '../fence/stopped-by-run.ts';
import type { ComputeSummary, EndpointSummary } from '../plan/recovery-point-summary.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import type { Part } from '../recovery-point/manifest.ts';
import type { Needed } from './needed.ts';
import { partWriter } from '../recovery-point/parts.ts';
import { withoutSecrets } from '../workspace/without-secrets.ts';
import type { KnownWorkspace } from '../workspace/workspace.ts';

/** What listing the other resources of a workspace needs. */
export interface ListResources {
  arm: Arm;
  workspace: KnownWorkspace;
  store: ControlStore;
  folder: string;
  needed: Needed;
  heartbeat: Heartbeat;
  signal: AbortSignal;
  /** Jobs that a fence cancelled for a run that was itself cancelled: name → run. */
  leftCancelled: Readonly<Record<string, string>>;
  /** What this run has stopped: it is listed as it was before. */
  stopped: StoppedByRun;
}

/** What was found, and the parts that were written. */
export interface ResourceListing {
  parts: Part[];
  counts: Record<string, number>;
  computes: ComputeSummary[];
  endpoints: EndpointSummary[];
  /** Number of unfinished jobs by status. */
  jobs: Record<string, number>;
  /** When the newest job was submitted, by the clock of the service (ISO 8601); absent: there is none. */
  newestJobAt?: string;
  /** For each of these jobs that was left cancelled: what that means for its owner. */
  lost: string[];
}

type Kind = 'datastores' | 'connections' | 'schedules' | 'endpoints' | 'deployments' | 'computes' | 'raw-jobs';

/** Lists every kind of resource besides assets. */
export async function listResources(request: ListResources, datastores: ArmResource[]): Promise<ResourceListing> {
  const listing: ResourceListing = { parts: [], counts: {}, computes: [], endpoints: [], jobs: {}, lost: [] };
  const { needed } = request;
  await keep(request, listing, 'datastores', datastores.map(withoutSecrets));
  await keep(request, listing, 'connections', listOf(request, 'connections'), { change: withoutSecrets });
  const { schedules } = request.stopped;
  await keep(request, listing, 'schedules', listOf(request, 'schedules?listViewType=All'), {
    change: (schedule) => (schedules.has(schedule.name) ? enabled(schedule) : schedule),
    each: ({ name, properties }) => needed.other(properties, `schedules/${name}`, 'training'),
  });
  await keep(request, listing, 'computes', listOf(request, 'computes'), {
    change: withoutSecrets,
    each: (compute) => void listing.computes.push(summariseCompute(compute)),
  });
  const endpoints = await Array.fromAsync(listOf(request, 'onlineEndpoints'));
  await keep(request, listing, 'endpoints', endpoints.map(withoutSecrets));
  await keep(request, listing, 'deployments', deploymentsOf(request, endpoints, listing.endpoints), {
    each: ({ name, properties }) => needed.other(properties, `deployments/${name}`, 'inference'),
  });
  const { arm, workspace, signal, leftCancelled, stopped } = request;
  const onListed = (job: RawJob) => {
    const at = createdAt(job);
    if (at !== undefined && at > (listing.newestJobAt ?? '')) listing.newestJobAt = at;
  };
  const jobs = collectJobs({ arm, workspace, signal, leftCancelled, drained: stopped.jobs, onListed });
  await keep(request, listing, 'raw-jobs', jobs, {
    each: async (job) => {
      const status = statusOf(job);
      listing.jobs[status] = (listing.jobs[status] ?? 0) + 1;
      const by = leftCancelledBy(job, leftCancelled);
      if (by !== undefined) listing.lost.push(lineOfLeftCancelled(named(job), by));
      await needed.job(job);
    },
  });
  return listing;
}

async function keep(
  { store, folder, heartbeat }: ListResources,
  listing: ResourceListing,
  kind: Kind,
  resources: AsyncIterable<ArmResource> | Iterable<ArmResource>,
  {
    change = (resource) => resource,
    each = () => undefined,
  }: {
    change?: (resource: ArmResource) => ArmResource;
    each?: (resource: ArmResource) => void | Promise<void>;
  } = {},
): Promise<void> {
  const writer = partWriter(store, folder, kind);
  let count = 0;
  for await (const resource of resources) {
    await writer.add(change(resource));
    await each(resource);
    count += 1;
    heartbeat.add(1, 0);
    await heartbeat.beat();
  }
  listing.parts.push(...(await writer.end()));
  listing.counts[kind === 'raw-jobs' ? 'jobs' : kind] = count;
}

function listOf({ arm, workspace, signal }: ListResources, what: string): AsyncIterable<ArmResource> {
  return arm.list(`${workspace.id}/${what}`, apiVersions.machineLearning, { signal });
}

async function* deploymentsOf(
  request: ListResources,
  endpoints: readonly ArmResource[],
  summaries: EndpointSummary[],
): AsyncIterable<ArmResource> {
  for (const { name } of endpoints) {
    const summary: EndpointSummary = { name, deployments: [] };
    for await (const deployment of listOf(request, `onlineEndpoints/${encodeURIComponent(name)}/deployments`)) {
      const { instanceType } = deployment.properties;
      summary.deployments.push({
        name: deployment.name,
        ...(typeof instanceType === 'string' ? { instanceType } : {}),
        instanceCount: instancesOf(deployment),
      });
      yield deployment;
    }
    summaries.push(summary);
  }
}

function instancesOf(deployment: ArmResource): number {
  const { capacity } = (deployment['sku'] ?? {}) as { capacity?: unknown };
  if (typeof capacity === 'number') return capacity;
  const { instanceCount } = deployment.properties;
  return typeof instanceCount === 'number' ? instanceCount : 1;
}

function summariseCompute({ name, properties }: ArmResource): ComputeSummary {
  const inner = objectAt(properties, 'properties') ?? {};
  const scale = objectAt(inner, 'scaleSettings') ?? {};
  // Azure returns null for fields that a kind of compute does not have.
  const known = {
    vmSize: textAt(inner, 'vmSize'),
    vmPriority: textAt(inner, 'vmPriority'),
    minNodes: numberAt(scale, 'minNodeCount'),
    maxNodes: numberAt(scale, 'maxNodeCount'),
  };
  return { name, type: textAt(properties, 'computeType') ?? 'Unknown', ...known };
}

function enabled(schedule: ArmResource): ArmResource {
  return { ...schedule, properties: { ...schedule.properties, isEnabled: true } };
}

function named(job: RawJob): NamedJob {
  return { name: job.name, owner: ownerOf(job), ...submittedAs(lineageOfSuccessor(job)) };
}
