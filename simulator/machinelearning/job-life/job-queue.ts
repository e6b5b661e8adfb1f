/**
 * Who runs when: each compute's nodes are given out first come, first served. The start of each waiting job is foreseen
 * from what is known now, kept with the job, and foreseen again when something changes (a cancellation, another number
 * of nodes).
 */

import type { Cloud, Stored } from '../../contract/index.ts';
import { watchCheckpoints } from './checkpoints.ts';
import { numberOf, objectOf, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { lifeChanged } from './job-events.ts';
import { FINISHED, freeAt, hasStarted, lifeOf, statusAt, withLife, type Life } from './job-life.ts';

export const JOBS = `${WORKSPACES}/jobs`;

/**
 * The jobs of one compute that may still hold or want nodes, by id; and when each node is free after all that are
 * foreseen.
 */
interface Queue {
  jobs: Map<string, Life>;
  /** In order; undefined: no limit. */
  nodes: number[] | undefined;
  /** When a long queue moves up. */
  due?: { cancel(): void };
}

/**
 * A queue of more jobs than this moves up some time after a change, not at once: to foresee ten thousand starts takes
 * as long as a thousand requests, and whoever cancels them all would have it done ten thousand times.
 */
const LONG = 500;
const MOVES_UP_MS = 10_000;

/** What is remembered of a cloud; all of it can be had again from the store. */
const queues = new WeakMap<Cloud, Map<string, Queue>>();

/** Sets when the life of a new job starts, behind those that wait already. `key`: the job's id in lower case. */
export function enqueue(cloud: Cloud, key: string, life: Life): Life {
  if (life.compute === null) return { ...life, startsAt: life.readyAt };
  const queue = queueOf(cloud, life.compute);
  const placed = place(queue, life, cloud.clock.now());
  queue.jobs.set(key, placed);
  return placed;
}

/** Foresees all waiting jobs of a compute afresh, and keeps what has changed. */
export function reschedule(cloud: Cloud, compute: string): void {
  const known = queues.get(cloud);
  known?.get(compute.toLowerCase())?.due?.cancel();
  known?.delete(compute.toLowerCase());
  queueOf(cloud, compute.toLowerCase());
}

/** Keeps a job's changed life (a cancellation) and lets the others move up. */
export function changeLife(cloud: Cloud, job: Stored, life: Life): void {
  const changed = withLife(job, life);
  cloud.store.put(changed);
  if (life.compute !== null) letOthersMoveUp(cloud, life.compute, job.resource.id.toLowerCase(), life);
  lifeChanged(cloud, cloud.store.get(job.resource.id) ?? changed);
}

function letOthersMoveUp(cloud: Cloud, compute: string, key: string, life: Life): void {
  const queue = queues.get(cloud)?.get(compute);
  if (!queue || queue.jobs.size <= LONG) return reschedule(cloud, compute);
  queue.jobs.set(key, life);
  queue.due ??= cloud.clock.after(MOVES_UP_MS, () => reschedule(cloud, compute));
}

/** The lives of the unfinished jobs of a compute. */
function livesOn(cloud: Cloud, compute: string): Life[] {
  const now = cloud.clock.now();
  const { jobs } = queueOf(cloud, compute.toLowerCase());
  for (const [key, life] of jobs) if (FINISHED.has(statusAt(life, now))) jobs.delete(key);
  return [...jobs.values()];
}

/** The nodes of a cluster that jobs use now, or that it keeps anyway. */
export function nodesInUse(cloud: Cloud, compute: Stored): number {
  const minimum = numberOf(objectOf(objectOf(compute.resource.properties.properties).scaleSettings).minNodeCount) ?? 0;
  return Math.max(minimum, busyNodes(cloud, compute));
}

/** The nodes that run a job now. */
export function busyNodes(cloud: Cloud, compute: Stored): number {
  const now = cloud.clock.now();
  const running = livesOn(cloud, compute.resource.id).filter((life) => hasStarted(life, now));
  return running.reduce((sum, life) => sum + life.nodes, 0);
}

function queueOf(cloud: Cloud, compute: string): Queue {
  let ofCloud = queues.get(cloud);
  if (!ofCloud) queues.set(cloud, (ofCloud = new Map()));
  let queue = ofCloud.get(compute);
  if (!queue) ofCloud.set(compute, (queue = rebuild(cloud, compute)));
  return queue;
}

function rebuild(cloud: Cloud, compute: string): Queue {
  const now = cloud.clock.now();
  const unfinished = cloud.store
    .children(workspaceIdOf(compute), JOBS)
    .filter((job) => lifeOf(job).compute === compute && !FINISHED.has(statusAt(lifeOf(job), now)))
    .sort((a, b) => lifeOf(a).submittedAt - lifeOf(b).submittedAt);
  const queue: Queue = { jobs: new Map(), nodes: emptyNodes(cloud, compute, unfinished, now) };
  for (const job of unfinished) {
    const life = lifeOf(job);
    const placed = isSettled(life, now) ? life : place(queue, { ...life, startsAt: null }, now);
    queue.jobs.set(job.resource.id.toLowerCase(), placed);
    if (placed.startsAt === life.startsAt) continue;
    const moved = withLife(job, placed);
    cloud.store.put(moved);
    watchCheckpoints(cloud, moved);
    lifeChanged(cloud, moved);
  }
  return queue;
}

/** What has started keeps its start; what is being canceled gets none. */
function isSettled(life: Life, now: number): boolean {
  return hasStarted(life, now) || life.cancelRequestedAt !== undefined || life.failedAt !== undefined;
}

/**
 * When each node of the compute is free of the jobs that have started. Nodes beyond a lowered maximum go as they become
 * free.
 */
function emptyNodes(cloud: Cloud, compute: string, unfinished: Stored[], now: number): number[] | undefined {
  const capacity = capacityOf(cloud.store.get(compute));
  if (capacity === undefined) return undefined;
  const busy = unfinished
    .map(lifeOf)
    .filter((life) => hasStarted(life, now))
    .flatMap((life) => Array.from({ length: life.nodes }, () => freeAt(life) ?? now))
    .sort((a, b) => a - b);
  const kept = busy.slice(Math.max(0, busy.length - capacity));
  return [...Array.from({ length: capacity - kept.length }, () => 0), ...kept];
}

/** How many nodes a compute can have; undefined: as many as are asked for. */
function capacityOf(compute: Stored | undefined): number | undefined {
  if (!compute) return 0;
  const inner = objectOf(compute.resource.properties.properties);
  switch (textOf(compute.resource.properties.computeType)) {
    case 'AmlCompute':
      return numberOf(objectOf(inner.scaleSettings).maxNodeCount) ?? 0;
    case 'ComputeInstance':
      return textOf(inner.state) === 'Running' ? 1 : 0;
    default:
      return undefined;
  }
}

/**
 * Foresees the start of a job behind all that are placed, and takes its nodes; behind one whose end nobody knows it
 * cannot be foreseen.
 */
function place(queue: Queue, life: Life, now: number): Life {
  if (!queue.nodes) return { ...life, startsAt: Math.max(life.readyAt, now) };
  if (life.nodes > queue.nodes.length) return { ...life, startsAt: null };
  const startsAt = Math.max(life.readyAt, queue.nodes[life.nodes - 1] ?? 0, now);
  const placed = { ...life, startsAt: Number.isFinite(startsAt) ? startsAt : null };
  queue.nodes.fill(freeAt(placed) ?? Infinity, 0, life.nodes);
  queue.nodes.sort((a, b) => a - b);
  return placed;
}
