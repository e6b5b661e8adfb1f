/**
 * What a recovery point consists of. Large lists are split into parts (NDJSON, at most a few thousand lines each),
 * named by their digest so that a late writer cannot alter one. `sealed.json` names them all and is written last.
 */
import { z } from 'zod';
import type { ArmResource } from '../azure/azure.ts';
import { isObject } from '../azure/body/json.ts';
import { LedgerEntry } from '../ledger/ledger.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { Sharing } from '../workspace/sharing.ts';
import { resourceClasses } from '../topology/words.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import { JobOutputLine } from '../workspace/jobs/job-outputs.ts';
import { SourceAccount } from '../workspace/source-account.ts';
import { SourceWorkspace } from '../workspace/workspace.ts';

const Count = z.int().nonnegative();

/** A resource as ARM returned it, without secrets. All other fields are kept. */
const RawResource = z.custom<ArmResource>(
  (value) => isObject(value) && typeof value['name'] === 'string' && isObject(value['properties']),
  'expected a resource with a name and properties',
);

/** An asset container, or a version of one. */
export const AssetLine = z.strictObject({
  type: z.enum(assetTypeNames),
  name: z.string(),
  /** Absent for the container itself. */
  version: z.string().optional(),
  resource: RawResource,
});
export type AssetLine = z.infer<typeof AssetLine>;

/** A path in a unit, and the asset that needs it. */
export const UnitPlace = z.strictObject({
  /** `models/fraud/4`, `jobs/train-17`, `paths/DATASTORE/PATH`. */
  asset: z.string(),
  path: z.string(),
  class: z.enum(resourceClasses),
  /**
   * A job's checkpoints, which are only added to. An additional blob is therefore no change to what was listed. They
   * are not restored to this path, because the job may still be writing there unseen.
   */
  growing: z.literal(true).optional(),
});
export type UnitPlace = z.infer<typeof UnitPlace>;

/** Blobs that are listed and copied together. Units never overlap, and each covers whole assets. */
export const Unit = z.strictObject({
  account: z.string(),
  container: z.string(),
  /** Without a trailing slash: the blob of that name and everything below it. '' is the whole container. */
  path: z.string(),
  places: z.array(UnitPlace),
});
export type Unit = z.infer<typeof Unit>;

