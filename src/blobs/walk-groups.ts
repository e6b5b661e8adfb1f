/**
 * Walks all blobs of a recovery point's classes, for restoring and reconciling. Groups are processed concurrently and
 * counted, and a retry continues where the walk stopped.
 */
import { z } from 'zod';
import type { StepContext } from '../run/work/step-context.ts';
import type { ResourceClass } from '../topology/words.ts';
import { blobGroups, classesOfStep, type BlobGroup } from './blob-groups.ts';
import { batches, createLimiter, mapBounded } from '../run/work/bounded.ts';
import { addFinding, FindingsState, noFindings } from '../run/work/findings-log.ts';
import { resumeProgress, type Finding } from '../run/work/findings.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { spools, type Spool, type Spools } from '../run/work/spool.ts';
import type { Standby } from '../standby/standby.ts';
import { addTally, newTally, seen, Tally } from '../run/work/tally.ts';

/** What happened to a group's blobs. Only counts, because there may be more blobs than fit in memory. */
export interface GroupResult {
  tally: Tally;
  findings: GroupFindings;
}

/** Findings of a group, in the order of the recovery point, whichever blob was done first. */
export interface GroupFindings {
  note(index: number, finding: Finding): Promise<void>;
  list: Spool<{ index: number; finding: Finding }>;
}

/** Returns a result with all counts at zero. `lists`: where its findings are kept. */
export function newGroupResult(lists: Spools): GroupResult {
  const list = lists.make<{ index: number; finding: Finding }>(({ index }) => String(index).padStart(12, '0'));
  // Notes are written one after another, while many blobs are checked concurrently.
  let added = Promise.resolve();
  const note = (index: number, finding: Finding) => (added = added.then(() => list.add({ index, finding })));
  return { tally: newTally(), findings: { note, list } };
}

/** What the work on a group receives. */
export interface GroupTools {
  standby: Standby;
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  lists: Spools;
}

/** The work on a group. */
export interface GroupWork {
  /** Called before any group of a window is processed. */
  prepare?: (groups: BlobGroup[]) => Promise<void>;
  visit: (group: BlobGroup, tools: GroupTools) => Promise<GroupResult>;
}

/** The result of the walk, and its cursor. */
export interface Walked {
  tally: Tally;
  findings: FindingsState;
  /** Blobs that the recovery point has of these classes. */
  expected: number;
  classes: ReadonlySet<ResourceClass>;
}

const State = z.strictObject({
  /** Groups that are done. */
  units: z.int().nonnegative(),
  tally: Tally,
  findings: FindingsState,
});
type State = z.infer<typeof State>;

/** Runs the work on every group. */
export async function walkGroups(
  context: StepContext,
  standby: Standby,
  { prepare, visit }: GroupWork,
): Promise<Walked> {
  const { store, topology } = context;
  const { concurrency } = topology.artifacts;
  const classes = classesOfStep(context);
  const progress = await resumeProgress(context, State, {
    units: 0,
    tally: newTally(),
    findings: noFindings(),
  });
  const { state } = progress;
  const heartbeat = startHeartbeat(context, 'blobs', { done: seen(state.tally), bytes: state.tally.bytes });
  const lists = spools();
  const tools: GroupTools = { standby, limit: createLimiter(concurrency), heartbeat, lists };
  let expected = 0;
  let index = 0;
  try {
    const { selection, point } = standby;
    const groups = blobGroups({ store, sealed: point.sealed, selection, classes, lists, beat: heartbeat.beat });
    for await (const window of batches(groups, concurrency)) {
      for (const group of window) expected += group.lines.count;
      const todo = window.filter(() => index++ >= state.units);
      await prepare?.(todo);
      const results = await mapBounded(todo, window.length, (group) => visit(group, tools));
      for (const result of results) await addTo(context, state, result);
      for (const { lines } of window) await lines.discard();
      state.units = Math.max(state.units, index);
      await progress.save(heartbeat);
    }
  } finally {
    await lists.discard();
  }
  return { tally: state.tally, findings: state.findings, expected, classes };
}

/** Two attempts leave the same evidence: groups and findings are in the order of the recovery point. */
async function addTo(context: StepContext, state: State, { tally, findings: { list } }: GroupResult): Promise<void> {
  addTally(state.tally, tally);
  for await (const { finding } of list) await addFinding(context, state.findings, finding);
  await list.discard();
}
