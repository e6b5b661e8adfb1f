/**
 * The action `sealRecoveryPoint`: writes the job ledger, checks every part as stored in the control store, and writes
 * the seal last.
 */
import { UnderstudyError } from '../errors/error.ts';
import { gpusOf } from '../workspace/jobs/gpus.ts';
import { specFolder, toLedgerEntry } from '../ledger/ledger.ts';
import { recordDivergence } from '../fence/departures.ts';
import { leftCancelledBy } from '../fence/left-cancelled.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showDuration } from '../topology/duration.ts';
import { batches, mapBounded } from '../run/work/bounded.ts';
import { chooseCheckpoints } from '../checkpoints/choose-checkpoints.ts';
import {
  beginPoint,
  isOfDivergence,
  openDraft,
  toNothing,
  type Copying,
  type DraftPoint,
  type Listing,
} from '../recovery-point/drafts.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import type { LeftBehind, Part, SealedManifest } from '../recovery-point/manifest.ts';
import { countLines, partText, partWriter, readLines } from '../recovery-point/parts.ts';
import { checkSeal, digestOfSeal, withDigest } from '../recovery-point/recovery-point-checks.ts';
import { readManifest, sealedName, writeManifest } from '../recovery-point/sealed-manifest.ts';
import { showBytes, showCount } from '../topology/figures.ts';

/**
 * Errors: RecoveryPointError if a part, or an existing seal, is not what was written; ControlStoreError if another seal
 * exists.
 */
export async function sealRecoveryPoint(context: StepContext): Promise<StepResult> {
  const { store } = context;
  const point = await beginPoint(context);
  const place = sealedName(point.epoch, point.id);
  const there = await readManifest(store, place);
  if (there) return pinned(context, there);

  const divergence = isOfDivergence(context) ? { divergence: true as const } : {};
  const heartbeat = startHeartbeat(context, 'parts');
  const listing = await openDraft(context, point, 'listing');
  const copying = await openDraft(context, point, 'copying');
  const escrowed = await openDraft(context, point, 'escrowed');
  const ledger = await writeLedger(context, { point, listing, copying, heartbeat });
  const parts = [...listing.parts, ...copying.parts, ...copying.fuzzyParts, ...ledger];
  for (const part of parts) {
    await partText(store, point.folder, part);
    heartbeat.add(1, part.bytes);
    await heartbeat.beat();
  }
  const blobs = countLines(parts, 'blobs');
  const sealed = withDigest({
    id: point.id,
    epoch: point.epoch,
    region: context.from.region,
    workspace: listing.workspace,
    startedAt: point.startedAt,
    sealedAt: context.now().toISOString(),
    run: context.run.runId,
    ...divergence,
    parts,
    accounts: listing.accounts,
    shared: listing.shared,
    sharing: listing.sharing,
    replica: copying.replica,
    fuzzy: copying.fuzzy,
    secrets: escrowed.secrets,
    leftBehind: [...listing.leftBehind, ...referencesToNothing(copying), ...escrowed.leftBehind],
    summary: {
      epoch: point.epoch,
      region: context.from.region,
      counts: { ...listing.counts, blobs, secrets: escrowed.secrets.length },
      blobs,
      bytes: copying.tally.bytes,
      computes: listing.computes,
      endpoints: listing.endpoints,
      jobs: listing.jobs,
      fuzzy: copying.fuzzy.length,
    },
  });
  // Do not seal what could not be opened again.
  checkSeal(sealed, place);
  if (await writeManifest(store, place, sealed)) return pinned(context, sealed);
  const other = await readManifest(store, place);
  if (other?.run === context.run.runId) return pinned(context, other);
  throw new UnderstudyError('ControlStoreError', `${place} was sealed by another run`, { place });
}

function referencesToNothing({ empty }: Copying): LeftBehind[] {
  const { count, examples } = empty;
  return count === 0 ? [] : [{ kind: 'references', reason: toNothing, count, examples }];
}

/** A divergence point is kept for a merge, however often the region is reprotected. */
async function pinned(context: StepContext, sealed: SealedManifest): Promise<StepResult> {
  if (sealed.divergence) {
    const ref = { id: sealed.id, digest: digestOfSeal(sealed), startedAt: sealed.startedAt };
    await recordDivergence(context.store, { region: sealed.region, epoch: context.plan.madeInEpoch }, ref);
  }
  return result(sealed);
}

function result(sealed: SealedManifest): StepResult {
  const { counts, blobs, bytes, fuzzy } = sealed.summary;
  const took = showDuration(Date.parse(sealed.sealedAt) - Date.parse(sealed.startedAt));
  const digest = digestOfSeal(sealed);
  return {
    state: 'completed',
    detail:
      `recovery point ${sealed.id}: ${showCount(blobs, 'blob')} (${showBytes(bytes)}), ` +
      `${showCount(counts.jobs ?? 0, 'unfinished job')}, ${fuzzy} fuzzy, sealed after ${took}`,
    facts: { recoveryPoint: sealed.id, digest, startedAt: sealed.startedAt, blobs, bytes, fuzzy },
  };
}

interface WriteLedger {
  point: DraftPoint;
  listing: Listing;
  copying: Copying;
  heartbeat: Heartbeat;
}

/** The ledger says which checkpoint of each job is copied, so it is written after the copying. */
async function writeLedger(context: StepContext, { point, listing, copying, heartbeat }: WriteLedger): Promise<Part[]> {
  const { store, from, topology } = context;
  const chosenFor = await chooseCheckpoints(context, { point, listing, copying });
  const writer = partWriter(store, point.folder, 'jobs');
  const jobs = readLines(store, point.folder, listing.parts, 'raw-jobs');
  for await (const batch of batches(jobs, topology.artifacts.concurrency)) {
    const entries = await mapBounded(batch, batch.length, async (job) => {
      return toLedgerEntry({
        job,
        side: from,
        lastSeenAt: point.startedAt,
        spec: await store.seal(specFolder, job),
        ...chosenFor(job.name),
        gpus: gpusOf(job, listing.computes, listing.gpus),
        cancelledBy: leftCancelledBy(job, listing.leftCancelled),
      });
    });
    for (const entry of entries) await writer.add(entry);
    await heartbeat.beat();
  }
  return writer.end();
}