/** A blob and its replica. */
export const BlobLine = z.strictObject({
  /** Assets that the blob belongs to. */
  assets: z.array(z.string()),
  /** Classes that restore it to its own path. None if it is only a job's checkpoint. */
  classes: z.array(z.enum(resourceClasses)),
  /** Path of the unit that it was copied with. */
  unit: z.string(),
  account: z.string(),
  container: z.string(),
  path: z.string(),
  /** Of the source when it was copied, without quotes. */
  etag: z.string(),
  sizeBytes: Count,
  /** When the source was last written (ISO 8601). */
  writtenAt: z.string().optional(),
  sha256: z.string(),
  /** Base64. */
  md5: z.string(),
  /** Name of the blob in the standby's replica container. */
  replica: z.string(),
  contentType: z.string().optional(),
  contentEncoding: z.string().optional(),
  contentLanguage: z.string().optional(),
  contentDisposition: z.string().optional(),
  cacheControl: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type BlobLine = z.infer<typeof BlobLine>;

/** A blob that changed while it was copied. */
export const FuzzyLine = z.strictObject({
  assets: z.array(z.string()),
  account: z.string(),
  container: z.string(),
  path: z.string(),
  /** As last listed. Absent if the blob is gone. */
  etag: z.string().optional(),
  /** Whether the recovery point has some version of it. */
  copied: z.boolean(),
  /** Added to a growing folder after that was listed. Left to the next recovery point, and not counted. */
  late: z.literal(true).optional(),
});
export type FuzzyLine = z.infer<typeof FuzzyLine>;

/** The schema of the lines of each kind of part. */
export const partLines = {
  codes: AssetLine,
  environments: AssetLine,
  models: AssetLine,
  data: AssetLine,
  components: AssetLine,
  datastores: RawResource,
  connections: RawResource,
  schedules: RawResource,
  endpoints: RawResource,
  deployments: RawResource,
  computes: RawResource,
  /** Unfinished jobs as ARM returned them. */
  'raw-jobs': RawResource,
  /** The job ledger as it was sealed. */
  jobs: LedgerEntry,
  /** Where outputs that assets and jobs name (`azureml://jobs/…/outputs/…`, `runs:/…`) were copied from. */
  'job-outputs': JobOutputLine,
  /** What had to be copied, and for which assets. */
  units: Unit,
  blobs: BlobLine,
  /** Blobs that changed while they were copied. */
  fuzzy: FuzzyLine,
};
/** A kind of part. */
export type PartKind = keyof typeof partLines;
/** The type of a line, by kind of part. */
export type PartLines = { [K in PartKind]: z.infer<(typeof partLines)[K]> };

/** One NDJSON file of a recovery point. */
export const Part = z.strictObject({
  kind: z.enum(Object.keys(partLines) as PartKind[]),
  /** Path below the recovery point's folder: `inventory/models-0001-1f2e….ndjson`. */
  name: z.string(),
  /** Hex digest of the part's bytes. */
  sha256: z.string(),
  /** Number of lines. */
  count: Count,
  bytes: Count,
});
export type Part = z.infer<typeof Part>;

/** A secret in the escrow vault. Never contains its value. */
export const SecretRef = z.strictObject({
  kind: z.enum(['datastore', 'connection', 'endpoint']),
  name: z.string(),
  secret: z.string(),
  version: z.string(),
});
export type SecretRef = z.infer<typeof SecretRef>;

/** Something that was left behind, and why. */
export const LeftBehind = z.strictObject({
  /** The topology asks to leave it behind, so it is not a loss. */
  chosen: z.literal(true).optional(),
  kind: z.string(),
  reason: z.string(),
  count: Count,
  /** A few examples. */
  examples: z.array(z.string()),
});
export type LeftBehind = z.infer<typeof LeftBehind>;

/** Where the blobs of a recovery point are kept: in the standby's own account. */
export const Replica = z.strictObject({
  accountId: z.string(),
  account: z.string(),
  container: z.string(),
});
export type Replica = z.infer<typeof Replica>;

/** An asset with fuzzy blobs. */
export const FuzzyAsset = z.strictObject({
  asset: z.string(),
  /** How many of its blobs changed. */
  blobs: Count,
});
export type FuzzyAsset = z.infer<typeof FuzzyAsset>;

/** The summary without the reference to its recovery point. */
export const SummaryBody = RecoveryPointSummary.omit({ ref: true });
export type SummaryBody = z.infer<typeof SummaryBody>;

/** What `sealed.json` contains besides its digest, its version and the release that wrote it. */
const SealedContent = z.strictObject({
  id: z.string(),
  epoch: z.int().min(1),
  region: z.string(),
  workspace: SourceWorkspace,
  /** When its listing began (ISO 8601). RPO is measured from here. */
  startedAt: z.string(),
  sealedAt: z.string(),
  /** The run that made it. */
  run: z.string(),
  parts: z.array(Part),
  accounts: z.array(SourceAccount),
  /** Storage accounts outside the region that datastores name. Both sides read them in place. */
  shared: z.array(z.string()),
  /** What both sides shared when it was made. */
  sharing: Sharing,
  replica: Replica,
  fuzzy: z.array(FuzzyAsset),
  secrets: z.array(SecretRef),
  leftBehind: z.array(LeftBehind),
  summary: SummaryBody,
  /** A divergence point: of a region that is not the writer, as it was found. Nothing restores it by itself. */
  divergence: z.literal(true).optional(),
});
export type SealedContent = z.infer<typeof SealedContent>;

/** `sealed.json` */
export const SealedManifest = SealedContent.extend({
  /** sha256 hex of the canonical JSON of everything else except version and release. */
  digest: z.string(),
});
export type SealedManifest = z.infer<typeof SealedManifest>;

/** A sealed recovery point that was read and checked. */
export interface OpenRecoveryPoint {
  ref: RecoveryPointRef;
  sealed: SealedManifest;
}

/** The container in the standby's account that has the replicas. */
export const replicaContainer = 'understudy-replica';

/** The folder of a recovery point in the control store. */
export function folderOf(epoch: number, id: string): string {
  return `epochs/${epoch}/recovery-points/${id}`;
}

/** Example: `2026-11-21T10-00-00.000Z-e1`. */
export function recoveryPointId(startedAt: string, epoch: number): string {
  return `${startedAt.replaceAll(':', '-')}-e${epoch}`;
}

/** Returns the epoch at the end of an id that `recoveryPointId` made. Undefined for anything else. */
export function epochOf(id: string): number | undefined {
  const match = /^[0-9TZ.-]+-e(\d+)$/.exec(id);
  return match ? Number(match[1]) : undefined;
}

/**
 * Sort key of units and blobs in a recovery point. Compares path segments, so that a folder's blobs stay together
 * (`p/a` before `p-x`). Plain string order does not do that.
 */
export function orderKey(account: string, container: string, path: string): string {
  return `${account}/${container}/${path}`.replaceAll('/', '\0');
}

/** Every root that covers a path, the shortest first: of `a/b`, '', `a` and `a/b`. */
export function rootsOf(path: string): string[] {
  const roots = [''];
  for (let at = 0; at !== -1;) {
    at = path.indexOf('/', at + 1);
    roots.push(at === -1 ? path : path.slice(0, at));
  }
  return roots;
}

/** Whether `path` is `root` or below it. */
export function covers(root: string, path: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`);
}
