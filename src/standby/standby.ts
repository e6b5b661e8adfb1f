/**
 * The standby that a recovery point is restored into: how its containers correspond to the active side's, and how
 * references of the active workspace must be rewritten. Built from the recovery point and the standby alone, because
 * the other region may be down.
 */
import { apiVersions, type ArmResource, type BlobAccount } from '../azure/azure.ts';
import { datastoreUri, sameName, type ReferenceMapping } from '../azure/ids.ts';
import { UnderstudyError } from '../errors/error.ts';
import { computeNames } from '../topology/compute-names.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { isBuiltIn, placeOfDatastore, standbyContainer, type DatastorePlace } from '../workspace/datastores.ts';
import { joinPath, type JobOutputLine } from '../workspace/jobs/job-outputs.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { AssetLine, OpenRecoveryPoint, PartKind, PartLines, SealedManifest } from '../recovery-point/manifest.ts';
import { countLines } from '../recovery-point/parts.ts';
import { openByRef, readPart } from '../recovery-point/recovery-point.ts';
import { mergeOfRun } from '../merge/decide-merge.ts';
import type { DecidedItem } from '../merge/decisions.ts';
import { nothingReplaceable, readReplaceable, type Replaceable } from '../merge/replacing.ts';
import { isWhole, leaveBehind, Selection } from '../merge/selection.ts';
import { assetKey, assetTypeNames } from '../workspace/asset-types.ts';
import { findWorkspace, type KnownWorkspace } from '../workspace/workspace.ts';

/** The standby and the recovery point to restore. */
export interface Standby {
  point: OpenRecoveryPoint;
  workspace: KnownWorkspace;
  /** The workspace's own storage account, which receives every copied blob. */
  account: BlobAccount;
  /** The standby's datastores as they are now. */
  datastores: ArmResource[];
  /** The active workspace's datastores, as the recovery point has them. */
  sourceDatastores: ArmResource[];
  /** Returns the name in `account` of a container of the active side. */
  containerFor(account: string, container: string): string;
  mapping: ReferenceMapping;
  /** As `mapping`, for a version that is written: one that becomes another version has files of its own. */
  mappingOf: (line: AssetLine) => ReferenceMapping;
  /** What the step brings of the recovery point; absent: all of it. */
  selection?: Selection;
  /** The lines of the recovery point that are restored, as they are to be written. */
  read: <K extends PartKind>(kind: K) => AsyncIterable<PartLines[K]>;
  /** How many lines of a kind are restored. */
  count: (kind: PartKind) => Promise<number>;
  /** What the step may replace in the workspace. */
  replaceable: Replaceable;
}

/**
 * Opens the standby. A step does so once and passes it on. `opened`: the plan's recovery point, if the step has opened
 * it already.
 * Errors: PreconditionError (no recovery point in the plan, no standby workspace), RecoveryPointError,
 * AzureUnavailable.
 */
