/**
 * The life of a job: a few facts fixed when it was submitted or scheduled, from which its status at any time follows.
 * Nothing has to run for a job to go on: not through a restart of the local Azure, and not while its region is dark.
 */

import type { JsonObject, Stored } from '../../contract/index.ts';
import { numberOf, objectOf, textOf } from '../bodies/fields.ts';
import { validationError } from '../bodies/refusals.ts';

/** The names of properties that say how a simulated job lives; values are texts, as all properties of a job are. */
const SECONDS = ['prepareSeconds', 'queueSeconds', 'runSeconds', 'checkpointEverySeconds'] as const;
const PREFIX = 'simulator.';

const DEFAULTS = { prepareSeconds: 1, queueSeconds: 1, runSeconds: 5 };
const FINALIZING_MS = 1000;
/** From a request to cancel until the job is canceled. */
const CANCELING_MS = 2000;

/** Times are milliseconds on the cloud's clock. */
export interface Life {
  submittedAt: number;
  /** The environment is ready and the least wait is over: from here the job wants nodes. */
  readyAt: number;
  prepareMs: number;
  /** When its nodes are there; null: never, as things stand. Moves while it lies in the future. */
  startsAt: number | null;
  runMs: number;
  outcome: 'Completed' | 'Failed' | 'Canceled';
  nodes: number;
  /** Lower-case id of the compute, or null for serverless compute. */
  compute: string | null;
  cancelRequestedAt?: number;
  /** The ground was cut from under it: its compute was deleted. */
  failedAt?: number;
  /** Why it failed, where that is not the loss of its compute. */
  error?: { code: string; message: string };
  checkpointEveryMs?: number;
  /** The step it went on from. */
  firstStep: number;
  /** The last step whose checkpoint is written. */
  writtenStep: number;
  /** Of a job that really runs: what has become of it. `runMs` and `outcome` mean nothing before `endedAt`. */
  execution?: Execution;
}

/** What is known of a job that really runs: as a process, or, of a pipeline or sweep, through its children. */
export type Execution = {
  /** Its process group, and when that began: numbers of processes are used again. */
  process?: { pid: number; began: string };
  /** The process is gone; its outputs are being written. */
  exitedAt?: number;
  endedAt?: number;
  /** Why it failed. */
  error?: { code: string; message: string };
};

export const FINISHED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Canceled']);

/** How a job asks to live. Errors: 400, naming the property, for a value that is no number or no outcome. */
export function askedLife(
  properties: JsonObject,
): Pick<Life, 'prepareMs' | 'runMs' | 'outcome'> & { queueMs: number; checkpointEveryMs?: number } {
  const asked: Partial<Record<(typeof SECONDS)[number], number>> = {};
  for (const name of SECONDS) {
    const text = properties[PREFIX + name];
    if (text === undefined || text === null) continue;
    const seconds = Number(text);
    if (text === '' || !Number.isFinite(seconds) || seconds < 0)
      throw validationError(
        `properties.properties["${PREFIX}${name}"]: expected a number of seconds from 0, got "${JSON.stringify(text)}".`,
      );
    asked[name] = seconds * 1000;
  }
  const outcome = properties[`${PREFIX}outcome`] ?? 'Completed';
  if (outcome !== 'Completed' && outcome !== 'Failed')
    throw validationError(
      `properties.properties["${PREFIX}outcome"]: expected Completed or Failed, got ${JSON.stringify(outcome)}.`,
    );
  return {
    prepareMs: asked.prepareSeconds ?? DEFAULTS.prepareSeconds * 1000,
    queueMs: asked.queueSeconds ?? DEFAULTS.queueSeconds * 1000,
    runMs: asked.runSeconds ?? DEFAULTS.runSeconds * 1000,
    outcome,
    ...(asked.checkpointEverySeconds ? { checkpointEveryMs: asked.checkpointEverySeconds } : {}),
  };
}

/** The life kept with a job. Throws if there is none: only jobs that were submitted here have one. */
export function lifeOf(job: Stored): Life {
  const kept = objectOf(job.hidden.life);
  if (numberOf(kept.submittedAt) === undefined) throw new Error(`no life is kept for job '${job.resource.id}'`);
  return kept as unknown as Life;
}

