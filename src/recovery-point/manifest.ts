/**
 * What a recovery point is made of. Large lists are parts (NDJSON, at most a few thousand lines each, named by their
 * digest, so that a late writer cannot alter one); `sealed.json` names them all and is written last.
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

/** As ARM answered it, without secrets: whatever it holds is kept. */
const RawResource = z.custom<ArmResource>(
  (value) => isObject(value) && typeof value['name'] === 'string' && isObject(value['properties']),
  'expected a resource with a name and properties',
);

/** A container or a version of one. */
export const AssetLine = z.strictObject({
  type: z.enum(assetTypeNames),
  name: z.string(),
  /** Absent: the container itself. */
  version: z.string().optional(),
  resource: RawResource,
});
export type AssetLine = z.infer<typeof AssetLine>;

export const UnitPlace = z.strictObject({
  /** `models/fraud/4`, `jobs/train-17`, `paths/DATASTORE/PATH`. */
  asset: z.string(),
  path: z.string(),
  class: z.enum(resourceClasses),
  /**
   * A job's checkpoints: only added to, so that a blob more is no change to what was listed; and not restored to this path, to which the
   * job may go on writing unseen.
   */
  growing: z.literal(true).optional(),
});
export type UnitPlace = z.infer<typeof UnitPlace>;

/** Blobs that are listed and copied together: disjoint from every other unit, and covering whole assets. */
export const Unit = z.strictObject({
  account: z.string(),
  container: z.string(),
  /** Without a trailing slash: the blob of that name and everything below it; '' is the whole container. */
  path: z.string(),
  places: z.array(UnitPlace),
});
export type Unit = z.infer<typeof Unit>;

