/**
 * What a recovery point is made of. Large lists are parts (NDJSON, at most a few thousand lines each, named by their
 * digest, so that a late writer cannot alter one); `sealed.json` names them all and is written last.
 */
import type { ArmResource } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import type { Container, Sharing } from '../sharing/sharing.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import type { ResourceClass } from '../topology/words.ts';
import type { AssetType } from './asset-types.ts';

/** What the lines of a part are. `ArmResource` lines are as ARM answered them, without secrets. */
export interface PartLines {
  codes: AssetLine;
  environments: AssetLine;
  models: AssetLine;
  data: AssetLine;
  components: AssetLine;
  datastores: ArmResource;
  connections: ArmResource;
  schedules: ArmResource;
  endpoints: ArmResource;
  deployments: ArmResource;
  computes: ArmResource;
  /** Unfinished jobs as ARM answered them. */
  'raw-jobs': ArmResource;
  /** The job ledger, as it was sealed (`LedgerEntry` of src/jobs). */
  jobs: unknown;
  /** Where outputs that assets and jobs name (`azureml://jobs/…/outputs/…`, `runs:/…`) were copied from. */
  'job-outputs': JobOutputLine;
  /** What was to be copied, and for whom. */
  units: Unit;
  blobs: BlobLine;
  /** Blobs that changed while they were copied. */
  fuzzy: FuzzyLine;
}
export type PartKind = keyof PartLines;

export interface Part {
  kind: PartKind;
  /** Below the recovery point's folder: `inventory/models-0001-1f2e….ndjson`. */
  name: string;
  /** Of the part's bytes, hex. */
  sha256: string;
  /** Lines. */
  count: number;
  bytes: number;
}

/** A container or a version of one. */
export interface AssetLine {
  type: AssetType;
  name: string;
  /** Absent: the container itself. */
  version?: string;
  resource: ArmResource;
}

export interface JobOutputLine {
  job: string;
  /** MLflow's run artifacts are the output `artifacts`. */
  output: string;
  datastore: string;
  path: string;
}

/** Blobs that are listed and copied together: disjoint from every other unit, and covering whole assets. */
export interface Unit {
  account: string;
  container: string;
  /** Without a trailing slash: the blob of that name and everything below it; '' is the whole container. */
  path: string;
  places: UnitPlace[];
}

export interface UnitPlace {
  /** `models/fraud/4`, `jobs/train-17`, `paths/DATASTORE/PATH`. */
  asset: string;
  path: string;
  class: ResourceClass;
  /**
   * A job's checkpoints: only added to, so that a blob more is no change to what was listed; and not restored to this path, to which the
   * job may go on writing unseen.
   */
  growing?: true;
}

export interface BlobLine {
  /** Assets the blob belongs to. */
  assets: string[];
  /** Which restore it to its own path; none: it is only a job's checkpoint. */
  classes: ResourceClass[];
  /** Path of the unit it was copied with. */
  unit: string;
  account: string;
  container: string;
  path: string;
  /** Of the source, when it was copied. Without quotes. */
  etag: string;
  sizeBytes: number;
  /** When the source was written (ISO 8601). */
  writtenAt?: string;
  sha256: string;
  /** Base64. */
  md5: string;
  /** The blob in the replica container of the standby. */
  replica: string;
  contentType?: string;
  contentEncoding?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  metadata?: Record<string, string>;
}

export interface FuzzyLine {
  assets: string[];
  account: string;
  container: string;
  path: string;
  /** As last listed; absent: gone. */
  etag?: string;
  /** Whether some version of it is in the recovery point. */
  copied: boolean;
  /** Added to a growing folder after that was listed: left to the next recovery point, and counted nowhere. */
  late?: true;
}

export interface SourceAccount {
  name: string;
  id: string;
  endpoint: string;
  /** The workspace's own account: container names are kept in the standby. */
  own: boolean;
  /** Containers that the standby has as a datastore, too: read where they are, and not copied but for jobs' checkpoints. */
  shared?: string[];
}

/** Whether what a container holds is brought to the standby, and not read where it is. */
export function isCopied(accounts: readonly SourceAccount[], { account, container }: Container): boolean {
  const found = accounts.find(({ name }) => sameName(name, account));
  return found !== undefined && found.shared?.includes(container) !== true;
}

/** A secret in the escrow vault: never its value. */
export interface SecretRef {
  kind: 'datastore' | 'connection' | 'endpoint';
  name: string;
  secret: string;
  version: string;
}

/** Something that was left behind, and why. */
export interface LeftBehind {
  /** The topology asks for it: no loss. */
  chosen?: true;
  kind: string;
  reason: string;
  count: number;
  /** A few of them. */
  examples: string[];
}

export interface SourceWorkspace extends WorkspaceRef {
  guid: string;
  location: string;
  /** ARM ids of what belongs to it: `storageAccount`, `keyVault`, `applicationInsights`, `containerRegistry`. */
  associated: Record<string, string>;
}

/** Where the blobs of a recovery point are kept: the standby's own account. */
export interface Replica {
  accountId: string;
  account: string;
  container: string;
}

export interface FuzzyAsset {
  asset: string;
  /** How many of its blobs changed. */
  blobs: number;
}

export type SummaryBody = Omit<RecoveryPointSummary, 'ref'>;

/** What `sealed.json` holds besides its digest. */
export interface SealedContent {
  version: 1;
  id: string;
  epoch: number;
  region: string;
  workspace: SourceWorkspace;
  /** When its listing began (ISO 8601): RPO is measured from here. */
  startedAt: string;
  sealedAt: string;
  /** The run that made it. */
  run: string;
  parts: Part[];
  accounts: SourceAccount[];
  /** Storage accounts that datastores name and that are outside the region: both sides read them where they are. */
  shared: string[];
  /** What both sides used when it was made. */
  sharing: Sharing;
  replica: Replica;
  fuzzy: FuzzyAsset[];
  secrets: SecretRef[];
  leftBehind: LeftBehind[];
  summary: SummaryBody;
}

/** `sealed.json` */
export interface SealedManifest extends SealedContent {
  /** Of all the rest: sha256 hex of its canonical JSON. */
  digest: string;
}

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
