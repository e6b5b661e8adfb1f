/** The action `sealRecoveryPoint`: the job ledger, then every part checked as it lies in the control store, and the seal last. */
import type { ArmResource } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import { checkpointPlaces, type CheckpointPolicy } from '../jobs/checkpoint.ts';
import { specFolder, toLedgerEntry, type LedgerCheckpoint } from '../jobs/ledger.ts';
import { leftCancelledBy } from '../jobs/left-cancelled.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { showDuration } from '../topology/duration.ts';
import { batches, mapBounded } from './bounded.ts';
import { belowFolder, folderAt, visitFolders } from './checkpoint-lines.ts';
import { beginPoint, openDraft, type Copying, type DraftPoint, type Listing } from './drafts.ts';
import { placeOfDatastore, type DatastorePlace } from './datastores.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { BlobLine, LeftBehind, Part, SealedManifest } from './manifest.ts';
import type { BlobRoot } from './places.ts';
import { countLines, partText, partWriter, readLines } from './parts.ts';
import { checkSeal, digestOf, sealedName, withDigest } from './recovery-point-checks.ts';
import { showBytes, showCount } from './tally.ts';

/** Errors: RecoveryPointError if a part is not what was written; ControlStoreError if another seal is there. */
export async function sealRecoveryPoint(context: StepContext): Promise<StepResult> {
  const { store } = context;
  const point = await beginPoint(context);
  const place = sealedName(point.epoch, point.id);
  const there = await store.read<SealedManifest>(place);
  if (there) return result(there.value);

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
    version: 1,
    id: point.id,
    epoch: point.epoch,
    region: context.from.region,
    workspace: listing.workspace,
    startedAt: point.startedAt,
    sealedAt: context.now().toISOString(),
    run: context.run.runId,
    parts,
    accounts: listing.accounts,
    shared: listing.shared,
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
  // What could not be opened again is not sealed.
  checkSeal(sealed, place);
  if (await store.swap(place, sealed, undefined)) return result(sealed);
  const other = await store.read<SealedManifest>(place);
  if (other?.value.run === context.run.runId) return result(other.value);
  throw new UnderstudyError('ControlStoreError', `${place} was sealed by another run`, { place });
}

function referencesToNothing({ empty }: Copying): LeftBehind[] {
  const { count, examples } = empty;
  return count === 0 ? [] : [{ kind: 'references', reason: 'to nothing', count, examples }];
}

function result(sealed: SealedManifest): StepResult {
  const { counts, blobs, bytes, fuzzy } = sealed.summary;
  const took = showDuration(Date.parse(sealed.sealedAt) - Date.parse(sealed.startedAt));
  const digest = digestOf(sealed);
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

/** The ledger says of each job which checkpoint is copied, so it is written after the copying. */
async function writeLedger(
  context: StepContext,
  { point, listing, copying, heartbeat }: WriteLedger,
): Promise<Part[]> {
  const { store, from, topology } = context;
  const datastores: DatastorePlace[] = [];
  for await (const each of readLines(store, point.folder, listing.parts, 'datastores'))
    datastores.push(placeOfDatastore(each));
  const folders = new Map<string, CheckpointFolder[]>();
  for await (const job of readLines(store, point.folder, listing.parts, 'raw-jobs'))
    folders.set(job.name, checkpointFolders(job, datastores, topology.jobs.checkpoint));
  const blobs = readLines(store, point.folder, copying.parts, 'blobs');
  await visitFolders([...folders.values()].flat(), blobs, addFile);
  const writer = partWriter(store, point.folder, 'jobs');
  const jobs = readLines(store, point.folder, listing.parts, 'raw-jobs');
  for await (const batch of batches(jobs, topology.artifacts.concurrency)) {
    const entries = await mapBounded(batch, batch.length, async (job) => {
      const checkpoint = checkpointOf(folders.get(job.name) ?? [], point.id);
      return toLedgerEntry({
        job,
        side: from,
        lastSeenAt: point.startedAt,
        spec: await store.seal(specFolder, job),
        ...(checkpoint ? { checkpoint } : {}),
        cancelledBy: leftCancelledBy(job, listing.leftCancelled),
      });
    });
    for (const entry of entries) await writer.add(entry);
    await heartbeat.beat();
  }
  return writer.end();
}

interface CheckpointFolder extends BlobRoot {
  datastore: string;
  last?: { path: string; writtenAt: string };
  files: number;
}

function checkpointFolders(
  job: ArmResource,
  datastores: readonly DatastorePlace[],
  policy: CheckpointPolicy,
): CheckpointFolder[] {
  return checkpointPlaces(job, policy).flatMap((place) => {
    const folder = folderAt(place, datastores);
    return folder ? [{ ...folder, datastore: place.datastore, files: 0 }] : [];
  });
}

function addFile(folder: CheckpointFolder, { path, writtenAt = '' }: BlobLine): void {
  folder.files += 1;
  const { last } = folder;
  const later =
    !last || writtenAt > last.writtenAt || (writtenAt === last.writtenAt && newerName(path, last.path));
  if (later) folder.last = { path, writtenAt };
}

/** Within one second, `step-10` is later than `step-9`. */
function newerName(path: string, than: string): boolean {
  return path.localeCompare(than, 'en', { numeric: true }) > 0;
}

/** Of what the job wrote itself, or else of what it went on from: no progress is lost between two moves. */
function checkpointOf(
  folders: readonly CheckpointFolder[],
  recoveryPoint: string,
): LedgerCheckpoint | undefined {
  for (const folder of folders) {
    const { datastore, path, last, files } = folder;
    if (last) return { datastore, path, lastFile: belowFolder(folder, last), files, recoveryPoint };
  }
  return undefined;
}
