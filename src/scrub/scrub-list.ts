/** Reads the replicas of one list, and repairs damaged ones. */
import { sameName } from '../azure/ids.ts';
import type { BlobAccount } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { lastReferring } from '../recovery-point/find-line.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import { repairReplica, type Repaired } from '../blobs/repair-replica.ts';
import {
  openDamage,
  openList,
  type DamagedReplica,
  type ReplicaLine,
  type ScrubList,
} from '../recovery-point/scrub-ledger.ts';

/** Context of scrubbing a list. */
export interface ScrubTools {
  /** ARM id of the standby's own account. If it does not answer, replication fails too. */
  standbyAccountId: string;
  /** Ids of all sealed recovery points, newest first. */
  ids: readonly string[];
  heartbeat: Heartbeat;
}

/** `unread`: why its account could not be read. */
export type ScrubbedList =
  | { whole: number; repaired: number; bytes: number; damaged: DamagedReplica[] }
  | { unread: string };

/** For how many damaged replicas of a list the last recovery point is looked up. */
const lookedFor = 20;

/**
 * Scrubs a list. `again`: only replicas that are known to be damaged.
 * Errors: ControlStoreError if the list is altered or missing; AzureUnavailable if the standby does not answer.
 */
export async function scrubList(
  context: StepContext,
  list: ScrubList,
  { again, ...tools }: ScrubTools & { again: boolean },
): Promise<ScrubbedList> {
  const known = new Map((await openDamage(context.store, list)).map((each) => [each.line.replica, each]));
  const lines = again ? [...known.values()].map(({ line }) => line) : await openList(context.store, list);
  let repair: Map<ReplicaLine, Repaired>;
  try {
    repair = await repairAll(context, list, lines, tools);
  } catch (error) {
    const isOther = !sameName(tools.standbyAccountId, list.accountId);
    const isAzures = isUnderstudyError(error, 'AzureError') || isUnderstudyError(error, 'AzureUnavailable');
    // Replicas in the other region, for failback. This recovery point does not wait for them.
    if (isOther && isAzures) return { unread: messageOf(error) };
    throw error;
  }
  const result = { whole: 0, repaired: 0, bytes: 0, damaged: [] as DamagedReplica[] };
  for (const line of lines) {
    const one = repair.get(line);
    result.bytes += line.sizeBytes;
    if (one?.state === 'whole') result.whole += 1;
    if (one?.state === 'repaired') result.repaired += 1;
    if (one?.state !== 'damaged') continue;
    const { actual, reason } = one;
    const before = known.get(line.replica);
    const last = result.damaged.length < lookedFor ? await lastOf(context, line, tools) : before?.recoveryPoints.last;
    result.damaged.push({
      ...(before ?? { foundAt: context.now().toISOString() }),
      line,
      accountId: list.accountId,
      actual,
      reason,
      recoveryPoints: { first: line.since, ...(last === undefined ? {} : { last }) },
    });
  }
  return result;
}

async function repairAll(
  { azure, topology, signal }: StepContext,
  { accountId }: ScrubList,
  lines: readonly ReplicaLine[],
  { heartbeat }: ScrubTools,
): Promise<Map<ReplicaLine, Repaired>> {
  const repair = new Map<ReplicaLine, Repaired>();
  const { beat } = heartbeat;
  const account = await azure.blobAccount(accountId, { signal });
  const sources = new Map<string, Promise<BlobAccount>>();
  const sourceOf = (id: string) => {
    const found = sources.get(id) ?? azure.blobAccount(id, { signal });
    sources.set(id, found);
    return found;
  };
  await forEachBounded(lines, topology.artifacts.concurrency, async (line) => {
    const source = () => sourceOf(line.sourceAccountId);
    repair.set(line, await repairReplica({ line, account, source, signal, beat }));
    heartbeat.add(1, line.sizeBytes);
    await beat();
  });
  return repair;
}

function lastOf({ store }: StepContext, line: ReplicaLine, { ids }: ScrubTools): Promise<string | undefined> {
  const since = ids.indexOf(line.since);
  return lastReferring(store, since < 0 ? [] : ids.slice(0, since + 1).toReversed(), line);
}
