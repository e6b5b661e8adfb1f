/**
 * The action `scrubReplicas`: reads a share of the replicas and of the parts of recovery points, and compares them with
 * their digests. A damaged replica is repaired from its source, or marked. The copying that follows reuses no marked
 * one.
 */
import { z } from 'zod';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { knownDamage, showDamagedPoint, showDamagedReplica, type KnownDamage } from '../recovery-point/damage.ts';
import { resumeProgress, type KeptProgress } from '../run/work/findings.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { sealedIds } from '../recovery-point/list-points.ts';
import {
  changeScrubLedger,
  forgetScrubLedger,
  readScrubLedger,
  sealDamage,
  type ScrubLedger,
  type ScrubList,
  type ScrubbedPoint,
} from '../recovery-point/scrub-ledger.ts';
import { scrubList, type ScrubTools } from './scrub-list.ts';
import { damagedParts, takeUpPoints } from './scrub-points.ts';
import { intervalBefore, shareOf, type ScrubUnit } from './scrub-share.ts';
import { fail, newTally, seen, skip, sum, toCounts, Tally } from '../run/work/tally.ts';
import { showBytes, showCount } from '../topology/figures.ts';
import { findWorkspace } from '../workspace/workspace.ts';

/** What is read together. `again`: replicas of a list that are known to be damaged. */
const Item = z.union([
  z.strictObject({ list: z.string(), again: z.literal(true).optional() }),
  z.strictObject({ point: z.string() }),
]);
type Item = z.infer<typeof Item>;

const State = z.strictObject({
  /** Absent if nothing has begun. */
  startedAt: z.string().optional(),
  items: z.array(Item),
  /** Number of items done. */
  done: z.int().nonnegative(),
  tally: Tally,
  repaired: z.int().nonnegative(),
  /** Why replicas of an account could not be read, and how many. */
  unread: z.record(z.string(), z.int().nonnegative()),
  /** Why the ledger was started again. */
  forgotten: z.string().optional(),
});
type State = z.infer<typeof State>;

/** What was found since the ledger was last written. */
interface Changes {
  lists: Map<string, Partial<ScrubList>>;
  points: Map<string, Partial<ScrubbedPoint>>;
}

const acceptedAsLost = 'damaged, and accepted as lost';
/** A request costs as much as reading this many bytes. */
const bytesPerReplica = 256 * 1024;
/** How many recent recovery points are used to estimate the time until the next one. */
const timesKnown = 8;
/** How many damaged replicas are retried each time, before their turn. */
const triedAgain = 1000;

/**
 * Errors: AzureUnavailable (the control store or the standby's storage does not answer), PreconditionError (no standby
 * workspace).
 */
export async function scrubReplicas(context: StepContext): Promise<StepResult> {
  const { azure, store, to, topology, signal } = context;
  const { scrubPeriod, scrubAtMost } = topology.policies;
  if (scrubPeriod === 'off')
    return { state: 'skipped', detail: 'policies.scrubPeriod is "off": no copy is read again' };
  const workspace = await findWorkspace(azure.arm, to, signal);
  const progress = await resumeProgress(context, State, {
    items: [],
    done: 0,
    tally: newTally(),
    repaired: 0,
    unread: {},
  });
  const { state } = progress;
  const { done, bytes } = { ...state.tally, done: seen(state.tally) };
  const heartbeat = startHeartbeat(context, 'copies', { done, bytes });
  const tools: ScrubTools = {
    standbyAccountId: workspace.storageAccountId,
    ids: await idsOf(store),
    heartbeat,
  };
  let known: KnownDamage;
  try {
    if (state.startedAt === undefined) await begin(context, state, tools);
    await scrubItems(context, progress, { ...tools, untilMs: toSeconds(scrubAtMost) * 1000 });
    known = await knownDamage(store);
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    // A recovery point can be made even if the ledger cannot be read.
    await forgetScrubLedger(store);
    state.forgotten = messageOf(error);
    state.done = state.items.length;
    known = await knownDamage(store);
  }
  return {
    state: 'completed',
    detail: describe(state, known.replicas),
    counts: [toCounts(state.tally, 'copies', seen(state.tally))],
    ...lostOf(context, state, known),
  };
}

