/**
 * Copies the checkpoints of a recovery point to folders of their own in the standby, from which successors resume.
 * Nothing else writes there. The path at which a job wrote its checkpoints may by now contain another history, written
 * by an original that was still running unseen.
 */
import { datastoreUri, sameName } from '../azure/ids.ts';
import type { BringCheckpoint, Brought, CheckpointToBring } from './bring-checkpoint.ts';
import { checkpointFolder } from '../workspace/jobs/checkpoint.ts';
import type { LedgerCheckpoint, LedgerEntry } from '../ledger/ledger.ts';
import { entryOf } from '../ledger/whole-checkpoint.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { ensureContainer, hashBlob, isFolderMarker, listBlobs, type ListedBlob } from '../azure/storage/blobs.ts';
import { createLimiter, forEachBounded } from '../run/work/bounded.ts';
import { belowFolder, folderAt, visitFolders } from './checkpoint-lines.ts';
import { copyBlob } from '../blobs/copy-blob.ts';
import { placeOfDatastore, type DatastorePlace } from '../workspace/datastores.ts';
import { replicaContainer, type BlobLine } from '../recovery-point/manifest.ts';
import { gone, readReplica } from '../blobs/repair-replica.ts';
import type { BlobRoot } from '../workspace/places.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import type { Standby } from '../standby/standby.ts';

/** Always exists, in the workspace's own account. */
const ownDatastore = 'workspaceblobstore';
/** More than any limiter runs at once. */
const sideBySide = 256;

/** A file of a checkpoint. */
interface CheckpointFile {
  /** Path below the checkpoint's folder. */
  path: string;
  line: BlobLine;
}

/** What all checkpoints of a step share: the recovery point's blobs are read once, however many jobs there are. */
interface Opened {
  standby: Standby;
  datastores: DatastorePlace[];
  /** By `checkpointKey`. */
  files: ReadonlyMap<string, CheckpointFile[]>;
}

/**
 * Returns a function that copies checkpoints of these jobs. Nothing is read before its first call. For its errors see
 * `BringCheckpoint`.
 */
export function copyCheckpoints(
  context: StepContext,
  standby: Standby,
  entries: readonly LedgerEntry[],
): BringCheckpoint {
  const limit = createLimiter(context.topology.artifacts.concurrency);
  let opened: Promise<Opened> | undefined;
  return async (request) => {
    opened ??= open(context, standby, entries);
    return bring(context, await opened, request, limit);
  };
}

async function open(context: StepContext, standby: Standby, entries: readonly LedgerEntry[]): Promise<Opened> {
  const sources = standby.sourceDatastores.map(placeOfDatastore);
  const files = new Map<string, CheckpointFile[]>();
  const folders = entries.flatMap(({ checkpoint }): (BlobRoot & { files: CheckpointFile[] })[] => {
    const place = checkpoint && folderAt(checkpoint, sources);
    const key = checkpoint && checkpointKey(checkpoint);
    if (!place || key === undefined || files.has(key)) return [];
    const found: CheckpointFile[] = [];
    files.set(key, found);
    return [{ ...place, files: found }];
  });
  const lines = readPart(context.store, standby.point.sealed, 'blobs');
  await visitFolders(folders, lines, context.topology.jobs.drain.request, (folder, line) => {
    folder.files.push({ path: belowFolder(folder, line), line });
  });
  return { standby, datastores: standby.datastores.map(placeOfDatastore), files };
}

function checkpointKey({ datastore, path }: LedgerCheckpoint): string {
  return `${datastore.toLowerCase()}/${path}`;
}

