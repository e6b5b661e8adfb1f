/**
 * The checkpoints that a simulated training writes: small blobs `step-N.json` below its output `checkpoints` (or below
 * `checkpoints/` of its first output). They are written while the job's clock runs, also when its region is dark:
 * nobody outside sees it then.
 */

import { createHash } from 'node:crypto';
import type { Cloud, Json, Stored } from '../../contract/index.ts';
import { isObject, objectOf, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { lifeOf, stopsAt, withLife, type Life } from './job-life.ts';
import { jobOutputUri } from './job-outputs.ts';
import { locateFolder, type Place } from './places.ts';

const RETRY_MS = 1000;

const STEP = /(?:^|\/)step-(\d+)\.json$/;

/** What is armed for each job, so that it is never armed twice. */
const armed = new WeakMap<Cloud, Map<string, { cancel(): void }>>();

/**
 * The step that a job goes on from: the last whose checkpoint lies in its own output or in one of its inputs; else 0.
 */
export async function firstStepOf(cloud: Cloud, job: Stored): Promise<number> {
  const inputs = Object.values(objectOf(job.resource.properties.inputs)).flatMap((input) =>
    isObject(input) ? [input.uri] : [],
  );
  const places = [placeOf(cloud, job), ...inputs.map((uri) => locate(cloud, job, uri))];
  let last = 0;
  for (const place of places) {
    if (!place) continue;
    const names = await cloud.blobs.listBlobs(place.account, place.container, place.path.replace(/\/$/, ''));
    for (const name of names) last = Math.max(last, Number(STEP.exec(name)?.[1] ?? 0));
  }
  return last;
}

/** Arms the writing of the next checkpoint, if there will be one. */
export function watchCheckpoints(cloud: Cloud, job: Stored): void {
  let timers = armed.get(cloud);
  if (!timers) armed.set(cloud, (timers = new Map()));
  const key = job.resource.id.toLowerCase();
  timers.get(key)?.cancel();
  timers.delete(key);
  const due = nextDue(lifeOf(job));
  if (due === undefined) return;
  const wait = Math.max(0, due - cloud.clock.now());
  timers.set(
    key,
    cloud.clock.after(wait, () => void writeDue(cloud, key)),
  );
}

/** Takes up all jobs after a restart. */
export function continueCheckpoints(cloud: Cloud, jobs: Stored[]): void {
  for (const job of jobs) if (lifeOf(job).checkpointEveryMs !== undefined) watchCheckpoints(cloud, job);
}

/** When the next checkpoint is due by the life as it is foreseen now; undefined: none any more. */
function nextDue(life: Life): number | undefined {
  const end = stopsAt(life);
  if (life.checkpointEveryMs === undefined || life.startsAt === null || end === null) return undefined;
  const due = life.startsAt + (life.writtenStep + 1 - life.firstStep) * life.checkpointEveryMs;
  return due <= end ? due : undefined;
}

/** Writes what is due by now (several, if the clock was driven far), then arms the next. */
async function writeDue(cloud: Cloud, key: string): Promise<void> {
  try {
    for (;;) {
      const job = cloud.store.get(key);
      if (!job) return;
      const life = lifeOf(job);
      const due = nextDue(life);
      if (due === undefined || due > cloud.clock.now()) return watchCheckpoints(cloud, job);
      const step = life.writtenStep + 1;
      await writeStep(cloud, job, step, due);
      // Read again: the job may have been canceled while the blob was written.
      const now = cloud.store.get(key);
      if (now) cloud.store.put(withLife(now, { ...lifeOf(now), writtenStep: step }));
    }
  } catch (error) {
    cloud.log(`job '${key}': its checkpoint could not be written: ${String(error)}`);
    failOrRetry(cloud, key);
  }
}

/** A job whose storage is gone fails, as the training would; one that merely could not write now tries again. */
function failOrRetry(cloud: Cloud, key: string): void {
  const job = cloud.store.get(key);
  if (!job) return;
  const place = placeOf(cloud, job);
  if (!place || !cloud.blobs.keys(place.account))
    cloud.store.put(withLife(job, { ...lifeOf(job), failedAt: cloud.clock.now() }));
  else
    armed.get(cloud)?.set(
      key,
      cloud.clock.after(RETRY_MS, () => void writeDue(cloud, key)),
    );
}

async function writeStep(cloud: Cloud, job: Stored, step: number, at: number): Promise<void> {
  const place = placeOf(cloud, job);
  if (!place) throw new Error(`its output names no blob datastore of the workspace`);
  const content = {
    job: job.resource.name,
    step,
    time: new Date(at).toISOString(),
    state: stateAt(job, step),
  };
  await cloud.blobs.putBlob(
    place.account,
    place.container,
    `${place.path}step-${step}.json`,
    Buffer.from(JSON.stringify(content)),
  );
}

/**
 * The same for the same training whoever runs it, so that a resumed one can be compared with one that never stopped.
 */
function stateAt(job: Stored, step: number): string {
  const { command, experimentName } = job.resource.properties;
  return createHash('sha256')
    .update(JSON.stringify([command ?? null, experimentName ?? null, step]))
    .digest('hex');
}

function locate(cloud: Cloud, job: Stored, uri: Json | undefined): Place | undefined {
  const text = (textOf(uri) ?? '').replace('${{name}}', job.resource.name);
  return locateFolder(cloud, workspaceIdOf(job.resource.id), text);
}

function placeOf(cloud: Cloud, job: Stored): Place | undefined {
  const outputs = objectOf(job.resource.properties.outputs);
  const locateOutput = (name: string): Place | undefined =>
    locateFolder(cloud, workspaceIdOf(job.resource.id), jobOutputUri(job.resource, name));
  if (isObject(outputs.checkpoints)) return locateOutput('checkpoints');
  const place = locateOutput(Object.keys(outputs).find((name) => name !== 'default') ?? 'default');
  return place && { ...place, path: `${place.path}checkpoints/` };
}
