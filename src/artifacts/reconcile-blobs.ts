/**
 * The action `reconcileBlobs`: lists the standby's containers afresh, reads every blob through, and compares its bytes, headers and metadata
 * with the manifest. It takes no word of what restoring said it did, but for what that skipped and why.
 */
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { besideLines, blobGroups, classesOfStep, type BlobGroup } from './blob-groups.ts';
import { differenceOfHeaders, hashBlob, listBlobs, type ListedBlob } from './blobs.ts';
import { batches, createLimiter, forEachBounded, mapBounded } from './bounded.ts';
import { resumeProgress, showFindings, skippedBy, writeFindings, type Finding } from './evidence.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { BlobLine } from './manifest.ts';
import { spools, type Spools } from './spool.ts';
import { openStandby, type Standby } from './standby.ts';
import {
  addTally,
  fail,
  newTally,
  seen,
  showBytes,
  showCount,
  skip,
  sum,
  toCounts,
  type Tally,
} from './tally.ts';

interface State {
  units: number;
  tally: Tally;
  findings: Finding[];
}

/**
 * Errors: ReconciliationError if a blob is missing or differs, unless restoring skipped it with a reason; AzureUnavailable; RecoveryPointError.
 */
export async function reconcileBlobs(context: StepContext): Promise<StepResult> {
  const { store, topology } = context;
  const standby = await openStandby(context);
  const classes = classesOfStep(context);
  const skipped = await skippedBy(context, 'restoreBlobs');
  const progress = await resumeProgress<State>(context, { units: 0, tally: newTally(), findings: [] });
  const { state } = progress;
  const heartbeat = startHeartbeat(context, 'blobs', { done: seen(state.tally), bytes: state.tally.bytes });
  const limit = createLimiter(topology.artifacts.concurrency);
  const lists = spools();
  let expected = 0;
  let index = 0;
  try {
    const groups = blobGroups({ store, sealed: standby.point.sealed, classes, lists, beat: heartbeat.beat });
    for await (const window of batches(groups, topology.artifacts.concurrency)) {
      for (const group of window) expected += group.lines.count;
      const todo = window.filter(() => index++ >= state.units);
      const results = await mapBounded(todo, window.length, (group) =>
        compareGroup(context, { group, standby, skipped, limit, heartbeat, lists }),
      );
      for (const result of results) addTo(state, result);
      for (const { lines } of window) await lines.discard();
      state.units = Math.max(state.units, index);
      await progress.settle(heartbeat);
    }
  } finally {
    await lists.discard();
  }
  if (expected === 0)
    return { state: 'skipped', detail: `the recovery point has no blobs of ${[...classes].join(', ')}` };
  return conclude(context, state, expected);
}

async function conclude(
  context: StepContext,
  { tally, findings }: State,
  expected: number,
): Promise<StepResult> {
  const counts = toCounts(tally, 'blobs', expected);
  const evidence = await writeFindings(context, 'reconciliation', findings);
  const failed = findings.filter(({ state }) => state === 'failed');
  if (failed.length > 0) {
    throw new UnderstudyError(
      'ReconciliationError',
      `${failed.length} of ${showCount(expected, 'blob')} in ${context.to.region} are not what was copied: ${showFindings(failed, 3).join('; ')}`,
      {
        ...(evidence[0] ? { place: evidence[0].blob } : {}),
        next: 'Put it back, then resume the run; or cancel the run (what can be undone is), and fail over to an earlier recovery point.',
      },
    );
  }
  const kept = sum(tally.skipped);
  return {
    state: 'completed',
    detail: `${tally.done} of ${showCount(expected, 'blob')} (${showBytes(tally.bytes)}) read in ${context.to.region}, digests equal${kept > 0 ? `; ${kept} skipped when restoring` : ''}`,
    counts: [counts],
    evidence,
  };
}

interface CompareGroup {
  group: BlobGroup;
  standby: Standby;
  skipped: ReadonlyMap<string, string>;
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  lists: Spools;
}

/** What a group's blobs are: counted, since there may be more of them than memory holds. */
interface GroupResult {
  tally: Tally;
  findings: { index: number; finding: Finding }[];
}

async function compareGroup({ signal }: StepContext, request: CompareGroup): Promise<GroupResult> {
  const { group, standby, skipped, limit, heartbeat, lists } = request;
  const { beat } = heartbeat;
  const container = standby.containerFor(group.account, group.container);
  const blobs = listBlobs(standby.account, container, group.unit, signal);
  const result: GroupResult = { tally: newTally(), findings: [] };
  await forEachBounded(besideLines({ group, blobs, lists, beat }), 256, ({ line, there }, index) =>
    limit(async () => {
      const difference = await compare(line, there, { standby, container, signal, heartbeat });
      count(result, { line, what: `${container}/${line.path}`, difference, skipped, index });
      heartbeat.add(1, line.sizeBytes);
      await beat();
    }),
  );
  return result;
}

async function compare(
  line: BlobLine,
  there: ListedBlob | undefined,
  at: { standby: Standby; container: string; signal: AbortSignal; heartbeat: Heartbeat },
): Promise<string | undefined> {
  if (!there) return 'missing';
  if (there.sizeBytes !== line.sizeBytes) return `${there.sizeBytes} bytes, expected ${line.sizeBytes}`;
  const address = { account: at.standby.account, container: at.container, path: line.path };
  const digests = await hashBlob(address, { signal: at.signal, onChunk: at.heartbeat.beat });
  if (typeof digests === 'string') return 'missing';
  if (digests.sha256 !== line.sha256) return `sha256 ${digests.sha256}, expected ${line.sha256}`;
  return differenceOfHeaders(line, there);
}

interface ComparedLine {
  line: BlobLine;
  what: string;
  /** Why it is not equal. */
  difference: string | undefined;
  /** What restoring skipped, and why: what was to be expected. */
  skipped: ReadonlyMap<string, string>;
  index: number;
}

function count(
  { tally, findings }: GroupResult,
  { line, what, difference, skipped, index }: ComparedLine,
): void {
  if (difference === undefined) {
    tally.done += 1;
    tally.bytes += line.sizeBytes;
    return;
  }
  const excuse = skipped.get(what);
  if (excuse === undefined) {
    fail(tally, difference.startsWith('missing') ? 'missing' : 'different');
    findings.push({ index, finding: { what, state: 'failed', reason: difference } });
  } else {
    skip(tally, excuse);
    findings.push({ index, finding: { what, state: 'skipped', reason: `${difference}: ${excuse}` } });
  }
}

function addTo(state: State, { tally, findings }: GroupResult): void {
  addTally(state.tally, tally);
  const inOrder = findings.toSorted((a, b) => a.index - b.index);
  state.findings.push(...inOrder.map(({ finding }) => finding));
}
