/**
 * Blobs that cannot be restored as a recovery point has them. They are reported with what depends on them, and are lost
 * only if a person accepts it.
 */
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Evidence } from '../run/work/outcome.ts';
import type { LossAcceptance, StepContext } from '../run/work/step-context.ts';
import { showFindings, type Finding, type LostBlob, type SomeFindings } from '../run/work/findings.ts';
import { replicaIn } from '../recovery-point/find-line.ts';
import type { BlobLine, SealedManifest } from '../recovery-point/manifest.ts';
import { sealedIds } from '../recovery-point/list-points.ts';
import { showCount } from '../topology/figures.ts';

/** Describes a lost blob. `difference`: what is there, and what was expected. */
export function lostBlob(
  what: string,
  line: BlobLine,
  { difference, accepted }: { difference: string; accepted: LossAcceptance | undefined },
): Finding {
  const { account, container, path, replica, assets } = line;
  return {
    what,
    state: 'failed',
    reason: `${difference} (${assets.join(', ')})${showAcceptance(accepted)}`,
    lost: { account, container, path, replica },
  };
}

/** Describes who accepted a loss, and why. Empty if nobody did. */
export function showAcceptance(accepted: LossAcceptance | undefined): string {
  return accepted ? `; accepted as lost by ${accepted.by}: ${accepted.reason}` : '';
}

/** What a step found lost. */
export interface Losses {
  lost: SomeFindings;
  /** Total number of blobs. */
  expected: number;
  evidence: readonly Evidence[];
}

/**
 * Does nothing if no blobs are lost, or if someone has accepted that.
 * Errors: ReconciliationError otherwise.
 */
export async function requireAcceptance(
  context: StepContext,
  sealed: SealedManifest,
  { lost, expected, evidence }: Losses,
): Promise<void> {
  if (lost.count === 0 || context.acceptedLoss) return;
  throw new UnderstudyError(
    'ReconciliationError',
    `${lost.count} of ${showCount(expected, 'blob')} in ${context.to.region} differ from recovery point ${sealed.id} or are missing; the others are restored: ` +
      showFindings(lost, 3).join('; '),
    {
      ...(evidence[0] ? { place: evidence[0].blob } : {}),
      next: await waysOn(context, sealed, lost.first.find((each) => each.lost)?.lost),
    },
  );
}

async function waysOn(
  { store, run, step }: StepContext,
  sealed: SealedManifest,
  lost: LostBlob | undefined,
): Promise<string> {
  const retry = `understudy retry ${run.runId}`;
  const other = lost && (await otherPoint(store, sealed, lost));
  return [
    `Put back what is named, and go on: ${retry}.`,
    `Or accept the loss, and what depends on it is left out: ${retry} --accept-loss ${step.id} --reason "…".`,
    `Or take the run back, and restore another recovery point: understudy cancel ${run.runId}, then ` +
      (other === undefined
        ? 'understudy failover --recovery-point ID; of the last ones, none has another copy of it.'
        : `understudy failover --recovery-point ${other}, which has another copy of it.`),
  ].join(' ');
}

/** How many other recovery points to search. */
const lookedInto = 20;

/** Returns the newest other recovery point of the region that has another version of the blob. */
async function otherPoint(
  store: ControlStore,
  { id, region }: SealedManifest,
  lost: LostBlob,
): Promise<string | undefined> {
  const others = await sealedIds(store, { limit: lookedInto + 1 });
  for (const other of others.filter((each) => each !== id)) {
    const replica = await replicaIn(store, other, lost, region);
    if (replica !== undefined && replica !== lost.replica) return other;
  }
  return undefined;
}