async function bring(
  { to, signal }: StepContext,
  { standby, datastores, files: known }: Opened,
  { checkpoint, successor, beat }: CheckpointToBring,
  limit: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Brought> {
  const { account, point } = standby;
  const { leave = [] } = checkpoint;
  const all = known.get(checkpointKey(checkpoint)) ?? [];
  const files = all.filter(({ path }) => !leave.includes(entryOf(path)));
  if (files.length !== checkpoint.files) {
    const missing = `recovery point ${point.sealed.id} has ${files.length} of its ${checkpoint.files} files`;
    return { missing, files: 0 };
  }
  const target = targetOf(checkpoint, standby, datastores);
  if (!target) return { missing: `${to.region} has no datastore in its own account "${account.name}"`, files: 0 };
  const { datastore, container } = target;
  const folder = checkpointFolder(successor, checkpoint.recoveryPoint);
  await ensureContainer(account.container(container), signal);
  const at = { standby, container, folder, signal, beat };
  const there = await listFolder(at);
  await forEachBounded(files, sideBySide, (file) =>
    limit(async () => {
      if (!there.has(file.path)) await copyFile(at, file);
      await beat();
    }),
  );
  const { equal, problem } = await compare(at, files, limit);
  if (problem !== undefined) return { missing: problem, files: equal };
  return { uri: datastoreUri(to.workspace, datastore, `${folder}/`), files: equal };
}

/**
 * Returns the checkpoint's datastore if it is in the standby's own account, as the copies are. Otherwise the one that
 * Azure makes.
 */
function targetOf(
  checkpoint: LedgerCheckpoint,
  { account, mapping }: Standby,
  datastores: readonly DatastorePlace[],
): { datastore: string; container: string } | undefined {
  const inAccount = (wanted: string) => {
    const blob = datastores.find(({ name }) => sameName(name, wanted))?.blob;
    return blob && sameName(blob.account, account.name) ? { datastore: wanted, container: blob.container } : undefined;
  };
  return inAccount(mapping.datastores?.[checkpoint.datastore] ?? checkpoint.datastore) ?? inAccount(ownDatastore);
}

interface CopyFolder {
  standby: Standby;
  container: string;
  folder: string;
  signal: AbortSignal;
  beat: () => Promise<void>;
}

/** Copies only where there is nothing yet. An existing file is compared, and never replaced. */
async function copyFile(
  { standby, container, folder, signal, beat }: CopyFolder,
  { path, line }: CheckpointFile,
): Promise<void> {
  const { account } = standby;
  await copyBlob({
    source: { account, container: replicaContainer, path: line.replica },
    listed: line,
    unchanging: true,
    target: { account, container, path: `${folder}/${path}` },
    signal,
    onBlock: beat,
  });
}

/** Files by path below the folder. Accounts with a hierarchical namespace create the folders above them. */
async function listFolder({ standby, container, folder, signal, beat }: CopyFolder): Promise<Map<string, ListedBlob>> {
  const found = new Map<string, ListedBlob>();
  for await (const blob of listBlobs(standby.account, container, folder, signal)) {
    if (!isFolderMarker(blob)) found.set(blob.path.slice(folder.length + 1), blob);
    await beat();
  }
  return found;
}

/** Lists the folder again and reads it: it must contain the checkpoint's files, equal, and nothing else. */
async function compare(
  at: CopyFolder,
  files: readonly CheckpointFile[],
  limit: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<{ equal: number; problem?: string }> {
  const there = await listFolder(at);
  const problems: string[] = [];
  await forEachBounded(files, sideBySide, (file) =>
    limit(async () => {
      const difference = await differenceOf(at, file, there.get(file.path));
      if (difference !== undefined) problems.push(`${file.path}: ${difference}`);
    }),
  );
  const equal = files.length - problems.length;
  const wanted = new Set(files.map(({ path }) => path));
  for (const path of there.keys())
    if (!wanted.has(path)) problems.push(`${path}: another process put it into ${at.folder}`);
  if (problems.length === 0) return { equal };
  const [first, ...others] = problems.toSorted();
  return { equal, problem: `${first}${others.length > 0 ? ` (and ${others.length} more)` : ''}` };
}

async function differenceOf(
  { standby, container, folder, signal, beat }: CopyFolder,
  { path, line }: CheckpointFile,
  there: ListedBlob | undefined,
): Promise<string | undefined> {
  const { sizeBytes, sha256 } = line;
  if (!there) {
    const actual = await readReplica({ line, account: standby.account, signal, beat });
    return actual === undefined || actual === gone
      ? `its copy ${line.replica} is gone`
      : `${actual}, expected ${sha256}`;
  }
  if (there.sizeBytes !== sizeBytes) return `${there.sizeBytes} bytes, expected ${sizeBytes}`;
  const address = { account: standby.account, container, path: `${folder}/${path}` };
  const digests = await hashBlob(address, { signal, onChunk: beat });
  if (typeof digests === 'string') return `${digests} while it was read`;
  return digests.sha256 === sha256 ? undefined : `sha256 ${digests.sha256}, expected ${sha256}`;
}