/** Ids of all sealed recovery points, newest first. Those in the ledger are not read again. */
async function idsOf(store: ControlStore): Promise<string[]> {
  try {
    const { points } = await readScrubLedger(store);
    return await sealedIds(store, { isKnown: (id) => points[id] !== undefined });
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return sealedIds(store);
  }
}

async function begin(context: StepContext, state: State, { ids, heartbeat }: ScrubTools): Promise<void> {
  const { store, topology } = context;
  const now = context.now();
  const known = await readScrubLedger(store);
  const ledger = await takeUpPoints(store, known, { ids, now, beat: heartbeat.beat });
  const times = ids.slice(0, timesKnown).map((id) => timeOf(id));
  const share = shareOf(unitsOf(ledger), {
    now: now.getTime(),
    intervalMs: intervalBefore(times, now.getTime()),
    periodMs: toSeconds(topology.policies.scrubPeriod) * 1000,
  });
  state.items = [...damagedOnes(ledger, share), ...share.map(({ item }) => item)];
  state.startedAt = now.toISOString();
}

/** Parses the time in an id such as `2026-11-21T10-00-00.000Z-e1`. */
function timeOf(id: string): number {
  const [day = '', time = ''] = id.slice(0, 24).split('T');
  return Date.parse(`${day}T${time.replaceAll('-', ':')}`);
}

interface Unit extends ScrubUnit {
  item: Item;
}

function unitsOf({ lists, points }: ScrubLedger): Unit[] {
  return [
    ...lists.map(({ digest, readAt, bytes, count }) => ({
      item: { list: digest },
      readAt,
      weight: bytes + count * bytesPerReplica,
    })),
    ...Object.entries(points).map(([id, { readAt, bytes }]) => ({
      item: { point: id },
      readAt,
      weight: bytes + bytesPerReplica,
    })),
  ];
}

/** The source may be back, or what prevented the repair may be gone. */
function damagedOnes({ lists }: ScrubLedger, share: readonly Unit[]): Item[] {
  const taken = new Set(share.map(({ item }) => ('list' in item ? item.list : '')));
  const items: Item[] = [];
  let count = 0;
  for (const { digest, damage } of lists) {
    if (!damage || taken.has(digest) || count + damage.count > triedAgain) continue;
    items.push({ list: digest, again: true });
    count += damage.count;
  }
  return items;
}

async function scrubItems(
  context: StepContext,
  progress: KeptProgress<State>,
  tools: ScrubTools & { untilMs: number },
): Promise<void> {
  const { state } = progress;
  const changes: Changes = { lists: new Map(), points: new Map() };
  const lists = new Map((await readScrubLedger(context.store)).lists.map((list) => [list.digest, list]));
  const until = Date.parse(state.startedAt ?? '') + tools.untilMs;
  while (state.done < state.items.length && context.now().getTime() < until) {
    const item = state.items[state.done];
    if (item && 'point' in item) await readPoint(context, item.point, tools.heartbeat, changes);
    const list = item && 'list' in item ? lists.get(item.list) : undefined;
    if (item && list) await readList(context, state, list, { ...tools, again: 'again' in item, changes });
    state.done += 1;
    await progress.save(tools.heartbeat, () => write(context, changes));
  }
  await write(context, changes);
}

async function readPoint(context: StepContext, id: string, heartbeat: Heartbeat, { points }: Changes): Promise<void> {
  const readAt = context.now().toISOString();
  const damaged = await damagedParts(context.store, id, heartbeat.beat);
  points.set(id, damaged.length > 0 ? { readAt, damaged } : { readAt });
}

