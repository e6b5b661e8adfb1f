/** Jobs of all kinds: kept whole as they were put, immutable but for what describes them, with a life of their own. */

import type {
  ActionResult,
  Call,
  Cloud,
  Json,
  JsonObject,
  Resource,
  ResourceType,
  Stored,
} from '../../contract/index.ts';
import { continueCheckpoints, watchCheckpoints } from '../job-life/checkpoints.ts';
import { objectOf, sameContent, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { byListView, byProperties, byTags, ordered } from '../bodies/lists.ts';
import { checkJob } from '../job-life/job-checks.ts';
import { lifeChanged } from '../job-life/job-events.ts';
import { parentOf } from '../job-life/job-family.ts';
import { FINISHED, lifeOf, statusAt } from '../job-life/job-life.ts';
import { changeLife, JOBS, reschedule } from '../job-life/job-queue.ts';
import { submitJob } from './job-submission.ts';
import { conflict, requireName, userError } from '../bodies/refusals.ts';

/** What may change once a job exists: what Azure's own refusal lists, and what its API marks as updatable. */
const MUTABLE = new Set(['description', 'tags', 'displayName', 'properties', 'isArchived', 'notificationSetting']);

/** What the service writes: a client that puts back what it got is not changing it. */
const READ_ONLY = new Set(['status', 'services', 'parameters']);

export const jobs: ResourceType = {
  type: JOBS,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  longRunning: { delete: 1500 },
  provisioningState: false,
  async beforePut(call, next) {
    if (call.existing) return updateJob(call.existing, next);
    requireName(
      'job',
      call.id.name,
      /^[a-zA-Z0-9][\w-]{0,254}$/,
      '1 to 255 letters, digits, hyphens and underscores, the first a letter or a digit',
    );
    checkJob({
      cloud: call.cloud,
      workspaceId: workspaceIdOf(call.id.id),
      properties: next.resource.properties,
      path: 'properties',
    });
    await submitJob(call.cloud, next);
  },
  afterPut(call, stored) {
    watchCheckpoints(call.cloud, stored);
    lifeChanged(call.cloud, stored);
  },
  beforeDelete(call, stored) {
    const status = statusAt(lifeOf(stored), call.cloud.clock.now());
    if (!FINISHED.has(status))
      throw conflict(`The job '${stored.resource.name}' is ${status} and cannot be deleted: cancel it first.`);
  },
  afterDelete(call, stored) {
    const { compute } = lifeOf(stored);
    if (compute !== null) reschedule(call.cloud, compute);
  },
  show: showJob,
  listsOnce: true,
  list(call, entries) {
    const kind = call.query.get('jobType')?.toLowerCase();
    const roots = bySchedule(
      call,
      entries.filter((job) => parentOf(job) === undefined),
    );
    const viewed = byProperties(call, byTags(call, byListView(call, roots), 'tag'));
    const ofKind = kind
      ? viewed.filter((job) => textOf(job.resource.properties.jobType)?.toLowerCase() === kind)
      : viewed;
    return ordered(call, ofKind);
  },
  actions: { cancel: cancelJob },
};

/** `scheduled`: whether a schedule made it; `scheduleId`: which. */
function bySchedule(call: Call, jobs: Stored[]): Stored[] {
  const made = call.query.get('scheduled')?.toLowerCase();
  const by = call.query.get('scheduleId')?.split('/').at(-1);
  return jobs.filter(({ hidden: { schedule } }) => {
    const isScheduled = textOf(schedule) !== undefined;
    return (made === undefined || isScheduled === (made === 'true')) && (!by || schedule === by);
  });
}

/** After a restart of the local Azure: jobs that were writing checkpoints go on, and first write what they owe. */
export function continueJobs(cloud: Cloud): void {
  continueCheckpoints(cloud, cloud.store.ofType(JOBS));
}

/** A PUT of a job that exists: the same job is a 200; another is refused in Azure's words. */
function updateJob(existing: Stored, next: Stored): void {
  const before = existing.resource.properties;
  const after = next.resource.properties;
  const changed = Object.keys(after).filter(
    (field) =>
      !MUTABLE.has(field) &&
      !READ_ONLY.has(field) &&
      after[field] !== null &&
      !isSame(field, before[field], after[field]),
  );
  if (changed.length > 0)
    throw userError(
      'A job with this name already exists. If you are trying to create a new job, use a different name. If you are trying to update an ' +
        `existing job, the existing job's ${changed.map(capitalized).join(', ')} cannot be changed. Only description, tags, displayName, properties, and ` +
        'isArchived can be updated.',
      changed[0],
    );
  const mutable = Object.fromEntries(
    Object.entries(after).filter(([field, value]) => MUTABLE.has(field) && value !== null),
  );
  // Tags and properties are merged: a tag that is left out stays.
  for (const bag of ['tags', 'properties']) mutable[bag] = { ...objectOf(before[bag]), ...objectOf(mutable[bag]) };
  next.resource.properties = { ...before, ...mutable };
}

/** The default output is the service's own addition: a body without it is the same body. */
function isSame(field: string, before: Json | undefined, after: Json | undefined): boolean {
  if (field !== 'outputs') return sameContent(before, after);
  const { default: own, ...declared } = objectOf(before);
  return sameContent(before, after) || sameContent(declared, after) || sameContent(own ?? null, after);
}

function capitalized(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1);
}

function showJob(cloud: Cloud, stored: Stored): Resource {
  const { resource } = stored;
  const services = {
    Tracking: service(resource.properties, 'Tracking', trackingUri(cloud, stored)),
    Studio: service(resource.properties, 'Studio', studioUri(stored)),
  };
  const status = statusAt(lifeOf(stored), cloud.clock.now());
  return {
    ...resource,
    properties: {
      ...resource.properties,
      status,
      services: { ...services, ...objectOf(resource.properties.services) },
    },
  };
}

function service(properties: JsonObject, jobServiceType: string, endpoint: string): JsonObject {
  return {
    ...objectOf(objectOf(properties.services)[jobServiceType]),
    jobServiceType,
    port: null,
    endpoint,
    status: null,
    errorMessage: null,
    properties: null,
  };
}

function trackingUri(cloud: Cloud, stored: Stored): string {
  const host = stored.region === null ? '' : new URL(cloud.dataPlane(stored.region)).host;
  return `azureml://${host}/_/mlflow/v1.0${workspaceIdOf(stored.resource.id)}?`;
}

function studioUri(stored: Stored): string {
  return `https://ml.azure.com/runs/${stored.resource.name}?wsid=${workspaceIdOf(stored.resource.id)}`;
}

function cancelJob(call: Call): ActionResult {
  const job = call.existing;
  if (!job) throw new Error(`no job '${call.id.id}'`); // The envelope answers 404 before it gets here.
  const now = call.cloud.clock.now();
  const life = lifeOf(job);
  const status = statusAt(life, now);
  if (status === 'Completed' || status === 'Failed')
    throw userError(`The job '${job.resource.name}' is ${status}: a finished job cannot be canceled.`);
  if (status === 'Canceled') return { status: 200 };
  if (life.cancelRequestedAt === undefined && !call.resumed)
    changeLife(call.cloud, job, { ...life, cancelRequestedAt: now });
  return { status: 202, longRunning: { milliseconds: 2000 } };
}
