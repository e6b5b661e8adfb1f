/** The action `restoreBlobs`: what the recovery point has and the standby's containers lack, within the standby's account. */
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { besideLines, blobGroups, classesOfStep, type BlobGroup } from './blob-groups.ts';
import { ensureContainer, listBlobs, statBlob, type ListedBlob } from './blobs.ts';
import { batches, createLimiter, forEachBounded, mapBounded } from './bounded.ts';
import { resumeProgress, showFindings, writeFindings, type Finding } from './evidence.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { BlobLine } from './manifest.ts';
import { restoreBlob, type Restored } from './restore-blob.ts';
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

/** So few blobs of a unit are looked up one by one; more are listed. */
const fewBlobs = 4;

interface State {
  /** Units that are done. */
  units: number;
  tally: Tally;
  findings: Finding[];
}

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError (no standby workspace, no recovery point). */
export async function restoreBlobs(context: StepContext): Promise<StepResult> {
  const { store, topology, signal } = context;
  const standby = await openStandby(context);
  const classes = classesOfStep(context);
  const progress = await resumeProgress<State>(context, { units: 0, tally: newTally(), findings: [] });
  const { state } = progress;
  const heartbeat = startHeartbeat(context, 'blobs', { done: seen(state.tally), bytes: state.tally.bytes });
  const limit = createLimiter(topology.artifacts.concurrency);
  const made = new Set<string>();
  const lists = spools();
  let expected = 0;
  let index = 0;
  try {
    const groups = blobGroups({ store, sealed: standby.point.sealed, classes, lists, beat: heartbeat.beat });
    for await (const window of batches(groups, topology.artifacts.concurrency)) {
      for (const group of window) expected += group.lines.count;
      const todo = window.filter(() => index++ >= state.units);
      await ensureContainers(standby, todo, made, signal);
      const results = await mapBounded(todo, window.length, (group) =>
        restoreGroup(context, { group, standby, limit, heartbeat, lists }),
      );
      for (const result of results) addTo(state, result);
      for (const { lines } of window) await lines.discard();
      state.units = Math.max(state.units, index);
      await progress.settle(heartbeat);
    }
  } finally {
    await lists.discard();
  }
  const { tally, findings } = state;
  if (expected === 0)
    return { state: 'skipped', detail: `the recovery point has no blobs of ${[...classes].join(', ')}` };
  return {
    state: 'completed',
    detail: describe(tally, expected),
    counts: [toCounts(tally, 'blobs', expected)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

async function ensureContainers(
  standby: Standby,
  groups: BlobGroup[],
  made: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  for (const { account, container } of groups) {
    const name = standby.containerFor(account, container);
    if (made.has(name)) continue;
    await ensureContainer(standby.account.container(name), signal);
    made.add(name);
  }
}

interface RestoreGroup {
  group: BlobGroup;
  standby: Standby;
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  lists: Spools;
}

/** What became of a group's blobs: counted, since there may be more of them than memory holds. */
interface GroupResult {
  tally: Tally;
  findings: { index: number; finding: Finding }[];
}

async function restoreGroup(
  { signal }: StepContext,
  { group, standby, limit, heartbeat, lists }: RestoreGroup,
): Promise<GroupResult> {
  const { account, point } = standby;
  const { beat } = heartbeat;
  const container = standby.containerFor(group.account, group.container);
  const blobs = present(standby, container, group, signal);
  const result: GroupResult = { tally: newTally(), findings: [] };
  await forEachBounded(besideLines({ group, blobs, lists, beat }), 256, ({ line, there }, index) =>
    limit(async () => {
      const { epoch } = point.sealed;
      const restored = await restoreBlob({ line, account, container, there, epoch, signal, beat });
      count(result, { line, container, restored, index });
      heartbeat.add(1, restored === 'restored' ? line.sizeBytes : 0);
      await beat();
    }),
  );
  return result;
}

async function* present(
  { account }: Standby,
  container: string,
  { unit, lines }: BlobGroup,
  signal: AbortSignal,
): AsyncIterable<ListedBlob> {
  if (lines.count > fewBlobs) {
    yield* listBlobs(account, container, unit, signal);
    return;
  }
  const few = await Array.fromAsync(lines);
  const blobs = await Promise.all(few.map(({ path }) => statBlob({ account, container, path }, signal)));
  for (const blob of blobs) if (blob) yield blob;
}

const reasons: Record<Exclude<Restored, 'restored' | 'already'>, string> = {
  kept: 'the standby holds content of its own there, which no recovery point has: it was kept',
  'no-replica': 'its copy in the replica container is gone',
  contended: 'somebody else wrote it at the same time',
};

interface RestoredLine {
  line: BlobLine;
  container: string;
  restored: Restored;
  index: number;
}

function count({ tally, findings }: GroupResult, { line, container, restored, index }: RestoredLine): void {
  if (restored === 'restored' || restored === 'already') {
    tally.done += 1;
    if (restored === 'already') tally.already += 1;
    else tally.bytes += line.sizeBytes;
    return;
  }
  const reason = reasons[restored];
  const skipped = restored === 'kept';
  (skipped ? skip : fail)(tally, reason);
  const state = skipped ? 'skipped' : 'failed';
  findings.push({ index, finding: { what: `${container}/${line.path}`, state, reason } });
}

function addTo(state: State, { tally, findings }: GroupResult): void {
  addTally(state.tally, tally);
  // In the order of the recovery point, whichever blob was done first: two attempts leave the same evidence.
  const inOrder = findings.toSorted((a, b) => a.index - b.index);
  state.findings.push(...inOrder.map(({ finding }) => finding));
}

function describe(tally: Tally, expected: number): string {
  const [skipped, failed] = [sum(tally.skipped), sum(tally.failed)];
  return (
    `${tally.done} of ${showCount(expected, 'blob')} in the standby: ${tally.done - tally.already} restored (${showBytes(tally.bytes)}), ` +
    `${tally.already} already there${skipped > 0 ? `, ${skipped} kept as the standby has them` : ''}${failed > 0 ? `, ${failed} failed` : ''}`
  );
}
