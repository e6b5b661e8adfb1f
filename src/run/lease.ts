/**
 * The run lease: at most one run acts on a topology at a time, and at most one workflow executes that run. The workflow
 * id merely deduplicates on one Temporal; this excludes a second run on any.
 */
import { UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';

const name = 'run-lease.json';
/** The lease of an execution that has ended: nothing renews it. */
const givenBack = 0;

export interface RunLease {
  runId: string;
  /** The workflow execution that acts for the run. */
  holder: string;
  expiresAt: number;
}

/** How long the run lease lives; renewed by every step and checkpoint. */
export const runLeaseMs = 60_000;

export interface LeaseRequest {
  runId: string;
  holder: string;
  ttlMs: number;
  now: number;
  /** `resume-run` takes the run over from an execution that may still be alive: the old one is fenced from then on. */
  takeOver?: boolean;
}

/**
 * Takes or renews the lease. FencedError if another run holds it, or another execution of the same run took over.
 * An expired lease can be taken by any other run, but not by an execution that was taken over: that one stays fenced, even
 * if its successor has been silent for longer than the lease lives (a paused run renews nothing).
 */
export async function holdRunLease(store: ControlStore, request: LeaseRequest): Promise<void> {
  for (;;) {
    const found = await store.read<RunLease>(name);
    const lease = found?.value;
    const mine = lease?.runId === request.runId && lease.holder === request.holder;
    // A step that was given up for dead may still be at work when its execution has ended.
    if (mine && lease.expiresAt === givenBack)
      throw new UnderstudyError('FencedError', `this execution of run "${request.runId}" has ended`);
    if (mine && lease.expiresAt - request.now > (request.ttlMs * 2) / 3) return;
    if (lease && !mine) {
      if (lease.runId !== request.runId && lease.expiresAt > request.now) {
        throw new UnderstudyError('FencedError', `run "${lease.runId}" is acting on this topology`, {
          next: `Watch it with "understudy status", or wait until its lease runs out at ${new Date(lease.expiresAt).toISOString()}.`,
        });
      }
      if (lease.runId === request.runId && request.takeOver !== true) {
        throw new UnderstudyError('FencedError', `another execution has taken over run "${request.runId}"`);
      }
    }
    const next: RunLease = {
      runId: request.runId,
      holder: request.holder,
      expiresAt: request.now + request.ttlMs,
    };
    if (await store.swap(name, next, found?.etag)) return;
  }
}

export async function readRunLease(store: ControlStore): Promise<RunLease | undefined> {
  return (await store.read<RunLease>(name))?.value;
}

/** Ends the lease of an execution that has ended; another's is left alone. */
export async function releaseRunLease(
  store: ControlStore,
  { runId, holder, now }: Pick<LeaseRequest, 'runId' | 'holder' | 'now'>,
): Promise<void> {
  for (;;) {
    const found = await store.read<RunLease>(name);
    if (found?.value.runId !== runId || found.value.holder !== holder || found.value.expiresAt <= now) return;
    if (await store.swap(name, { ...found.value, expiresAt: givenBack }, found.etag)) return;
  }
}
