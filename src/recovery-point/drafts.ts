/**
 * A recovery point before it is sealed. What each step of `replicate` found is sealed by digest below the recovery
 * point's folder, and the step's facts pass the digest on. A step that runs twice, or too late, therefore alters
 * nothing.
 */
import { z } from 'zod';
import { documentKind, type DocumentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Fact } from '../plan/facts.ts';
import { provided } from '../run/work/provided.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { Sharing } from '../workspace/sharing.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import {
  folderOf,
  FuzzyAsset,
  LeftBehind,
  Part,
  recoveryPointId,
  Replica,
  SecretRef,
  SummaryBody,
} from './manifest.ts';
import { SourceAccount } from '../workspace/source-account.ts';
import { SourceWorkspace } from '../workspace/workspace.ts';
import { Tally } from '../run/work/tally.ts';

/** Identifies a recovery point that is being made. */
export interface DraftPoint {
  id: string;
  epoch: number;
  startedAt: string;
  folder: string;
}

const Count = z.int().nonnegative();
const Counts = z.record(z.string(), Count);

/** What `listActive` found. */
const Listing = z.strictObject({
  workspace: SourceWorkspace,
  accounts: z.array(SourceAccount),
  shared: z.array(z.string()),
  sharing: Sharing,
  /** Folders and files that the standby reads in place. */
  foldersShared: Count,
  parts: z.array(Part),
  counts: Counts,
  leftBehind: z.array(LeftBehind),
  computes: SummaryBody.shape.computes,
  /** GPUs of the region's VM sizes. Absent if they could not be read. */
  gpus: z.record(z.string(), z.number()).optional(),
  endpoints: SummaryBody.shape.endpoints,
  jobs: Counts,
  /** Jobs that a fence cancelled for a run that was itself cancelled: name → run. */
  leftCancelled: z.record(z.string(), z.string()),
});
export type Listing = z.infer<typeof Listing>;

/** What `copyBlobs` has done. Also its cursor: `units` is then the number of units done so far. */
const Copying = z.strictObject({
  replica: Replica,
  units: Count,
  parts: z.array(Part),
  fuzzyParts: z.array(Part),
  fuzzy: z.array(FuzzyAsset),
  tally: Tally,
  /** Blobs in the units' own listings: `tally` must add up to this. */
  expected: Count,
  /** The part of `tally.bytes` that was not in the standby yet. */
  newBytes: Count,
  empty: z.strictObject({ count: Count, examples: z.array(z.string()) }),
});
export type Copying = z.infer<typeof Copying>;

/** What `escrowSecrets` has done. */
const Escrowed = z.strictObject({ secrets: z.array(SecretRef), leftBehind: z.array(LeftBehind) });

interface Drafts {
  listing: Listing;
  copying: Copying;
  escrowed: z.infer<typeof Escrowed>;
}

const draftKinds: { [Kind in keyof Drafts]: DocumentKind<Drafts[Kind]> } = {
  listing: documentKind('listing of a recovery point', 1, Listing),
  copying: documentKind('copying of a recovery point', 1, Copying),
  escrowed: documentKind('secrets of a recovery point', 1, Escrowed),
};

const BegunPoint = z.strictObject({ startedAt: z.string(), epoch: z.int().min(1) });
const begunPoints = documentKind('begun recovery point', 1, BegunPoint);

/** What the step provides that seals each draft. */
const factOf = {
  listing: 'listed',
  copying: 'copied',
  escrowed: 'escrowed',
} as const satisfies Record<keyof Drafts, string>;

/** Whether the step works on the divergence point of its run, and not on its recovery point. */
export function isOfDivergence({ step }: Pick<StepContext, 'step'>): boolean {
  return step.input.point === 'divergence';
}

function factFor(context: StepContext, kind: keyof Drafts): Fact {
  return isOfDivergence(context) ? `divergence.${factOf[kind]}` : `point.${factOf[kind]}`;
}

/**
 * Returns the recovery point of this run. Begins it now, unless an earlier attempt has. It belongs to the epoch in
 * which the plan was made, so a run that was fenced writes where nobody reads.
 */
export async function beginPoint(context: StepContext): Promise<DraftPoint> {
  const { store, run, plan } = context;
  const name = `runs/${run.runId}/${isOfDivergence(context) ? 'divergence' : 'recovery'}-point.json`;
  const found = await begunPoints.read(store, name);
  if (found) return draftPoint(found.value);
  const begun = { startedAt: context.now().toISOString(), epoch: plan.madeInEpoch };
  if (await begunPoints.swap(store, name, begun, undefined)) return draftPoint(begun);
  const other = await begunPoints.read(store, name);
  return draftPoint(other?.value ?? begun);
}

function draftPoint({ startedAt, epoch }: { startedAt: string; epoch: number }): DraftPoint {
  const id = recoveryPointId(startedAt, epoch);
  return { id, epoch, startedAt, folder: folderOf(epoch, id) };
}