export const BlobLine = z.strictObject({
  /** Assets the blob belongs to. */
  assets: z.array(z.string()),
  /** Which restore it to its own path; none: it is only a job's checkpoint. */
  classes: z.array(z.enum(resourceClasses)),
  /** Path of the unit it was copied with. */
  unit: z.string(),
  account: z.string(),
  container: z.string(),
  path: z.string(),
  /** Of the source, when it was copied. Without quotes. */
  etag: z.string(),
  sizeBytes: Count,
  /** When the source was written (ISO 8601). */
  writtenAt: z.string().optional(),
  sha256: z.string(),
  /** Base64. */
  md5: z.string(),
  /** The blob in the replica container of the standby. */
  replica: z.string(),
  contentType: z.string().optional(),
  contentEncoding: z.string().optional(),
  contentLanguage: z.string().optional(),
  contentDisposition: z.string().optional(),
  cacheControl: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type BlobLine = z.infer<typeof BlobLine>;

export const FuzzyLine = z.strictObject({
  assets: z.array(z.string()),
  account: z.string(),
  container: z.string(),
  path: z.string(),
  /** As last listed; absent: gone. */
  etag: z.string().optional(),
  /** Whether some version of it is in the recovery point. */
  copied: z.boolean(),
  /** Added to a growing folder after that was listed: left to the next recovery point, and counted nowhere. */
  late: z.literal(true).optional(),
});
export type FuzzyLine = z.infer<typeof FuzzyLine>;

/** What the lines of a part are. */
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
  /** Unfinished jobs as ARM answered them. */
  'raw-jobs': RawResource,
  /** The job ledger, as it was sealed. */
  jobs: LedgerEntry,
  /** Where outputs that assets and jobs name (`azureml://jobs/…/outputs/…`, `runs:/…`) were copied from. */
  'job-outputs': JobOutputLine,
  /** What was to be copied, and for whom. */
  units: Unit,
  blobs: BlobLine,
  /** Blobs that changed while they were copied. */
  fuzzy: FuzzyLine,
};
export type PartKind = keyof typeof partLines;
export type PartLines = { [K in PartKind]: z.infer<(typeof partLines)[K]> };

export const Part = z.strictObject({
  kind: z.enum(Object.keys(partLines) as PartKind[]),
  /** Below the recovery point's folder: `inventory/models-0001-1f2e….ndjson`. */
  name: z.string(),
  /** Of the part's bytes, hex. */
  sha256: z.string(),
  /** Lines. */
  count: Count,
  bytes: Count,
});
export type Part = z.infer<typeof Part>;

/** A secret in the escrow vault: never its value. */
export const SecretRef = z.strictObject({
  kind: z.enum(['datastore', 'connection', 'endpoint']),
  name: z.string(),
  secret: z.string(),
  version: z.string(),
});
export type SecretRef = z.infer<typeof SecretRef>;

/** Something that was left behind, and why. */
export const LeftBehind = z.strictObject({
  /** The topology asks for it: no loss. */
  chosen: z.literal(true).optional(),
  kind: z.string(),
  reason: z.string(),
  count: Count,
  /** A few of them. */
  examples: z.array(z.string()),
});
export type LeftBehind = z.infer<typeof LeftBehind>;

/** Where the blobs of a recovery point are kept: the standby's own account. */
export const Replica = z.strictObject({
  accountId: z.string(),
  account: z.string(),
  container: z.string(),
});
export type Replica = z.infer<typeof Replica>;

export const FuzzyAsset = z.strictObject({
  asset: z.string(),
  /** How many of its blobs changed. */
  blobs: Count,
});
export type FuzzyAsset = z.infer<typeof FuzzyAsset>;

export const SummaryBody = RecoveryPointSummary.omit({ ref: true });
export type SummaryBody = z.infer<typeof SummaryBody>;

/** What `sealed.json` holds besides its digest, its version and the release that wrote it. */
const SealedContent = z.strictObject({
  id: z.string(),
  epoch: z.int().min(1),
  region: z.string(),
  workspace: SourceWorkspace,
  /** When its listing began (ISO 8601): RPO is measured from here. */
  startedAt: z.string(),
  sealedAt: z.string(),
  /** The run that made it. */
  run: z.string(),
  parts: z.array(Part),
  accounts: z.array(SourceAccount),
  /** Storage accounts that datastores name and that are outside the region: both sides read them where they are. */
  shared: z.array(z.string()),
  /** What both sides used when it was made. */
  sharing: Sharing,
  replica: Replica,
  fuzzy: z.array(FuzzyAsset),
  secrets: z.array(SecretRef),
  leftBehind: z.array(LeftBehind),
  summary: SummaryBody,
});
export type SealedContent = z.infer<typeof SealedContent>;

/** `sealed.json` */
export const SealedManifest = SealedContent.extend({
  /** Of all the rest but version and release: sha256 hex of its canonical JSON. */
  digest: z.string(),
});
export type SealedManifest = z.infer<typeof SealedManifest>;

export interface OpenRecoveryPoint {
  ref: RecoveryPointRef;
  sealed: SealedManifest;
}

export const replicaContainer = 'understudy-replica';

export function folderOf(epoch: number, id: string): string {
  return `epochs/${epoch}/recovery-points/${id}`;
}

/** `2026-11-21T10-00-00.000Z-e1` */
export function recoveryPointId(startedAt: string, epoch: number): string {
  return `${startedAt.replaceAll(':', '-')}-e${epoch}`;
}

/** The epoch that an id of `recoveryPointId` ends with; undefined for anything else. */
export function epochOf(id: string): number | undefined {
  const match = /^[0-9TZ.-]+-e(\d+)$/.exec(id);
  return match ? Number(match[1]) : undefined;
}

/**
 * The order of units, of blobs in a recovery point and of nothing else: by path segments, so that a folder's blobs stand together
 * (`p/a` before `p-x`), which the plain order of strings does not give.
 */
export function orderKey(account: string, container: string, path: string): string {
  return `${account}/${container}/${path}`.replaceAll('/', '\0');
}

/** Whether `path` is `root` or below it. */
export function covers(root: string, path: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`);
}
