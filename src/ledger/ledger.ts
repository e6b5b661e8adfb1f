/**
 * The job ledger. A line of it (`LedgerEntry`) is one unfinished job as a recovery point saw it. The job's document in
 * the control store (`ledger/{lineage root}.json`) also records its successors. A successor's name is a function of
 * lineage root and hop, and the hop increases only by compare-and-swap, so each job has at most one successor.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { sameName } from '../azure/ids.ts';
import type { Side } from '../topology/sides.ts';
import { WorkspaceRef } from '../topology/topology.ts';
import { PassedOver } from './whole-checkpoint.ts';
import { describeJob } from '../workspace/describe-job.ts';
import { JobDescription } from '../run/work/job-platform.ts';
import { createdAt, originTags, ownerOf, statusOf, tagsOf, typeOf, type RawJob } from '../workspace/jobs/job.ts';

/** The folder of the control store that has the sealed full job specs. */
export const specFolder = 'job-specs';

/** The last complete checkpoint of a job in a recovery point. See `whole-checkpoint.ts`. */
const LedgerCheckpoint = z.strictObject({
  datastore: z.string(),
  /** The folder of the checkpoints, below the datastore's container: the job's own, or the one that it resumed from. */
  path: z.string(),
  /** Name of the checkpoint in the folder. Absent if the whole folder is one checkpoint. */
  name: z.string().optional(),
  /**
   * When it was written (ISO 8601). Later work is in no copy. Absent if the job has written none since it resumed from
   * this one.
   */
  writtenAt: z.string().optional(),
  /** Its last file by time written, below `path`. */
  lastFile: z.string(),
  /** How many files of the folder are copied with it. */
  files: z.int().nonnegative(),
  /** Entries of the folder that are incomplete and not copied. */
  leave: z.array(z.string()).optional(),
  /** Id of the recovery point that has the copies. */
  recoveryPoint: z.string(),
});
export type LedgerCheckpoint = z.infer<typeof LedgerCheckpoint>;

const Hop = z.int().nonnegative();

/** An unfinished job as a recovery point saw it. */
export const LedgerEntry = z.strictObject({
  lineageRoot: z.string(),
  /** 0 for the job that its owner submitted, n for its n-th successor. */
  hop: Hop,
  workspace: WorkspaceRef,
  region: z.string(),
  name: z.string(),
  type: z.string(),
  /** Status at `lastSeenAt` (ISO 8601). */
  status: z.string(),
  lastSeenAt: z.string(),
  /** Digest of the whole job, sealed in `job-specs/`. */
  spec: z.string(),
  createdAt: z.string().optional(),
  displayName: z.string().optional(),
  owner: z.string().optional(),
  /** Value of its tag `priority`. */
  priority: z.string().optional(),
  checkpoint: LedgerCheckpoint.optional(),
  /** A newer checkpoint that was incomplete. */
  passedOver: PassedOver.optional(),
  /** Platform-independent description. Absent if an earlier release made the recovery point. */
  description: JobDescription.optional(),
  /** How many GPUs it uses while it runs. Absent if not known. */
  gpus: z.number().nonnegative().optional(),
  /** The run whose fence cancelled it, if that run was itself cancelled: it has no successor. */
  cancelledBy: z.string().optional(),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

const settledAs = ['lost', 'cancelled', 'finished'] as const;

const Settlement = z.strictObject({
  /** `cancelled`: seen canceled. `lost`: nobody saw it end, so it may still be running. */
  as: z.enum(settledAs),
  /** ISO 8601. */
  at: z.string(),
  reason: z.string(),
});
export type Settlement = z.infer<typeof Settlement>;

const Successor = z.strictObject({
  hop: Hop,
  name: z.string(),
  region: z.string(),
  run: z.string(),
  state: z.enum(['planned', 'submitted', ...settledAs]),
  /** Name of the job that it replaces, and how that was settled. */
  predecessor: z.string(),
  settled: Settlement,
});
export type Successor = z.infer<typeof Successor>;

const LedgerDocument = z.strictObject({
  /** The job as it was last seen. */
  entry: LedgerEntry,
  successors: z.array(Successor),
});
export type LedgerDocument = z.infer<typeof LedgerDocument>;

const ledgers = documentKind('job ledger', 2, LedgerDocument);

/** What a ledger entry is made from. */
export interface ToLedgerEntry {
  job: RawJob;
  side: Pick<Side, 'region' | 'workspace'>;
  /** When the job was read (ISO 8601). */
  lastSeenAt: string;
  /** Digest of the job sealed in `specFolder`. */
  spec: string;
  checkpoint?: LedgerCheckpoint | undefined;
  passedOver?: PassedOver | undefined;
  gpus?: number | undefined;
  cancelledBy?: string | undefined;
}

/** Makes the ledger entry of an unfinished job. */
export function toLedgerEntry({
  job,
  side,
  lastSeenAt,
  spec,
  checkpoint,
  passedOver,
  gpus,
  cancelledBy,
}: ToLedgerEntry): LedgerEntry {
  const optional = {
    createdAt: createdAt(job),
    displayName: typeof job.properties['displayName'] === 'string' ? job.properties['displayName'] : undefined,
    owner: ownerOf(job),
    description: describeJob(job),
    priority: tagsOf(job)['priority'],
    checkpoint,
    passedOver,
    gpus,
    cancelledBy,
  };
  return {
    ...lineageOf(job, side),
    workspace: side.workspace,
    region: side.region,
    name: job.name,
    type: typeOf(job),
    status: statusOf(job),
    lastSeenAt,
    spec,
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ) as Partial<LedgerEntry>),
  };
}

type Lineage = Pick<LedgerEntry, 'lineageRoot' | 'hop'>;