async function readList(
  context: StepContext,
  state: State,
  list: ScrubList,
  { again, changes, ...tools }: ScrubTools & { again: boolean; changes: Changes },
): Promise<void> {
  const { tally } = state;
  const readAt = context.now().toISOString();
  const scrubbed = await scrubList(context, list, { ...tools, again });
  if ('unread' in scrubbed) {
    const count = again ? (list.damage?.count ?? 0) : list.count;
    skip(tally, 'their account cannot be read', count);
    state.unread[scrubbed.unread] = (state.unread[scrubbed.unread] ?? 0) + count;
    return;
  }
  tally.done += scrubbed.whole + scrubbed.repaired;
  tally.bytes += scrubbed.bytes;
  state.repaired += scrubbed.repaired;
  // Each has a reason of its own in the list of damaged replicas.
  for (const { accepted } of scrubbed.damaged) {
    if (accepted) skip(tally, acceptedAsLost);
    else fail(tally, 'damaged, and not repaired');
  }
  const damage = await sealDamage(context.store, scrubbed.damaged);
  changes.lists.set(list.digest, { ...damage, ...(again ? {} : { readAt }) });
}

async function write({ store }: StepContext, { lists, points }: Changes): Promise<void> {
  if (lists.size + points.size === 0) return;
  await changeScrubLedger(store, (ledger) => {
    ledger.lists = ledger.lists.map((list) => {
      const change = lists.get(list.digest);
      if (!change) return list;
      const { damage: _before, ...kept } = list;
      return { ...kept, ...change };
    });
    for (const [id, change] of points) changePoint(ledger, id, change);
  });
  lists.clear();
  points.clear();
}

function changePoint({ points }: ScrubLedger, id: string, change: Partial<ScrubbedPoint>): void {
  const known = points[id];
  if (!known) return;
  // What was missing is back, with replicas that may be in no list yet: add the recovery point again.
  if (known.damaged && !change.damaged) {
    delete points[id];
    return;
  }
  const { accepted, ...rest } = known;
  // The acceptance is valid for exactly that damage.
  const isSame = change.damaged?.every(({ part }) => known.damaged?.some((each) => each.part === part));
  points[id] = { ...rest, ...change, ...(accepted && isSame ? { accepted } : {}) };
}

function lostOf(
  { now, topology }: StepContext,
  { unread, forgotten }: State,
  { replicas, examples, points, oldestReadAt = '' }: KnownDamage,
): Pick<StepResult, 'lost'> {
  const open = replicas.count - replicas.accepted;
  const named = examples.filter(({ accepted }) => !accepted).map(showDamagedReplica);
  const due = Date.parse(oldestReadAt) + toSeconds(topology.policies.scrubPeriod) * 1000;
  const lost = [
    ...named,
    ...(open > named.length ? [`and ${open - named.length} more copies are damaged`] : []),
    ...points.filter(({ accepted }) => !accepted).map(showDamagedPoint),
    ...Object.entries(unread).map(
      ([reason, count]) => `${showCount(count, 'copy', 'copies')} could not be read: ${reason}`,
    ),
    ...(forgotten === undefined
      ? []
      : [`which copies were read, and when, is not known any more, and all are read again: ${forgotten}`]),
    ...(due < now().getTime()
      ? [
          `some copies were last read at ${oldestReadAt}, longer ago than policies.scrubPeriod: raise policies.scrubAtMost`,
        ]
      : []),
  ];
  return lost.length > 0 ? { lost } : {};
}

function describe({ tally, repaired, items, done }: State, { count, accepted }: KnownDamage['replicas']): string {
  const read = tally.done + sum(tally.failed) + (tally.skipped[acceptedAsLost] ?? 0);
  const parts = [
    `${showCount(read, 'copy', 'copies')} (${showBytes(tally.bytes)}) read: ${tally.done - repaired} as sealed, ${repaired} repaired`,
    ...(count > 0 ? [`${count} damaged for good${accepted > 0 ? `, ${accepted} of them accepted as lost` : ''}`] : []),
    ...(done < items.length ? [`${showCount(items.length - done, 'list')} left to the next time`] : []),
  ];
  return parts.join('; ');
}