export async function openStandby(context: StepContext, opened?: OpenRecoveryPoint): Promise<Standby> {
  const { azure, to, signal } = context;
  const point = opened ?? (await openPointOfRun(context));
  const workspace = await findWorkspace(azure.arm, to, signal);
  const account = await azure.blobAccount(workspace.storageAccountId, { signal });
  const datastores = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/datastores`, apiVersions.machineLearning, { signal }),
  );
  const sourceDatastores = await Array.fromAsync(readPart(context.store, point.sealed, 'datastores'));
  const sources = sourceDatastores.map(placeOfDatastore);
  const pairs = pairContainers(sources, datastores.map(placeOfDatastore), account.name);
  const containerFor = (source: string, container: string) =>
    pairs.get(pairKey(source, container)) ??
    standbyContainer(
      point.sealed.accounts.find(({ name }) => sameName(name, source)) ?? { name: source, own: true },
      container,
    );
  const containers = await sourceContainers(context, point.sealed, sources);
  const outputs = await copiedOutputs(context, point.sealed, sources);
  const { sealed } = point;
  const merge = await mergeOfStep(context, sealed);
  const { selection } = merge;
  const mapping: ReferenceMapping = {
    from: { ...sealed.workspace, workspaceGuid: sealed.workspace.guid },
    to: { ...to.workspace, workspaceGuid: workspace.guid, location: workspace.location },
    compute: computeNames(context.topology, sealed.region),
    storage: sealed.accounts.map((source) => ({
      account: source.name,
      from: source.endpoint,
      to: account.endpoint,
      ...(source.shared === undefined ? {} : { kept: source.shared }),
      containers: Object.fromEntries(
        [...(containers.get(source.name.toLowerCase()) ?? [])].map((each) => [each, containerFor(source.name, each)]),
      ),
    })),
    resources: pairResources(sealed, workspace),
    jobOutputs(job, output, path) {
      const found = outputs.get(`${job}/${output}`);
      return found && datastoreUri(to.workspace, found.datastore, joinPath(found.path, path));
    },
    ...(selection ? { versions: selection.versions } : {}),
  };
  async function* read<K extends PartKind>(kind: K): AsyncGenerator<PartLines[K]> {
    for await (const line of readPart(context.store, sealed, kind)) {
      const written = selection ? selection.line(kind, line) : line;
      if (written !== undefined) yield written;
    }
  }
  const blobOf = (name: string) => sources.find((each) => sameName(each.name, name))?.blob;
  return {
    point,
    workspace,
    account,
    datastores,
    sourceDatastores,
    containerFor,
    mapping,
    mappingOf: (line) => withOwnFiles(mapping, line, { selection, outputs, blobOf }),
    ...merge,
    read,
    async count(kind) {
      if (!selection) return countLines(sealed.parts, kind);
      return (await Array.fromAsync(read(kind))).length;
    },
  };
}

/** What a run that merges two sides says of the step: what it brings, if that is its work, and what it may replace. */
async function mergeOfStep(
  context: StepContext,
  sealed: SealedManifest,
): Promise<Pick<Standby, 'selection' | 'replaceable'>> {
  const { store } = context;
  const merge = await mergeOfRun(context);
  if (!merge) return { replaceable: nothingReplaceable };
  const { items, alike, divergence, newest } = merge;
  if (sealed.id === divergence.id) {
    const over = items.filter((each) => !leaveBehind(each) && isWhole(each) && each.as === undefined);
    const { sealed: here } = await openByRef(store, newest);
    const replaces = new Set(over.map(({ item }) => item));
    return {
      selection: await Selection.open(store, sealed, items),
      replaceable: await readReplaceable(store, here, replaces),
    };
  }
  const { sealed: there } = await openByRef(store, divergence);
  const brought = await versionsIn(store, sealed, items);
  const replaces = items.filter(
    (each) => each.case !== 'only there' && isWhole(each) && (leaveBehind(each) || brought.has(each.item)),
  );
  const names = new Set([...replaces.map(({ item }) => item), ...alike]);
  return { replaceable: await readReplaceable(store, there, names) };
}

/** Items that the recovery point has under another version: nothing of them is lost with the version they had. */
async function versionsIn(
  store: ControlStore,
  sealed: SealedManifest,
  items: readonly DecidedItem[],
): Promise<Set<string>> {
  const renumbered = new Map(
    items.flatMap(({ item, as }) => (as === undefined ? [] : [[`${parentOf(item)}/${as}`, item] as [string, string]])),
  );
  const found = new Set<string>();
  if (renumbered.size === 0) return found;
  for (const type of assetTypeNames)
    for await (const { name, version } of readPart(store, sealed, type)) {
      const item = renumbered.get(assetKey(type, name, version));
      if (item !== undefined) found.add(item);
    }
  return found;
}

function parentOf(item: string): string {
  return item.slice(0, item.lastIndexOf('/'));
}

interface OwnFiles {
  selection: Selection | undefined;
  outputs: ReadonlyMap<string, JobOutputLine>;
  blobOf: (datastore: string) => DatastorePlace['blob'];
}

/** A version that becomes another one names its files where they are written for it. */
function withOwnFiles(
  mapping: ReferenceMapping,
  { type, name, version }: AssetLine,
  { selection, outputs, blobOf }: OwnFiles,
): ReferenceMapping {
  const own = version === undefined ? undefined : selection?.placesOf(type, name, version);
  if (!own) return mapping;
  const inDatastore = (datastore: string, path: string) => {
    const blob = blobOf(datastore);
    return blob ? own({ ...blob, path }) : path;
  };
  return {
    ...mapping,
    paths: (place) => ('datastore' in place ? inDatastore(place.datastore, place.path) : own(place)),
    jobOutputs(job, output, path) {
      const found = outputs.get(`${job}/${output}`);
      if (!found) return undefined;
      return datastoreUri(mapping.to, found.datastore, inDatastore(found.datastore, joinPath(found.path, path)));
    },
  };
}

/** Opens the recovery point of the run. */
export async function openPointOfRun(context: StepContext): Promise<OpenRecoveryPoint> {
  const point = await recoveryPointOf(context);
  if (point) return openByRef(context.store, point);
  throw new UnderstudyError('PreconditionError', 'the run has no recovery point, so there is nothing to restore from', {
    next: 'Take one with "understudy replicate", and plan again.',
  });
}

function pairKey(account: string, container: string): string {
  return `${account.toLowerCase()}/${container}`;
}

/**
 * Pairs containers by datastores of the same name: always for those that Azure makes, for others only if they are in
 * the standby's own account. The ones that Azure makes take precedence.
 */
function pairContainers(
  sources: readonly DatastorePlace[],
  standby: readonly DatastorePlace[],
  account: string,
): Map<string, string> {
  const pairs = new Map<string, string>();
  const builtInFirst = sources.toSorted((a, b) => Number(isBuiltIn(b.name)) - Number(isBuiltIn(a.name)));
  for (const { name, blob } of builtInFirst) {
    const there = standby.find((each) => sameName(each.name, name))?.blob;
    if (!blob || !there || !sameName(there.account, account)) continue;
    const key = pairKey(blob.account, blob.container);
    if (!pairs.has(key)) pairs.set(key, there.container);
  }
  return pairs;
}

/** Returns every container that datastores name or blobs were copied from, by account (lower case). */
async function sourceContainers(
  { store }: StepContext,
  sealed: SealedManifest,
  datastores: readonly DatastorePlace[],
): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  const add = (account: string, container: string) => {
    const set = found.get(account.toLowerCase()) ?? new Set();
    found.set(account.toLowerCase(), set.add(container));
  };
  for (const { blob } of datastores) if (blob) add(blob.account, blob.container);
  for await (const { account, container } of readPart(store, sealed, 'units')) add(account, container);
  return found;
}

/** Returns outputs whose datastore is copied or shared. A reference to any other would lead nowhere. */
async function copiedOutputs(
  { store }: StepContext,
  sealed: SealedManifest,
  datastores: readonly DatastorePlace[],
): Promise<Map<string, JobOutputLine>> {
  const found = new Map<string, JobOutputLine>();
  for await (const line of readPart(store, sealed, 'job-outputs')) {
    const account = datastores.find(({ name }) => sameName(name, line.datastore))?.blob?.account;
    const known = [...sealed.accounts.map(({ name }) => name), ...sealed.shared];
    if (known.some((name) => sameName(name, account))) found.set(`${line.job}/${line.output}`, line);
  }
  return found;
}

function pairResources(sealed: SealedManifest, workspace: KnownWorkspace): Record<string, string> {
  const pairs = Object.entries(sealed.workspace.associated).flatMap(([kind, id]) => {
    const to = workspace.associated[kind];
    return to === undefined ? [] : [[id, to] as const];
  });
  const accounts = sealed.accounts.map(({ id }) => [id, workspace.storageAccountId] as const);
  return Object.fromEntries([...pairs, ...accounts]);
}
