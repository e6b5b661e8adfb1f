/** The walk through all blobs of a recovery point's classes that restoring and reconciling share: side by side, counted, and resumed where it was. */
import { z } from 'zod';
import type { StepContext } from '../run/work/step-context.ts';
import type { ResourceClass } from '../topology/words.ts';
import { blobGroups, classesOfStep, type BlobGroup } from './blob-groups.ts';
import { batches, createLimiter, mapBounded } from '../run/work/bounded.ts';
import { Finding, resumeProgress } from '../run/work/findings.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { spools, type Spools } from '../run/work/spool.ts';
import type { Standby } from '../standby/standby.ts';
import { addTally, newTally, seen, Tally } from '../run/work/tally.ts';

/** What became of a group's blobs: counted, since there may be more of them than memory holds. */
export interface GroupResult {
  tally: Tally;
  findings: { index: number; finding: Finding }[];
}

/** What the work on a group is lent. */
export interface GroupTools {
  standby: Standby;
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  lists: Spools;
}

export interface GroupWork {
  /** Before any group of a window is worked on. */
  prepare?: (groups: BlobGroup[]) => Promise<void>;
  visit: (group: BlobGroup, tools: GroupTools) => Promise<GroupResult>;
}

export interface Walked {
  tally: Tally;
  findings: Finding[];
  /** Blobs that the recovery point has of these classes. */
  expected: number;
  classes: ReadonlySet<ResourceClass>;
}

const State = z.strictObject({
  /** Groups that are done. */
  units: z.int().nonnegative(),
  tally: Tally,
  findings: z.array(Finding),
});
type State = z.infer<typeof State>;

export async function walkGroups(
  context: StepContext,
  standby: Standby,
  { prepare, visit }: GroupWork,
): Promise<Walked> {
  const { store, topology } = context;
  const { concurrency } = topology.artifacts;
  const classes = classesOfStep(context);
  const progress = await resumeProgress(context, State, { units: 0, tally: newTally(), findings: [] });
  const { state } = progress;
  const heartbeat = startHeartbeat(context, 'blobs', { done: seen(state.tally), bytes: state.tally.bytes });
  const lists = spools();
  const tools: GroupTools = { standby, limit: createLimiter(concurrency), heartbeat, lists };
  let expected = 0;
  let index = 0;
  try {
    const groups = blobGroups({ store, sealed: standby.point.sealed, classes, lists, beat: heartbeat.beat });
    for await (const window of batches(groups, concurrency)) {
      for (const group of window) expected += group.lines.count;
      const todo = window.filter(() => index++ >= state.units);
      await prepare?.(todo);
      const results = await mapBounded(todo, window.length, (group) => visit(group, tools));
      for (const result of results) addTo(state, result);
      for (const { lines } of window) await lines.discard();
      state.units = Math.max(state.units, index);
      await progress.settle(heartbeat);
    }
  } finally {
    await lists.discard();
  }
  return { tally: state.tally, findings: state.findings, expected, classes };
}

function addTo(state: State, { tally, findings }: GroupResult): void {
  addTally(state.tally, tally);
  // In the order of the recovery point, whichever blob was done first: two attempts leave the same evidence.
  const inOrder = findings.toSorted((a, b) => a.index - b.index);
  state.findings.push(...inOrder.map(({ finding }) => finding));
}
