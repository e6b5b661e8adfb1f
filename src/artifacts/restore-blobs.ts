/** The action `restoreBlobs`: what the recovery point has and the standby's containers lack, within the standby's account. */
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { blobGroups, classesOfStep, type BlobGroup } from './blob-groups.ts';
import { ensureContainer, listBlobs, statBlob, type ListedBlob } from './blobs.ts';
import { batches, createLimiter, forEachBounded, mapBounded } from './bounded.ts';
import { resumeProgress, showFindings, writeFindings, type Finding } from './evidence.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { BlobLine } from './manifest.ts';
import { restoreBlob, type Restored } from './restore-blob.ts';
import { openStandby, type Standby } from './standby.ts';
import { fail, newTally, seen, showBytes, showCount, skip, sum, toCounts, type Tally } from './tally.ts';

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
  let expected = 0;
  let index = 0;
  for await (const window of batches(
    blobGroups(store, standby.point.sealed, classes),
    topology.artifacts.concurrency,
  )) {
    for (const group of window) expected += group.lines.length;
    const todo = window.filter(() => index++ >= state.units);
    if (todo.length === 0) continue;
    await ensureContainers(standby, todo, made, signal);
    const results = await mapBounded(todo, todo.length, (group) =>
      restoreGroup(context, { group, standby, limit, heartbeat }),
    );
    for (const result of results) addTo(state, result);
    state.units = Math.max(state.units, index);
    await progress.settle(heartbeat);
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
}

type GroupResult = { line: BlobLine; container: string; restored: Restored }[];

async function restoreGroup(
  { signal }: StepContext,
  { group, standby, limit, heartbeat }: RestoreGroup,
): Promise<GroupResult> {
  const { account, point } = standby;
  const container = standby.containerFor(group.account, group.container);
  const there = await present(standby, container, group, signal, heartbeat);
  const results: GroupResult = [];
  await forEachBounded(group.lines, 256, (line, index) =>
    limit(async () => {
      const restored = await restoreBlob({
        line,
        account,
        container,
        there: there.get(line.path),
        epoch: point.sealed.epoch,
        signal,
        beat: heartbeat.beat,
      });
      results[index] = { line, container, restored };
      heartbeat.add(1, restored === 'restored' ? line.sizeBytes : 0);
      await heartbeat.beat();
    }),
  );
  return results;
}

async function present(
  { account }: Standby,
  container: string,
  { unit, lines }: BlobGroup,
  signal: AbortSignal,
  heartbeat: Heartbeat,
): Promise<Map<string, ListedBlob>> {
  const found = new Map<string, ListedBlob>();
  if (lines.length <= fewBlobs) {
    const blobs = await Promise.all(lines.map(({ path }) => statBlob({ account, container, path }, signal)));
    for (const blob of blobs) if (blob) found.set(blob.path, blob);
    return found;
  }
  for await (const blob of listBlobs(account, container, unit, signal)) {
    found.set(blob.path, blob);
    await heartbeat.beat();
  }
  return found;
}

const reasons: Record<Exclude<Restored, 'restored' | 'already'>, string> = {
  kept: 'the standby holds content of its own there, which no recovery point has: it was kept',
  'no-replica': 'its copy in the replica container is gone',
  contended: 'somebody else wrote it at the same time',
};

function addTo({ tally, findings }: State, results: GroupResult): void {
  for (const { line, container, restored } of results) {
    if (restored === 'restored' || restored === 'already') {
      tally.done += 1;
      if (restored === 'already') tally.already += 1;
      else tally.bytes += line.sizeBytes;
      continue;
    }
    const skipped = restored === 'kept';
    (skipped ? skip : fail)(tally, reasons[restored]);
    findings.push({
      what: `${container}/${line.path}`,
      state: skipped ? 'skipped' : 'failed',
      reason: reasons[restored],
    });
  }
}

function describe(tally: Tally, expected: number): string {
  const [skipped, failed] = [sum(tally.skipped), sum(tally.failed)];
  return (
    `${tally.done} of ${showCount(expected, 'blob')} in the standby: ${tally.done - tally.already} restored (${showBytes(tally.bytes)}), ` +
    `${tally.already} already there${skipped > 0 ? `, ${skipped} kept as the standby has them` : ''}${failed > 0 ? `, ${failed} failed` : ''}`
  );
}
