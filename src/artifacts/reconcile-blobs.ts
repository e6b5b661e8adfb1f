/**
 * The action `reconcileBlobs`: lists the standby's containers afresh, reads every blob through, and compares its bytes, headers and metadata
 * with the manifest. It takes no word of what restoring said it did, but for what that skipped and why.
 */
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { besideLines, type BlobGroup } from './blob-groups.ts';
import { differenceOfHeaders, hashBlob, listBlobs, type ListedBlob } from './blobs.ts';
import { forEachBounded } from './bounded.ts';
import { showFindings, skippedBy, writeFindings } from './evidence.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { BlobLine } from './manifest.ts';
import { openStandby, type Standby } from './standby.ts';
import { fail, newTally, showBytes, showCount, skip, sum, toCounts } from './tally.ts';
import { walkGroups, type GroupResult, type GroupTools, type Walked } from './walk-groups.ts';

/**
 * Errors: ReconciliationError if a blob is missing or differs, unless restoring skipped it with a reason; AzureUnavailable; RecoveryPointError.
 */
export async function reconcileBlobs(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const skipped = await skippedBy(context, 'restoreBlobs');
  const walked = await walkGroups(context, standby, {
    visit: (group, tools) => compareGroup(context, group, { ...tools, skipped }),
  });
  if (walked.expected === 0)
    return {
      state: 'skipped',
      detail: `the recovery point has no blobs of ${[...walked.classes].join(', ')}`,
    };
  return conclude(context, walked);
}

async function conclude(context: StepContext, { tally, findings, expected }: Walked): Promise<StepResult> {
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

interface CompareTools extends GroupTools {
  /** What restoring skipped, and why. */
  skipped: ReadonlyMap<string, string>;
}

async function compareGroup(
  { signal }: StepContext,
  group: BlobGroup,
  { standby, skipped, limit, heartbeat, lists }: CompareTools,
): Promise<GroupResult> {
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
