/**
 * The work that an interrupted job loses: since its last complete copied checkpoint, or otherwise since it was
 * submitted. Pure.
 */
import { z } from 'zod';
import { showDuration } from '../topology/duration.ts';
import type { OldJobState } from '../fence/stopped-jobs.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';

/** The work that a job loses. */
export const LostWork = z.strictObject({
  /** ISO 8601. Absent if not known. */
  since: z.string().optional(),
  /** What `since` is the time of. `last look`: the job had not begun when it was last seen. */
  from: z.enum(['checkpoint', 'submission', 'last look']),
  /** From `since` until it worked no more (see `workedUntil`), in milliseconds. Absent if not known. */
  ms: z.number().nonnegative().optional(),
  /** GPUs that the job used. Absent if not known. */
  gpus: z.number().nonnegative().optional(),
});
export type LostWork = z.infer<typeof LostWork>;

/** Statuses in which a job has not begun to compute. */
const before = new Set(['notstarted', 'queued', 'preparing', 'provisioning', 'starting']);

/** Until when a job worked (ISO 8601). `orLater`: it was seen then, and nobody knows how long it went on. */
export interface WorkedUntil {
  at?: string;
  orLater?: true;
}

/**
 * Returns until when a job worked of which this is known. `goneSince`: when the outage began, or the run was triggered:
 * what a region has done since is not looked for.
 */
export function workedUntil(old: OldJobState, goneSince: string): WorkedUntil {
  // A drain begins after the trigger, and lets it work until it cancels it.
  if (old.is === 'cancelled' && old.drained) return { at: old.at };
  if (old.is !== 'interrupted') return { at: goneSince };
  return old.lastSeenAt === undefined ? {} : { at: old.lastSeenAt, orLater: true };
}

/** Returns what a job loses whose successor goes on from its checkpoint, or not. */
export function lostWorkOf(entry: LedgerEntry, goesOn: boolean, until: WorkedUntil): LostWork {
  const from = startOf(entry, goesOn);
  const ms = elapsedMs(from.since, until);
  return {
    ...from,
    ...(ms === undefined ? {} : { ms }),
    ...(entry.gpus === undefined ? {} : { gpus: entry.gpus }),
  };
}

/** Undefined if not known: what it has done since it was last seen is no less than nothing. */
function elapsedMs(since: string | undefined, { at, orLater }: WorkedUntil): number | undefined {
  if (since === undefined || at === undefined) return undefined;
  const ms = Date.parse(at) - Date.parse(since);
  return Number.isNaN(ms) || (orLater && ms <= 0) ? undefined : Math.max(0, ms);
}

function startOf(
  { checkpoint, status, lastSeenAt, createdAt }: LedgerEntry,
  goesOn: boolean,
): Pick<LostWork, 'since' | 'from'> {
  if (goesOn && checkpoint?.writtenAt !== undefined) return { since: checkpoint.writtenAt, from: 'checkpoint' };
  // It may have begun since it was last seen.
  if (before.has(status.toLowerCase())) return { since: lastSeenAt, from: 'last look' };
  return { ...(createdAt === undefined ? {} : { since: createdAt }), from: 'submission' };
}

/** Returns lost GPU-hours. Undefined if not known. */
export function gpuHoursOf({ ms, gpus }: Pick<LostWork, 'ms' | 'gpus'>): number | undefined {
  // Without GPUs there are no GPU-hours, however long the job ran.
  if (gpus === 0) return 0;
  return ms === undefined || gpus === undefined ? undefined : (ms / 3_600_000) * gpus;
}

/** Example: `2d 3h of work (10.5 GPU-hours)`. */
export function showLostWork(lost: LostWork): string {
  const { ms, from } = lost;
  const most = from === 'checkpoint' ? '' : 'up to ';
  const time = ms === undefined ? 'an unknown time' : most + showDuration(ms);
  return `${time} of work (${showGpuHours(gpuHoursOf(lost))})`;
}

function showGpuHours(hours: number | undefined): string {
  if (hours === undefined) return 'GPU-hours unknown';
  if (hours === 0) return 'no GPU-hours';
  return hours < 0.05 ? 'under 0.1 GPU-hours' : `${hours.toFixed(1)} GPU-hours`;
}