/** Seals what a step found. Returns the fact that passes it on. */
export async function sealDraft<K extends keyof Drafts>(
  context: StepContext,
  point: DraftPoint,
  kind: K,
  value: Drafts[K],
): Promise<Record<string, string>> {
  const digest = await draftKinds[kind].seal(context.store, draftFolder(point), value);
  return { recoveryPoint: point.id, [kind]: digest };
}

/**
 * Reads a draft by the digest that `sealDraft` returned.
 * Errors: ControlStoreError if it is missing, or not what was sealed.
 */
export async function readDraft<K extends keyof Drafts>(
  store: ControlStore,
  point: DraftPoint,
  kind: K,
  digest: string,
): Promise<Drafts[K]> {
  return draftKinds[kind].open(store, draftFolder(point), digest);
}

function draftFolder({ folder }: DraftPoint): string {
  return `${folder}/drafts`;
}

/**
 * Reads what an earlier step of this run sealed.
 * Errors: ControlStoreError if that step sealed nothing.
 */
export async function openDraft<K extends keyof Drafts>(
  context: StepContext,
  point: DraftPoint,
  kind: K,
): Promise<Drafts[K]> {
  const fact = factFor(context, kind);
  const [outcome] = await provided(context, fact);
  const digest = outcome?.facts?.[kind];
  if (typeof digest !== 'string') {
    throw new UnderstudyError(
      'ControlStoreError',
      `step "${context.step.id}" of run "${context.run.runId}" needs "${fact}", and no step has sealed it`,
      { next: 'Start a new run.' },
    );
  }
  return readDraft(context.store, point, kind, digest);
}

/**
 * How many references to missing things are kept. Only their names tell them apart, so all are kept, up to what a
 * manifest can hold.
 */
export const mostReferences = 1000;

/** For every other kind a few examples are enough: the workspace lists the rest. */
function mostNamed(kind: string): number {
  return kind === 'references' || kind === 'images' ? mostReferences : 5;
}

/** Collects what is left behind, by kind and reason, with a few examples each. */
export function leftBehindList(): {
  add(kind: string, reason: string, example: string): void;
  /** Adds what the topology asks to leave behind. */
  addChosen(kind: string, reason: string, example: string, count: number): void;
  all(): LeftBehind[];
} {
  const found = new Map<string, LeftBehind>();
  const add = (entry: Omit<LeftBehind, 'examples'>, example: string) => {
    const key = `${entry.kind}\n${entry.reason}`;
    const known = found.get(key) ?? { ...entry, count: 0, examples: [] };
    known.count += entry.count;
    if (known.examples.length < mostNamed(entry.kind) && !known.examples.includes(example))
      known.examples.push(example);
    found.set(key, known);
  };
  return {
    add: (kind, reason, example) => add({ kind, reason, count: 1 }, example),
    addChosen: (kind, reason, example, count) => add({ kind, reason, count, chosen: true }, example),
    all: () => [...found.values()],
  };
}
export type LeftBehindList = ReturnType<typeof leftBehindList>;

/** Why a reference is left behind that nothing stands behind: no blob is at its path. */
export const toNothing = 'to nothing';

/** The kind, by which a report knows what to do about it: references to nothing are a kind of their own. */
export function kindOfLeftBehind({ kind, reason }: Pick<LeftBehind, 'kind' | 'reason'>): string {
  return kind === 'references' && reason === toNothing ? 'references to nothing' : kind;
}

/** Kinds that a step of the restore counts, including what was left behind of them. */
const counted = new Set<string>([...assetTypeNames, 'datastores', 'datastore', 'connection', 'endpoint']);

/** Describes what was left behind of all other kinds, one line each. No step of a restore reports these. */
export function leftBehindUncounted(
  all: readonly (Omit<LeftBehind, 'chosen'> & { chosen?: true | undefined })[],
): string[] {
  return all.filter(({ kind, chosen }) => !chosen && !counted.has(kind)).map(showLeftBehind);
}

/**
 * Describes what was left behind in one line: "2 file shares left behind: their files are … (workspacefilestore, …)".
 * References are grouped by what refers: "jobs: train-1 → compute gpu; train-2 → compute gpu".
 */
export function showLeftBehind({ kind, reason, count, examples }: Omit<LeftBehind, 'chosen'>): string {
  const more = count > examples.length ? ', …' : '';
  const what = count === 1 ? kind.replace(/ies$/, 'y').replace(/s$/, '') : kind;
  return `${count} ${what} left behind: ${reason} (${grouped(examples)}${more})`;
}

/**
 * Groups examples that name their owner (`jobs/train-1 → …`, `models/fraud/1: …`) by the owner's kind, once there are
 * too many to read one by one.
 */
function grouped(examples: readonly string[]): string {
  const owned = examples.map((each) => /^([a-z-]+)\/(.+)$/i.exec(each));
  if (examples.length <= 5 || owned.includes(null)) return examples.join(', ');
  const groups = Map.groupBy(owned, (match) => match?.[1] ?? '');
  return [...groups]
    .map(([kind, of]) => `${kind} (${of.length}): ${of.map((match) => match?.[2]).join(', ')}`)
    .join('; ');
}
