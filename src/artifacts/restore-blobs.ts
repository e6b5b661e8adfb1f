/** The action `restoreBlobs`: what the recovery point has and the standby's containers lack, within the standby's account. */
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { besideLines, type BlobGroup } from './blob-groups.ts';
import { ensureContainer, listBlobs, statBlob, type ListedBlob } from './blobs.ts';
import { forEachBounded } from './bounded.ts';
import { showFindings, writeFindings } from './evidence.ts';
import type { BlobLine } from './manifest.ts';
import { restoreBlob, type Restored } from './restore-blob.ts';
import { openStandby, type Standby } from './standby.ts';
import { fail, newTally, showBytes, showCount, skip, sum, toCounts, type Tally } from './tally.ts';
import { walkGroups, type GroupResult, type GroupTools } from './walk-groups.ts';

/** So few blobs of a unit are looked up one by one; more are listed. */
const fewBlobs = 4;

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError (no standby workspace, no recovery point). */
export async function restoreBlobs(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const made = new Set<string>();
  const { tally, findings, expected, classes } = await walkGroups(context, standby, {
    prepare: (groups) => ensureContainers(standby, groups, made, context.signal),
    visit: (group, tools) => restoreGroup(context, group, tools),
  });
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

async function restoreGroup(
  { signal }: StepContext,
  group: BlobGroup,
  { standby, limit, heartbeat, lists }: GroupTools,
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

function describe(tally: Tally, expected: number): string {
  const [skipped, failed] = [sum(tally.skipped), sum(tally.failed)];
  return (
    `${tally.done} of ${showCount(expected, 'blob')} in the standby: ${tally.done - tally.already} restored (${showBytes(tally.bytes)}), ` +
    `${tally.already} already there${skipped > 0 ? `, ${skipped} kept as the standby has them` : ''}${failed > 0 ? `, ${failed} failed` : ''}`
  );
}
