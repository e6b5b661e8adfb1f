/** Chooses the last complete checkpoint of each unfinished job, from what was copied and what changed meanwhile. */
import type { ArmResource } from '../azure/azure.ts';
import { checkpointPlaces, wentOnFrom, type CheckpointPolicy } from '../workspace/jobs/checkpoint.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { CheckpointScan, type CheckpointRules, type Chosen } from '../ledger/whole-checkpoint.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { belowFolder, folderAt, visitFolders } from './checkpoint-lines.ts';
import { placeOfDatastore, type DatastorePlace } from '../workspace/datastores.ts';
import type { Copying, DraftPoint, Listing } from '../recovery-point/drafts.ts';
import type { BlobLine } from '../recovery-point/manifest.ts';
import { readLines } from '../recovery-point/parts.ts';
import type { BlobRoot } from '../workspace/places.ts';

interface Found {
  point: DraftPoint;
  listing: Listing;
  copying: Copying;
}

/** The last whole checkpoint of a job, and the newer one that is not. */
export type Choice = Pick<LedgerEntry, 'checkpoint' | 'passedOver'>;

/** A folder in which a job's last checkpoint may be. */
export interface CheckpointFolder extends BlobRoot {
  datastore: string;
  /** The folder that a successor was given: a copy that was found complete before it was submitted. */
  given: boolean;
  scan: CheckpointScan;
}

/** Returns, by job name, its last complete checkpoint, and the newer incomplete one, if there is one. */
export async function chooseCheckpoints(
  { store, topology }: StepContext,
  { point, listing, copying }: Found,
): Promise<(job: string) => Choice> {
  const { checkpoint: policy, drain } = topology.jobs;
  const quietSince = new Date(Date.parse(point.startedAt) - toSeconds(policy.quiet) * 1000).toISOString();
  const rules = { complete: policy.complete, quietSince };
  const datastores: DatastorePlace[] = [];
  for await (const each of readLines(store, point.folder, listing.parts, 'datastores'))
    datastores.push(placeOfDatastore(each));
  const folders = new Map<string, CheckpointFolder[]>();
  for await (const job of readLines(store, point.folder, listing.parts, 'raw-jobs'))
    folders.set(job.name, checkpointFolders(job, datastores, policy, rules));
  const all = [...folders.values()].flat();
  const copied = readLines(store, point.folder, copying.parts, 'blobs');
  await visitFolders(all, copied, drain.request, (folder, line) => {
    folder.scan.add({ path: belowFolder(folder, line), ...sizeAndTime(line) });
  });
  const unsteady = readLines(store, point.folder, copying.fuzzyParts, 'fuzzy');
  await visitFolders(all, unsteady, drain.request, (folder, line) => {
    folder.scan.unsteady(belowFolder(folder, line), line.copied);
  });
  return (job) => choiceOf(folders.get(job) ?? [], point.id);
}

/** The folders of a job's checkpoints: what it wrote itself, then what it resumed from. */
export function checkpointFolders(
  job: ArmResource,
  datastores: readonly DatastorePlace[],
  policy: CheckpointPolicy,
  rules: CheckpointRules,
): CheckpointFolder[] {
  const from = wentOnFrom(job, policy);
  return checkpointPlaces(job, policy).flatMap((place) => {
    const folder = folderAt(place, datastores);
    if (!folder) return [];
    const given = place.datastore === from?.datastore && place.path === from.path;
    return [{ ...folder, datastore: place.datastore, given, scan: new CheckpointScan(rules) }];
  });
}

/** What a scan needs to know of a blob, besides its path. */
export function sizeAndTime({ sizeBytes, writtenAt }: Pick<BlobLine, 'sizeBytes' | 'writtenAt'>) {
  return { sizeBytes, ...(writtenAt === undefined ? {} : { writtenAt }) };
}

/**
 * Prefers what the job wrote itself to what it resumed from. No progress is lost if two failovers follow each other.
 */
export function choiceOf(folders: readonly CheckpointFolder[], recoveryPoint: string): Choice {
  let passedOver: LedgerEntry['passedOver'];
  for (const { datastore, path, given, scan } of folders) {
    const chosen: Chosen = given ? scan.all() : scan.choose();
    passedOver ??= chosen.passedOver;
    const { whole } = chosen;
    if (!whole) continue;
    const { lastFile, files, leave, name, writtenAt } = whole;
    const checkpoint = {
      datastore,
      path,
      lastFile,
      files,
      recoveryPoint,
      ...(name === '' ? {} : { name }),
      // The time at which a given folder was copied tells nothing about the work in it.
      ...(given || writtenAt === '' ? {} : { writtenAt }),
      ...(leave.length > 0 ? { leave } : {}),
    };
    return { checkpoint, ...(passedOver ? { passedOver } : {}) };
  }
  return passedOver ? { passedOver } : {};
}
