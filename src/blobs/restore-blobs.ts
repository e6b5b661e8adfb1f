/**
 * The action `restoreBlobs`: restores blobs of the recovery point that the standby's containers lack, within the
 * standby's account.
 */
import type { StepResult } from '../run/work/outcome.ts';
import type { LossAcceptance, StepContext } from '../run/work/step-context.ts';
import { linesWithBlobs, type BlobGroup } from './blob-groups.ts';
import { ensureContainer, listBlobs, statBlob, type ListedBlob } from '../azure/storage/blobs.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { suspectReplicas, type Suspects } from '../recovery-point/damage.ts';
import { endFindings } from '../run/work/findings-log.ts';
import { showFindings } from '../run/work/findings.ts';
import { lostBlob, requireAcceptance, showAcceptance } from './lost-blobs.ts';
import type { BlobLine } from '../recovery-point/manifest.ts';
import { restoreBlob, type Restored } from './restore-blob.ts';
import { requireBrought } from '../standby/require-brought.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, skip, sum, toCounts, type Tally } from '../run/work/tally.ts';
import { showBytes, showCount } from '../topology/figures.ts';
import { newGroupResult, walkGroups, type GroupResult, type GroupTools } from './walk-groups.ts';

/** Up to this many blobs of a unit are looked up one by one. More are listed. */
const fewBlobs = 4;

/**
 * Errors: ReconciliationError if copies are damaged and nobody has accepted their loss, once everything else is
 * restored; AzureUnavailable, RecoveryPointError, PreconditionError (no standby workspace, no recovery point).
 */
export async function restoreBlobs(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const made = new Set<string>();
  const suspects = await suspectReplicas(context.store);
  const { tally, findings, expected, classes } = await walkGroups(context, standby, {
    prepare: (groups) => ensureContainers(standby, groups, made, context.signal),
    visit: (group, tools) => restoreGroup(context, group, { ...tools, suspects }),
  });
  if (expected === 0)
    return { state: 'skipped', detail: `the recovery point has no blobs of ${[...classes].join(', ')}` };
  const counts = [toCounts(tally, 'blobs', expected)];
  const evidence = await endFindings(context, 'list', findings);
  await requireAcceptance(context, standby.point.sealed, {
    lost: findings.lost,
    expected,
    evidence,
  });
  requireBrought(context, standby, findings.all);
  return {
    state: 'completed',
    detail: describe(tally, expected, context.to.region),
    counts,
    evidence,
    ...(findings.all.count > 0 ? { lost: showFindings(findings.all) } : {}),
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
  { signal, acceptedLoss }: StepContext,
  group: BlobGroup,
  { standby, suspects, limit, heartbeat, lists }: GroupTools & { suspects: Suspects },
): Promise<GroupResult> {
  const { account, point } = standby;
  const { beat } = heartbeat;
  const container = standby.containerFor(group.account, group.container);
  const blobs = present(standby, container, group, signal);
  const result = newGroupResult(lists);
  await forEachBounded(linesWithBlobs({ group, blobs, lists, beat }), 256, ({ line, there }, index) =>
    limit(async () => {
      const { epoch } = point.sealed;
      const replaceable = standby.replaceable.blob({ account: account.name, container, path: line.path });
      const at = { account, container, there, epoch, replaceable, suspects };
      const restored = await restoreBlob({ line, ...at, signal, beat });
      await count(result, { line, container, restored, index, accepted: acceptedLoss });
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

const reasons = {
  kept: 'the standby holds content of its own there, which no recovery point has: it was kept',
  contended: 'somebody else wrote it at the same time',
};

interface RestoredLine {
  line: BlobLine;
  container: string;
  restored: Restored;
  index: number;
  accepted: LossAcceptance | undefined;
}

async function count(result: GroupResult, { line, container, restored, index, accepted }: RestoredLine): Promise<void> {
  const { tally, findings } = result;
  const what = `${container}/${line.path}`;
  if (restored === 'restored' || restored === 'already') {
    tally.done += 1;
    if (restored === 'already') tally.already += 1;
    else tally.bytes += line.sizeBytes;
    return;
  }
  if (typeof restored === 'object') {
    const difference = `its copy is ${restored.damaged}, expected sha256 ${line.sha256}`;
    const finding = lostBlob(what, line, { difference, accepted });
    (accepted ? skip : fail)(tally, `its copy is damaged or missing${showAcceptance(accepted)}`);
    await findings.note(index, finding);
    return;
  }
  const reason = reasons[restored];
  const skipped = restored === 'kept';
  (skipped ? skip : fail)(tally, reason);
  const state = skipped ? 'skipped' : 'failed';
  await findings.note(index, { what, state, reason });
}

function describe(tally: Tally, expected: number, region: string): string {
  const [skipped, failed] = [sum(tally.skipped), sum(tally.failed)];
  return (
    `${tally.done} of ${showCount(expected, 'blob')} in ${region}: ${tally.done - tally.already} restored (${showBytes(tally.bytes)}), ` +
    `${tally.already} already there${skipped > 0 ? `, ${skipped} kept as they are there` : ''}${failed > 0 ? `, ${failed} failed` : ''}`
  );
}
