/** The submission of a job: its fields filled in, its life begun, its place in the queue of its compute taken. */

import { randomUUID } from 'node:crypto';
import { copyOf } from '../execution/command/copy-run.ts';
import { executesJobs } from '../execution/command/executing-compute.ts';
import type { Cloud, Json, JsonObject, Stored } from '../../contract/index.ts';
import { firstStepOf, watchCheckpoints } from '../job-life/checkpoints.ts';
import { fillDefaults, isObject, numberOf, objectOf, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { lifeChanged } from '../job-life/job-events.ts';
import { askedLife, durationMs, withLife, type Life } from '../job-life/job-life.ts';
import { enqueue, JOBS } from '../job-life/job-queue.ts';
import { resolveAsset, resolveCompute } from '../bodies/references.ts';

/**
 * Changes `next` in place to the job as it is kept. Errors: 400 for a life that is none, or a compute that is not
 * there.
 */
export async function submitJob(cloud: Cloud, next: Stored): Promise<void> {
  fillJob(next);
  const { properties } = next.resource;
  const compute = resolveCompute(cloud, workspaceIdOf(next.resource.id), properties.computeId);
  const asked = askedLife(objectOf(properties.properties));
  const isExecuted = executes(cloud, next, compute);
  const submittedAt = cloud.clock.now();
  const timeoutMs = durationMs(textOf(objectOf(properties.limits).timeout));
  const firstStep = asked.checkpointEveryMs === undefined || isExecuted ? 0 : await firstStepOf(cloud, next);
  // What an earlier run has done already, this one need not do again.
  const runMs = Math.max(0, asked.runMs - firstStep * (asked.checkpointEveryMs ?? 0));
  const isCutShort = timeoutMs !== undefined && timeoutMs < runMs;
  const holdsNodes = !isOrchestrated(properties, isExecuted);
  const life: Life = {
    submittedAt,
    prepareMs: asked.prepareMs,
    readyAt: submittedAt + asked.prepareMs + asked.queueMs,
    startsAt: null,
    runMs: isCutShort ? timeoutMs : runMs,
    outcome: isCutShort ? 'Canceled' : asked.outcome,
    nodes: nodesOf(properties),
    compute: holdsNodes ? (compute?.resource.id.toLowerCase() ?? null) : null,
    firstStep,
    writtenStep: firstStep,
    ...(isExecuted ? { execution: {} } : {}),
    ...(asked.checkpointEveryMs === undefined || isExecuted ? {} : { checkpointEveryMs: asked.checkpointEveryMs }),
  };
  next.hidden = withLife(next, enqueue(cloud, next.resource.id.toLowerCase(), life)).hidden;
}

/** A job that the cloud itself submits: a step, a trial, what a schedule creates. */
export interface OwnJob {
  /** Whose region and creator it has. */
  maker: Stored;
  name: string;
  properties: JsonObject;
  hidden: JsonObject;
}

/**
 * Submits a job from within the cloud, which goes on while its region is dark; finds it if there is one of that name.
 * Errors: ArmError as of `submitJob`.
 */
export async function submitOwnJob(cloud: Cloud, { maker, name, properties, hidden }: OwnJob): Promise<Stored> {
  const id = `${workspaceIdOf(maker.resource.id)}/jobs/${name}`;
  const existing = cloud.store.get(id);
  if (existing) return existing;
  const now = cloud.clock.now();
  const next: Stored = {
    resource: { id, name, type: JOBS, properties, systemData: maker.resource.systemData ?? null },
    hidden,
    etag: `"${randomUUID()}"`,
    region: maker.region,
    createdAt: now,
    changedAt: now,
  };
  await submitJob(cloud, next);
  cloud.store.put(next);
  watchCheckpoints(cloud, next);
  lifeChanged(cloud, next);
  return next;
}

function fillJob(next: Stored): void {
  const { properties } = next.resource;
  fillDefaults(properties, {
    description: null,
    tags: {},
    properties: {},
    displayName: next.resource.name,
    experimentName: 'Default',
    isArchived: false,
  });
  delete properties.status;
  if (!isObject(properties.outputs)) properties.outputs = {};
  const where = { mode: 'ReadWriteMount', jobOutputType: 'uri_folder' };
  // Every run has a place of its own in the artifact store, whatever other outputs it declares.
  fillDefaults(properties.outputs, {
    default: {
      ...where,
      uri: `azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.${next.resource.name}`,
    },
  });
}

/**
 * Does the job really run? One that only copies does anywhere; a pipeline does if any of its steps, or of those of
 * pipelines in it, is on a compute that executes.
 */
function executes(cloud: Cloud, job: Stored, compute: Stored | undefined): boolean {
  const { properties, id } = job.resource;
  if (copyOf(properties)) return true;
  if (properties.jobType === 'Command' || properties.jobType === 'Sweep') return executesJobs(compute);
  if (properties.jobType !== 'Pipeline') return false;
  const workspaceId = workspaceIdOf(id);
  return [...computesIn(cloud, workspaceId, properties)].some((reference) =>
    executesJobs(resolveCompute(cloud, workspaceId, reference)),
  );
}

/**
 * All computes that a pipeline names. A component cannot contain itself: it is made of versions that were there before.
 */
function* computesIn(cloud: Cloud, workspaceId: string, pipeline: JsonObject): Generator<Json | undefined> {
  const { default_compute: snake, defaultCompute: camel } = objectOf(pipeline.settings);
  yield* [pipeline.computeId, snake, camel];
  for (const step of Object.values(objectOf(pipeline.jobs))) {
    const { componentId, computeId, jobs, inputs } = objectOf(step);
    yield givenFor(computeId, pipeline);
    const given = Object.entries(objectOf(inputs)).map(([name, input]) => {
      const value = isObject(input) ? input.value : input;
      return [name, { value: givenFor(value, pipeline) ?? null }] as const;
    });
    const component = textOf(componentId);
    const found = component && resolveAsset(cloud, workspaceId, 'components', component);
    const spec = found ? objectOf(found.resource.properties.componentSpec) : {};
    const declared = { ...objectOf(spec.inputs), ...Object.fromEntries(given) };
    if (found) yield* computesIn(cloud, workspaceId, { ...spec, inputs: declared });
    if (jobs) yield* computesIn(cloud, workspaceId, objectOf(step));
  }
}

/**
 * What an input of the pipeline was given, or has by its component, where a compute is said to be that; else what is
 * said.
 */
function givenFor(reference: Json | undefined, pipeline: JsonObject): Json | undefined {
  const [, name] = /^\$\{\{\s*parent\.inputs\.([\w.-]+?)\s*\}\}$/.exec(textOf(reference) ?? '') ?? [];
  if (name === undefined) return reference;
  const { value, default: otherwise } = objectOf(objectOf(pipeline.inputs)[name]);
  return value ?? otherwise;
}

/** A pipeline holds no node itself: its steps do; nor does a sweep whose trials are jobs. */
function isOrchestrated(properties: JsonObject, isExecuted: boolean): boolean {
  return properties.jobType === 'Pipeline' || (properties.jobType === 'Sweep' && isExecuted);
}

function nodesOf(properties: JsonObject): number {
  const trial = objectOf(properties.trial);
  const resources = objectOf(properties.jobType === 'Sweep' ? trial.resources : properties.resources);
  const each = Math.max(1, Math.floor(numberOf(resources.instanceCount) ?? 1));
  const atOnce = properties.jobType === 'Sweep' ? (numberOf(objectOf(properties.limits).maxConcurrentTrials) ?? 1) : 1;
  return each * Math.max(1, Math.floor(atOnce));
}