/** Returns the lineage of a job: that of a successor by its tags, otherwise a new one. */
export function lineageOf(job: RawJob, { region, workspace }: ToLedgerEntry['side']): Lineage {
  return lineageOfSuccessor(job) ?? { lineageRoot: `${region}.${workspace.name}.${job.name}`, hop: 0 };
}

/** Tags are copied when a person clones a job, so they count only if the name matches them. */
export function lineageOfSuccessor(job: RawJob): Lineage | undefined {
  const tags = tagsOf(job);
  const lineageRoot = tags[originTags.lineage];
  const hop = Number(tags[originTags.hop]);
  const isProved =
    lineageRoot !== undefined && Number.isInteger(hop) && sameName(successorName(lineageRoot, hop), job.name);
  return isProved ? { lineageRoot, hop } : undefined;
}

/**
 * Returns the name under which the owner submitted the original of this successor. Returns nothing for the original
 * itself.
 */
export function submittedAs(lineage: Lineage | undefined): { submittedAs?: string } {
  const { lineageRoot = '', hop = 0 } = lineage ?? {};
  // Names of regions and workspaces contain no dots.
  return hop === 0 ? {} : { submittedAs: lineageRoot.split('.').slice(2).join('.') };
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** 27 characters that Azure accepts as a job's name: `us-` and 120 bits of a SHA-256. */
export function successorName(lineageRoot: string, hop: number): string {
  const digest = createHash('sha256').update(`${lineageRoot}\n${hop}`).digest();
  const letters = Array.from({ length: 24 }, (_, index) => {
    const bit = index * 5;
    const pair = ((digest[bit >> 3] ?? 0) << 8) | (digest[(bit >> 3) + 1] ?? 0);
    return base32[(pair >> (11 - (bit & 7))) & 31];
  });
  return `us-${letters.join('')}`;
}

/** Returns the name of a job's document in the control store. */
export function ledgerName(lineageRoot: string): string {
  return `ledger/${lineageRoot}.json`;
}

/** The successor to plan. */
export interface PlanSuccessor {
  entry: LedgerEntry;
  to: string;
  run: string;
  /** How the predecessor was settled. Required for the hop to increase. */
  settled: Settlement;
  /** Hop of a successor in `to` that is known to have ended. The next one is planned unless it exists. */
  ended?: number;
}

/**
 * Returns the one successor of a job in region `to`: the one in the ledger, or a new one at the next hop.
 * Errors: ControlStoreError if the ledger cannot be read, or changes faster than it can be written.
 */
export async function planSuccessor(store: ControlStore, plan: PlanSuccessor): Promise<Successor> {
  const { entry, to, run, settled, ended = -1 } = plan;
  return change(store, entry.lineageRoot, (found) => {
    const document = found ?? { entry, successors: [] };
    const last = document.successors.findLast(({ hop }) => hop > entry.hop);
    if (last && last.region === to && last.hop > ended) return { document: undefined, result: last };
    const hop = (last?.hop ?? entry.hop) + 1;
    const predecessor = last?.name ?? entry.name;
    const name = successorName(entry.lineageRoot, hop);
    const successor: Successor = { hop, name, region: to, run, state: 'planned', predecessor, settled };
    const earlier = document.successors.map((each) =>
      each.hop === hop - 1 && !isSettled(each) ? { ...each, state: settled.as } : each,
    );
    return { document: { ...document, entry, successors: [...earlier, successor] }, result: successor };
  });
}

/**
 * Returns the successor with which a job's lineage came back to the job's own region. The job itself may still be
 * running there unseen, and what it has written since is another history.
 */
export async function cameBack(store: ControlStore, entry: LedgerEntry): Promise<Successor | undefined> {
  const found = await ledgers.read(store, ledgerName(entry.lineageRoot));
  return found?.value.successors.findLast(({ hop, region }) => hop > entry.hop && region === entry.region);
}

/** Returns the last successor of a job in its ledger. */
export async function lastSuccessor(
  store: ControlStore,
  { lineageRoot, hop }: Pick<LedgerEntry, 'lineageRoot' | 'hop'>,
): Promise<Successor | undefined> {
  const found = await ledgers.read(store, ledgerName(lineageRoot));
  return found?.value.successors.findLast((each) => each.hop > hop);
}

/** Records that a planned successor exists. */
export async function markSubmitted(store: ControlStore, lineageRoot: string, hop: number): Promise<void> {
  await change(store, lineageRoot, (found) => {
    const successor = found?.successors.find((each) => each.hop === hop);
    if (!found || !successor) {
      throw new UnderstudyError(
        'ControlStoreError',
        `${ledgerName(lineageRoot)}: successor ${hop} was planned there and is gone`,
      );
    }
    if (successor.state !== 'planned') return { document: undefined, result: undefined };
    const successors = found.successors.map((each) =>
      each.hop === hop ? { ...each, state: 'submitted' as const } : each,
    );
    return { document: { ...found, successors }, result: undefined };
  });
}

function isSettled({ state }: Successor): boolean {
  return state === 'lost' || state === 'cancelled' || state === 'finished';
}

const attempts = 20;

async function change<T>(
  store: ControlStore,
  lineageRoot: string,
  next: (found: LedgerDocument | undefined) => { document: LedgerDocument | undefined; result: T },
): Promise<T> {
  const name = ledgerName(lineageRoot);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await ledgers.read(store, name);
    const { document, result } = next(found?.value);
    if (document === undefined || (await ledgers.swap(store, name, document, found?.etag))) return result;
  }
  throw new UnderstudyError(
    'ControlStoreError',
    `${name} was changed by another run ${attempts} times while it was written`,
    {
      next: 'See that no second run resubmits jobs, then "understudy retry" this one.',
    },
  );
}
