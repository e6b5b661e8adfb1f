/** The action `sealRecoveryPoint`: the job ledger, then every part checked as it lies in the control store, and the seal last. */
import type { ArmResource } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import { checkpointPlace } from '../jobs/checkpoint.ts';
import { specFolder, toLedgerEntry, type LedgerCheckpoint } from '../jobs/ledger.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { showDuration } from '../topology/duration.ts';
import { beginPoint, openDraft, type Copying, type DraftPoint, type Listing } from './drafts.ts';
import { placeOfDatastore, type DatastorePlace } from './datastores.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { BlobLine, Part, SealedManifest } from './manifest.ts';
import { countLines, partText, partWriter, readLines } from './parts.ts';
import { digestOf } from './recovery-point.ts';
import { showBytes, showCount } from './tally.ts';
import { sameName } from '../azure/ids.ts';

/** Errors: RecoveryPointError if a part is not what was written; ControlStoreError if another seal is there. */
export async function sealRecoveryPoint(context: StepContext): Promise<StepResult> {
  const { store } = context;
  const point = await beginPoint(context);
  const place = `${point.folder}/sealed.json`;
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
  const sealed: SealedManifest = {
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
    leftBehind: [...listing.leftBehind, ...escrowed.leftBehind],
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
  };
  if (await store.swap(place, sealed, undefined)) return result(sealed);
  const other = await store.read<SealedManifest>(place);
  if (other?.value.run === context.run.runId) return result(other.value);
  throw new UnderstudyError('ControlStoreError', `${place} was sealed by another run`, { place });
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
  const folders = new Map<string, CheckpointFolder>();
  for await (const job of readLines(store, point.folder, listing.parts, 'raw-jobs')) {
    const folder = checkpointFolder(job, datastores, topology.jobs.checkpoint);
    if (folder) folders.set(job.name, folder);
  }
  await findLastFiles(context, point, copying, folders);
  const writer = partWriter(store, point.folder, 'jobs');
  for await (const job of readLines(store, point.folder, listing.parts, 'raw-jobs')) {
    const checkpoint = checkpointOf(folders.get(job.name), point.id);
    const entry = toLedgerEntry({
      job,
      side: from,
      lastSeenAt: point.startedAt,
      spec: await store.seal(specFolder, job),
      ...(checkpoint ? { checkpoint } : {}),
    });
    await writer.add(entry);
    await heartbeat.beat();
  }
  return writer.end();
}

interface CheckpointFolder {
  datastore: string;
  path: string;
  account: string;
  container: string;
  last?: { path: string; writtenAt: string };
  files: number;
}

function checkpointFolder(
  job: ArmResource,
  datastores: readonly DatastorePlace[],
  policy: Parameters<typeof checkpointPlace>[1],
): CheckpointFolder | undefined {
  const place = checkpointPlace(job, policy);
  const blob = place && datastores.find(({ name }) => sameName(name, place.datastore))?.blob;
  if (!place || !blob) return undefined;
  return { datastore: place.datastore, path: place.path.replace(/^\/+|\/+$/g, ''), ...blob, files: 0 };
}

async function findLastFiles(
  { store }: StepContext,
  point: DraftPoint,
  copying: Copying,
  folders: ReadonlyMap<string, CheckpointFolder>,
): Promise<void> {
  if (folders.size === 0) return;
  const byPlace = Map.groupBy(folders.values(), ({ account, container, path }) =>
    placeKey(account, container, path),
  );
  for await (const line of readLines(store, point.folder, copying.parts, 'blobs')) {
    for (const path of ancestors(line.path)) {
      for (const folder of byPlace.get(placeKey(line.account, line.container, path)) ?? [])
        addFile(folder, line);
    }
  }
}

function placeKey(account: string, container: string, path: string): string {
  return `${account.toLowerCase()}/${container}/${path}`;
}

/** `a/b/c`: '', 'a', 'a/b'. */
function ancestors(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return ['', ...segments.map((_, index) => segments.slice(0, index + 1).join('/'))];
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

function checkpointOf(
  folder: CheckpointFolder | undefined,
  recoveryPoint: string,
): LedgerCheckpoint | undefined {
  if (!folder?.last) return undefined;
  const lastFile = folder.path === '' ? folder.last.path : folder.last.path.slice(folder.path.length + 1);
  return { datastore: folder.datastore, path: folder.path, lastFile, files: folder.files, recoveryPoint };
}