export function withLife(job: Stored, life: Life): Stored {
  return { ...job, hidden: { ...job.hidden, life: { ...life } } };
}

/**
 * When its nodes are free again; null: it never starts. Of a job that really runs nobody knows before it ends:
 * Infinity.
 */
export function freeAt(life: Life): number | null {
  if (life.execution) return life.execution.endedAt ?? (life.startsAt === null ? null : Infinity);
  const natural = life.startsAt === null ? null : life.startsAt + life.runMs + FINALIZING_MS;
  const cut = cutAt(life);
  if (cut === null) return natural;
  return natural === null ? cut : Math.min(natural, cut);
}

function cutAt(life: Life): number | null {
  const cuts = [
    life.failedAt,
    life.cancelRequestedAt === undefined ? undefined : life.cancelRequestedAt + CANCELING_MS,
  ];
  const known = cuts.filter((cut) => cut !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** Whether the job really ran at `now` or before: a job canceled in the queue never did. */
export function hasStarted(life: Life, now: number): boolean {
  return (
    life.startsAt !== null &&
    life.startsAt <= now &&
    life.startsAt < (life.cancelRequestedAt ?? Infinity) &&
    life.startsAt < (life.failedAt ?? Infinity)
  );
}

/** The end of its running: natural, or when it was canceled or lost its compute. Null: it never starts. */
export function stopsAt(life: Life): number | null {
  if (life.startsAt === null) return null;
  if (life.execution) return life.execution.exitedAt ?? Infinity;
  return Math.min(life.startsAt + life.runMs, life.cancelRequestedAt ?? Infinity, life.failedAt ?? Infinity);
}

/**
 * The status at a time. The order is Azure's (the reference of run statuses): the environment is prepared first, then
 * the job is queued on its compute.
 */
export function statusAt(life: Life, now: number): string {
  if (life.execution) return executedStatus(life, life.execution, now);
  const natural = naturalStatus(life, now);
  if (FINISHED.has(natural) && (cutAt(life) === null || naturalEnd(life) <= firstCut(life))) return natural;
  if (life.failedAt !== undefined && now >= life.failedAt) return 'Failed';
  if (life.cancelRequestedAt !== undefined && now >= life.cancelRequestedAt)
    return now >= life.cancelRequestedAt + CANCELING_MS ? 'Canceled' : 'CancelRequested';
  return natural;
}

function naturalEnd(life: Life): number {
  return life.startsAt === null ? Infinity : life.startsAt + life.runMs + FINALIZING_MS;
}

function firstCut(life: Life): number {
  return Math.min(life.cancelRequestedAt ?? Infinity, life.failedAt ?? Infinity);
}

function executedStatus(life: Life, { exitedAt, endedAt }: Execution, now: number): string {
  if (endedAt !== undefined && now >= endedAt) return life.outcome;
  if (life.failedAt !== undefined && now >= life.failedAt) return 'Failed';
  if (life.cancelRequestedAt !== undefined) return 'CancelRequested';
  return statusBefore(life, now) ?? (exitedAt === undefined ? 'Running' : 'Finalizing');
}

/** The status before it runs; undefined: it does, or did. */
function statusBefore(life: Life, now: number): string | undefined {
  const preparedAt = life.submittedAt + life.prepareMs;
  if (now < preparedAt) {
    const share = (now - life.submittedAt) / life.prepareMs;
    if (share < 0.2) return 'NotStarted';
    return share < 0.5 ? 'Starting' : 'Preparing';
  }
  return life.startsAt === null || now < life.startsAt ? 'Queued' : undefined;
}

function naturalStatus(life: Life, now: number): string {
  const before = statusBefore(life, now);
  if (before !== undefined || life.startsAt === null) return before ?? 'Queued';
  if (now < life.startsAt + life.runMs) return 'Running';
  return now < naturalEnd(life) ? 'Finalizing' : life.outcome;
}

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds ('P1DT2H', 'PT5M'), or undefined. */
export function durationMs(text: string | undefined): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(textOf(text) ?? '');
  if (!match) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}
