/**
 * The run lease. It names the one open run of a topology until that run ends, however long a gate or a pause lasts;
 * only its holder's claim to execute the run expires. The workflow id merely deduplicates on one Temporal; this lease
 * excludes a second run on any.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { isOpen } from '../plan/run-states.ts';
import { readRun } from './journal.ts';
import type { RunDocument } from './run-document.ts';

const name = 'run-lease.json';
/** Of an execution that has ended: nothing renews it. */
const givenBack = 0;

export const RunLease = z.strictObject({
  runId: z.string(),
  /** The workflow execution that acts for the run; absent until one has begun. */
  holder: z.string().optional(),
  /** Milliseconds since 1970. */
  expiresAt: z.number(),
  /** The run has ended: any other run may acquire the lease. */
  ended: z.literal(true).optional(),
});
export type RunLease = z.infer<typeof RunLease>;

const leases = documentKind('run lease', 2, RunLease);

/** How long the lease lives; every step and checkpoint renews it. */
export const runLeaseMs = 60_000;

/** What prevents another run from beginning: a run, or the start of one that is not recorded yet. */
export interface OpenRun {
  runId: string;
  run?: RunDocument;
}

/** The open run that the lease names, if one is open. */
export async function findOpenRun(store: ControlStore, now: Date): Promise<OpenRun | undefined> {
  const lease = (await leases.read(store, name))?.value;
  return lease && openBy(store, lease, now.getTime());
}

async function openBy(store: ControlStore, lease: RunLease, now: number): Promise<OpenRun | undefined> {
  if (lease.ended === true) return undefined;
  const { runId } = lease;
  const run = await readRun(store, runId);
  if (run) return isOpen(run.state) ? { runId, run } : undefined;
  // The command that acquired the lease was killed before it recorded the run.
  return lease.expiresAt > now ? { runId } : undefined;
}

/**
 * Acquires the lease for a run that is about to be recorded, by compare-and-swap: of several commands that try at once,
 * one succeeds. Returns the run that is already open, if there is one.
 */
export async function takeRunLease(
  store: ControlStore,
  { runId, now }: { runId: string; now: Date },
): Promise<OpenRun | undefined> {
  for (;;) {
    const found = await leases.read(store, name);
    const open = found && (await openBy(store, found.value, now.getTime()));
    if (open && open.runId !== runId) return open;
    if (open) return undefined;
    const next: RunLease = { runId, expiresAt: now.getTime() + runLeaseMs };
    if (await leases.swap(store, name, next, found?.etag)) return undefined;
  }
}

/** Who wants a lease, and for how long. */
export interface LeaseRequest {
  runId: string;
  holder: string;
  ttlMs: number;
  now: number;
  /** `retry` takes the run over from an execution that may still be alive: the old one is fenced from then on. */
  takeOver?: boolean;
}

/**
 * Acquires or renews the right to execute a run that has the lease. FencedError if another run has it, or another
 * execution of this run has taken over: the replaced execution stays fenced, even if its successor has been silent for
 * longer than the lease lives.
 */
export async function holdRunLease(store: ControlStore, request: LeaseRequest): Promise<void> {
  const { runId, holder, ttlMs, now } = request;
  for (;;) {
    const found = await leases.read(store, name);
    const lease = found?.value;
    if (lease?.runId !== runId) {
      // A lease that was lost, or belongs to a run that has ended, can be acquired again only by a retry of the run.
      const open = lease && (await openBy(store, lease, now));
      if (open) throw fencedBy(open.runId);
      if (request.takeOver !== true)
        throw new UnderstudyError('FencedError', `run "${runId}" does not have the run lease`, {
          next: `Retry it: "understudy retry ${runId}".`,
        });
    } else {
      const mine = lease.holder === holder;
      // A step that was given up for dead may still run after its execution has ended.
      if (mine && lease.expiresAt === givenBack)
        throw new UnderstudyError('FencedError', `this execution of run "${runId}" has ended`);
      if (mine && lease.expiresAt - now > (ttlMs * 2) / 3) return;
      if (!mine && lease.holder !== undefined && request.takeOver !== true)
        throw new UnderstudyError('FencedError', `another execution has taken over run "${runId}"`);
    }
    if (await leases.swap(store, name, { runId, holder, expiresAt: now + ttlMs }, found?.etag)) return;
  }
}

function fencedBy(runId: string): UnderstudyError {
  return new UnderstudyError('FencedError', `run "${runId}" is open on this topology`, {
    next: `Watch it with "understudy status --watch", or end it: "understudy retry ${runId}" or "understudy cancel ${runId}".`,
  });
}

/** Undefined if no run has ever had the lease. */
export async function readRunLease(store: ControlStore): Promise<RunLease | undefined> {
  return (await leases.read(store, name))?.value;
}

/**
 * Called when an execution has ended. `ended`: its run has ended too; otherwise the run stays open, and only the claim
 * to execute it is released. Another execution's claim stays. Without `holder`: for a run that no execution has begun.
 */
export async function releaseRunLease(
  store: ControlStore,
  { runId, holder, ended }: { runId: string; holder?: string; ended: boolean },
): Promise<void> {
  for (;;) {
    const found = await leases.read(store, name);
    const lease = found?.value;
    if (lease?.runId !== runId || lease.holder !== holder || lease.ended === true) return;
    const next: RunLease = { ...lease, expiresAt: givenBack, ...(ended ? { ended } : {}) };
    if (await leases.swap(store, name, next, found?.etag)) return;
  }
}
