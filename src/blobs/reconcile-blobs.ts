/**
 * The action `reconcileBlobs`: lists the standby's containers again, reads every blob, and compares its bytes, headers
 * and metadata with the manifest. It does not rely on the results of the restore, except for what that skipped and why.
 */
import type { StepResult } from '../run/work/outcome.ts';
import type { LossAcceptance, StepContext } from '../run/work/step-context.ts';
import { linesWithBlobs, type BlobGroup } from './blob-groups.ts';
import { differenceOfHeaders, hashBlob, listBlobs, type ListedBlob } from '../azure/storage/blobs.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { endFindings } from '../run/work/findings-log.ts';
import { findingsBy, showFindings } from '../run/work/findings.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import { lostBlob, requireAcceptance, showAcceptance } from './lost-blobs.ts';
import type { BlobLine } from '../recovery-point/manifest.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, skip, sum, toCounts } from '../run/work/tally.ts';
import { showBytes, showCount } from '../topology/figures.ts';
import { newGroupResult, walkGroups, type GroupResult, type GroupTools, type Walked } from './walk-groups.ts';

/**
 * Errors: ReconciliationError if a blob is missing or differs, unless the restore skipped it with a reason or a person
 * has accepted its loss; AzureUnavailable; RecoveryPointError.
 */
export async function reconcileBlobs(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const notDone = await notRestored(context);
  const walked = await walkGroups(context, standby, {
    visit: (group, tools) => compareGroup(context, group, { ...tools, notDone }),
  });
  if (walked.expected === 0)
    return {
      state: 'skipped',
      detail: `the recovery point has no blobs of ${[...walked.classes].join(', ')}`,
    };
  return conclude(context, standby, walked);
}

async function conclude(
  context: StepContext,
  { point }: Standby,
  { tally, findings, expected }: Walked,
): Promise<StepResult> {
  const counts = toCounts(tally, 'blobs', expected);
  const { acceptedLoss, to } = context;
  // The following steps read what a person has accepted.
  const evidence = await endFindings(context, acceptedLoss ? 'list' : 'reconciliation', findings);
  const lost = findings.failed;
  await requireAcceptance(context, point.sealed, { lost, expected, evidence });
  const skipped = sum(tally.skipped);
  return {
    state: 'completed',
    detail:
      `${tally.done} of ${showCount(expected, 'blob')} (${showBytes(tally.bytes)}) read in ${to.region}, digests equal` +
      (skipped > 0 ? `; ${skipped} skipped when restoring, or accepted as lost` : ''),
    counts: [counts],
    evidence,
    ...(lost.count > 0 ? { lost: showFindings(lost) } : {}),
  };
}

/** What the restore did not do with a blob. Small, because it may apply to every blob. */
type NotRestored = 'lost' | { skipped: string };

async function notRestored(context: StepContext): Promise<Map<string, NotRestored>> {
  const found = new Map<string, NotRestored>();
  const byReason = new Map<string, NotRestored>();
  for await (const { what, state, reason, lost } of findingsBy(context, 'restoreBlobs')) {
    if (lost) found.set(what, 'lost');
    if (lost || state !== 'skipped') continue;
    const skipped = byReason.get(reason) ?? { skipped: reason };
    byReason.set(reason, skipped);
    found.set(what, skipped);
  }
  return found;
}

interface CompareTools extends GroupTools {
  /** What the restore skipped or lost, and why. */
  notDone: ReadonlyMap<string, NotRestored>;
}

async function compareGroup(
  { signal, acceptedLoss: accepted }: StepContext,
  group: BlobGroup,
  { standby, notDone, limit, heartbeat, lists }: CompareTools,
): Promise<GroupResult> {
  const { beat } = heartbeat;
  const container = standby.containerFor(group.account, group.container);
  const blobs = listBlobs(standby.account, container, group.unit, signal);
  const result = newGroupResult(lists);
  await forEachBounded(linesWithBlobs({ group, blobs, lists, beat }), 256, ({ line, there }, index) =>
    limit(async () => {
      const difference = await compare(line, there, { standby, container, signal, heartbeat });
      const what = `${container}/${line.path}`;
      await count(result, { line, what, difference, known: notDone.get(what), index, accepted });
      heartbeat.add(1, line.sizeBytes);
      await beat();
    }),
  );
  return result;
}

/** A difference in content, or only in headers and metadata. */
type Difference = string | { headers: string };

async function compare(
  line: BlobLine,
  there: ListedBlob | undefined,
  at: { standby: Standby; container: string; signal: AbortSignal; heartbeat: Heartbeat },
): Promise<Difference | undefined> {
  if (!there) return 'missing';
  if (there.sizeBytes !== line.sizeBytes) return `${there.sizeBytes} bytes, expected ${line.sizeBytes}`;
  const address = { account: at.standby.account, container: at.container, path: line.path };
  const digests = await hashBlob(address, { signal: at.signal, onChunk: at.heartbeat.beat });
  if (typeof digests === 'string') return 'missing';
  if (digests.sha256 !== line.sha256) return `sha256 ${digests.sha256}, expected sha256 ${line.sha256}`;
  const headers = differenceOfHeaders(line, there);
  return headers === undefined ? undefined : { headers };
}

interface ComparedLine {
  line: BlobLine;
  what: string;
  /** How it differs. */
  difference: Difference | undefined;
  /** What the restore skipped or lost, and why: the expected difference. */
  known: NotRestored | undefined;
  index: number;
  accepted: LossAcceptance | undefined;
}

async function count({ tally, findings }: GroupResult, compared: ComparedLine): Promise<void> {
  const { line, what, difference, known, index, accepted } = compared;
  if (difference === undefined) {
    tally.done += 1;
    tally.bytes += line.sizeBytes;
  } else if (known === 'lost') {
    skip(tally, 'accepted as lost when it was restored');
  } else {
    const text = typeof difference === 'string' ? difference : difference.headers;
    if (known) {
      skip(tally, known.skipped);
      await findings.note(index, { what, state: 'skipped', reason: `${text}: ${known.skipped}` });
      return;
    }
    (accepted ? skip : fail)(tally, `${text === 'missing' ? text : 'different'}${showAcceptance(accepted)}`);
    const { lost, ...finding } = lostBlob(what, line, { difference: text, accepted });
    // An asset is complete even if a blob has another content type.
    const isLost = typeof difference === 'string' && lost;
    await findings.note(index, { ...finding, ...(isLost ? { lost } : {}) });
  }
}
