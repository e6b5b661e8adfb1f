/**
 * The action `copyBlobs`: copies what the listing says the standby needs, from server to server, into its replica
 * container.
 */
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { Counts, StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { ensureContainer } from '../azure/storage/blobs.ts';
import { batches, createLimiter, forEachBounded } from '../run/work/bounded.ts';
import { copyUnit, type CopiedUnit, type CopyUnit } from './copy-unit.ts';
import { suspectReplicas } from '../recovery-point/damage.ts';
import {
  beginPoint,
  mostReferences,
  openDraft,
  readDraft,
  sealDraft,
  showLeftBehind,
  type Copying,
  type DraftPoint,
  type Listing,
} from '../recovery-point/drafts.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { replicaContainer, type Unit } from '../recovery-point/manifest.ts';
import { partWriter, readLines, type PartWriter } from '../recovery-point/parts.ts';
import { nothingOf, noPrevious, previousBlobs, type PreviousBlobs, type PreviousUnit } from './previous.ts';
import { listRecoveryPoints } from '../recovery-point/list-points.ts';
import { openByRef } from '../recovery-point/recovery-point.ts';
import { newTally, skip, toCounts } from '../run/work/tally.ts';
import { showBytes, showCount } from '../topology/figures.ts';
import { findWorkspace } from '../workspace/workspace.ts';

/** How often progress is saved, so that the next attempt continues from there. */
const settleMs = 10_000;

/**
 * Errors: AzureUnavailable, ReconciliationError (a copy differs from its source), PreconditionError (no standby
 * workspace).
 */
export async function copyBlobs(context: StepContext): Promise<StepResult> {
  const { azure, store, topology, to, signal } = context;
  const point = await beginPoint(context);
  const listing = await openDraft(context, point, 'listing');
  const workspace = await findWorkspace(azure.arm, to, signal);
  const standby = await azure.blobAccount(workspace.storageAccountId, { signal });
  await ensureContainer(standby.container(replicaContainer), signal);

  const start = await resume(context, point, {
    accountId: workspace.storageAccountId,
    account: standby.name,
    container: replicaContainer,
  });
  const previous = await findPrevious(context, start.replica.accountId);
  const heartbeat = startHeartbeat(context, 'blobs', {
    done: start.tally.done,
    bytes: start.tally.bytes,
    ...(context.cursor === undefined ? {} : { cursor: context.cursor }),
  });
  const limit = createLimiter(topology.artifacts.concurrency);
  const common = {
    epoch: point.epoch,
    standby,
    suspects: await suspectReplicas(store),
    attempts: topology.artifacts.attempts,
    limit,
    heartbeat,
    signal,
  };
  const copying = await copyUnits(context, {
    point,
    listing,
    start,
    previous: previous.blobs,
    heartbeat,
    common,
  });

  return {
    state: 'completed',
    detail: describe(copying, previous.note()),
    counts: [toCounts(copying.tally, 'blobs', copying.expected), ...countShared(listing, copying)],
    facts: await sealDraft(context, point, 'copying', copying),
    ...lostOf(copying),
  };
}

/** Shared storage is not listed: it is counted by the folders that are needed. */
function countShared({ foldersShared }: Listing, { units }: Copying): Counts[] {
  if (foldersShared === 0) return [];
  const tally = { ...newTally(), done: units };
  skip(tally, 'on storage that the standby reads where it is: shared, not copied', foldersShared);
  return [toCounts(tally, 'folders and files', units + foldersShared)];
}

interface CopyUnits {
  point: DraftPoint;
  listing: Listing;
  start: Copying;
  previous: PreviousBlobs;
  heartbeat: Heartbeat;
  common: Omit<CopyUnit, 'unit' | 'source' | 'previous'>;
}

/**
 * Copies a window of units concurrently. Results are written in the units' order, in which the next recovery point
 * reads them.
 */
async function copyUnits(context: StepContext, request: CopyUnits): Promise<Copying> {
  const { azure, store, topology, signal } = context;
  const { point, listing, start, previous, heartbeat, common } = request;
  const state = { ...start };
  let blobs = partWriter(store, point.folder, 'blobs', start.parts);
  let fuzzy = partWriter(store, point.folder, 'fuzzy', start.fuzzyParts);
  let settledAt = performance.now();
  const units = skipFirst(readLines(store, point.folder, listing.parts, 'units'), start.units);
  const sourceOf = (unit: Unit) => {
    const account = listing.accounts.find(({ name }) => name === unit.account);
    if (account) return azure.blobAccount(account.id, { signal });
    throw new UnderstudyError('ControlStoreError', `the listing names no account "${unit.account}"`);
  };
  for await (const window of batches(units, topology.artifacts.concurrency)) {
    const known: PreviousUnit[] = [];
    const copied: (CopiedUnit | undefined)[] = [];
    try {
      for (const unit of window) known.push(await previous.of(unit, heartbeat.beat));
      await forEachBounded(window, window.length, async (unit, index) => {
        const before = known[index] ?? nothingOf(unit);
        copied[index] = await copyUnit({ ...common, unit, source: await sourceOf(unit), previous: before });
      });
      for (const each of copied) if (each) await write(each, { state, blobs, fuzzy, heartbeat });
    } finally {
      for (const { lines } of known) await lines.discard();
      for (const each of copied) await Promise.all([each?.blobs.discard(), each?.fuzzy.discard()]);
    }
    state.units += window.length;
    if (performance.now() - settledAt < settleMs) continue;
    state.parts = await blobs.end();
    state.fuzzyParts = await fuzzy.end();
    blobs = partWriter(store, point.folder, 'blobs', state.parts);
    fuzzy = partWriter(store, point.folder, 'fuzzy', state.fuzzyParts);
    await heartbeat.save(await sealDraft(context, point, 'copying', state));
    settledAt = performance.now();
  }
  return { ...state, parts: await blobs.end(), fuzzyParts: await fuzzy.end() };
}

interface WriteUnit {
  state: Copying;
  blobs: PartWriter<'blobs'>;
  fuzzy: PartWriter<'fuzzy'>;
  heartbeat: Heartbeat;
}

async function write(copied: CopiedUnit, { state, blobs, fuzzy, heartbeat }: WriteUnit): Promise<void> {
  const { tally } = state;
  for await (const { line, reused } of copied.blobs) {
    await blobs.add(line);
    tally.done += 1;
    tally.bytes += line.sizeBytes;
    if (reused) tally.already += 1;
    else state.newBytes += line.sizeBytes;
    await heartbeat.beat();
  }
  const byAsset = new Map(state.fuzzy.map((each) => [each.asset, each]));
  for await (const line of copied.fuzzy) {
    await fuzzy.add(line);
    await heartbeat.beat();
    if (line.late) continue;
    if (!line.copied) skip(tally, 'changed or gone while it was copied (fuzzy)');
    for (const asset of line.assets) {
      const known = byAsset.get(asset) ?? { asset, blobs: 0 };
      if (known.blobs === 0) state.fuzzy.push(known);
      known.blobs += 1;
      byAsset.set(asset, known);
    }
  }
  state.expected += copied.expected;
  if (copied.late > 0) skip(tally, 'added after its folder was listed', copied.late);
  state.empty.count += copied.empty.length;
  state.empty.examples.push(...copied.empty.slice(0, mostReferences - state.empty.examples.length));
}

async function resume(context: StepContext, point: DraftPoint, replica: Copying['replica']): Promise<Copying> {
  const { copying, recoveryPoint } = (context.cursor ?? {}) as { copying?: unknown; recoveryPoint?: unknown };
  if (typeof copying === 'string' && recoveryPoint === point.id) {
    return readDraft(context.store, point, 'copying', copying);
  }
  return {
    replica,
    units: 0,
    parts: [],
    fuzzyParts: [],
    fuzzy: [],
    tally: newTally(),
    expected: 0,
    newBytes: 0,
    empty: { count: 0, examples: [] },
  };
}

interface Previous {
  blobs: PreviousBlobs;
  /** Why less was reused than could have been. */
  note(): string | undefined;
}

/**
 * Returns the newest recovery point of the same region with replicas in the same account. If that is damaged, nothing
 * is reused, but the new recovery point can still be made.
 */
async function findPrevious({ store, from }: StepContext, accountId: string): Promise<Previous> {
  const { sealed: points, damaged } = await listRecoveryPoints(store, { limit: 1, region: from.region });
  let damage = damaged[0] && `recovery point ${damaged[0].id} is damaged: ${damaged[0].reason}`;
  const note = () => damage;
  const newest = points[0];
  if (!newest) return { blobs: noPrevious, note };
  const { sealed } = await openByRef(store, newest.ref);
  if (sealed.replica.accountId.toLowerCase() !== accountId.toLowerCase()) return { blobs: noPrevious, note };
  const previous = previousBlobs(store, sealed);
  let usable = true;
  const of: PreviousBlobs['of'] = async (unit, beat) => {
    if (!usable) return noPrevious.of(unit, beat);
    try {
      return await previous.of(unit, beat);
    } catch (error) {
      if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
      usable = false;
      damage = `recovery point ${sealed.id} is damaged: ${messageOf(error)}`;
      return noPrevious.of(unit, beat);
    }
  };
  return { blobs: { of }, note };
}

async function* skipFirst<T>(items: AsyncIterable<T>, count: number): AsyncIterable<T> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}

function describe({ tally, newBytes }: Copying, note: string | undefined): string {
  const copied = tally.done - tally.already;
  return (
    `${showCount(copied, 'blob')} copied (${showBytes(newBytes)}), ${tally.already} in the standby already; ` +
    `${showCount(tally.done, 'blob')} and ${showBytes(tally.bytes)} in all${note === undefined ? '' : `; ${note}`}`
  );
}

/** How many lines to print. The recovery point has the rest. */
const longestList = 20;

function lostOf({ fuzzy, empty }: Copying): Pick<StepResult, 'lost'> {
  const lost = fuzzy
    .slice(0, longestList)
    .map(({ asset, blobs }) => `${asset} is fuzzy: ${showCount(blobs, 'blob')} changed while it was copied`);
  if (fuzzy.length > longestList) lost.push(`and ${fuzzy.length - longestList} more are fuzzy`);
  if (empty.count > 0) lost.push(showLeftBehind({ kind: 'references', reason: 'to nothing', ...empty }));
  return lost.length > 0 ? { lost } : {};
}
