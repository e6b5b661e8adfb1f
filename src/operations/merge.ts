/** The merge that a failback makes, from three sealed recovery points. Asks no region, and changes nothing. */
import { posix } from 'node:path';
import { UnderstudyError } from '../errors/error.ts';
import { readPointer } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { readDeparture, type Departure } from '../fence/departures.ts';
import { comparePoints, type PointsToCompare } from '../merge/compare-points.ts';
import { decideAbout } from '../merge/decide-merge.ts';
import { possibleTakes, type MergeDecision, type Take } from '../merge/decisions.ts';
import type { Difference } from '../merge/three-way.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { listRecoveryPoints } from '../recovery-point/list-points.ts';
import { listSteps, requireRun } from '../run/journal.ts';
import { planFolder, plans } from '../run/plan-document.ts';
import { withPlan } from '../run/run-document.ts';
import { sealedBy } from '../run/work/recovery-point-of.ts';
import { otherRegion } from '../topology/sides.ts';
import type { MergeDocument } from './documents/merge.ts';
import type { Planning } from './plans/planning.ts';

/** A merge that can be made: between which regions, of which recovery points. */
interface FoundMerge {
  writer: string;
  departure: Departure;
  points: PointsToCompare;
}

/**
 * NothingToDo if no move has left a region, or it has not been reprotected; RecoveryPointError if a recovery point is
 * missing or altered.
 */
async function findMerge({ store, topology, now }: Planning): Promise<FoundMerge> {
  const { writer } = await readPointer(store, { topology, who: 'failback', now });
  const there = otherRegion(topology, writer);
  const departure = await readDeparture(store, there);
  if (!departure) throw nothing(`no move has left ${there}: there is nothing to merge, and nothing to go back to`);
  const { divergence } = departure;
  if (!divergence)
    throw nothing(
      `what ${departure.region} had when run "${departure.run}" left it has not been sealed`,
      reprotectFirst,
    );
  const [newest] = (await listRecoveryPoints(store, { region: writer, limit: 1 })).sealed;
  if (!newest || newest.epoch < departure.epoch)
    throw nothing(
      `there is no recovery point of ${writer} since run "${departure.run}" has moved there`,
      reprotectFirst,
    );
  const base = await baseOf(store, departure.run);
  return { writer, departure, points: { base, divergence, newest: newest.ref } };
}

/**
 * A merge, and what becomes of each difference. Errors: those of `findMerge`; UsageError if a decision decides nothing.
 */
export async function decidedMerge(planning: Planning, decided: readonly string[]) {
  const found = await findMerge(planning);
  const { store, topology } = planning;
  const merge = await comparePoints(store, found.points);
  const { differences } = merge;
  const decisions = readDecisions(decided, found, differences);
  const { divergence } = found.points;
  return {
    ...found,
    ...merge,
    decisions,
    ...(await decideAbout(store, { divergence, differences, decisions }, topology.merge)),
  };
}

/** As a document. Errors: those of `decidedMerge`. */
export async function lookAtMerge(planning: Planning, decided: readonly string[]): Promise<MergeDocument> {
  const merge = await decidedMerge(planning, decided);
  const { writer, departure, points, differences, items, undecided, same, onlyHere } = merge;
  const taken = new Map(items.map((each) => [each.item, each]));
  return {
    there: departure.region,
    here: writer,
    run: departure.run,
    base: pointOf(points.base),
    divergencePoint: pointOf(points.divergence),
    newest: pointOf(points.newest),
    differences: differences.map((each) => {
      const { take, by, as } = taken.get(each.item) ?? {};
      const renumberedTo = as ?? each.renumberedTo;
      return {
        ...each,
        ...(renumberedTo === undefined ? {} : { renumberedTo }),
        ...(take === undefined ? {} : { take, by }),
      };
    }),
    conflicts: undecided.length,
    same,
    onlyHere,
  };
}

const reprotectFirst = 'Run "understudy reprotect" first, once the region answers.';

function nothing(message: string, next?: string): UnderstudyError {
  return new UnderstudyError('NothingToDo', message, next === undefined ? {} : { next });
}

function pointOf({ id, startedAt }: RecoveryPointRef) {
  return { id, startedAt };
}

/** The recovery point that the move has restored. */
async function baseOf(store: ControlStore, runId: string): Promise<RecoveryPointRef> {
  const plan = await plans.open(store, planFolder, withPlan(await requireRun(store, runId)).plan);
  const base = plan.recoveryPoint ?? sealedBy(plan, await listSteps(store, runId));
  if (base) return base;
  throw new UnderstudyError('ControlStoreError', `the journal of run "${runId}" does not name its recovery point`);
}

/**
 * Reads `ITEM=WHO`: a glob over the items of the differences, and the region whose counts, or "both".
 * Errors: UsageError, if it is not of that form, or decides nothing.
 */
function readDecisions(
  decided: readonly string[],
  { writer, departure }: FoundMerge,
  differences: readonly Difference[],
): MergeDecision[] {
  const words: Record<Take, string> = { writer, returning: departure.region, both: 'both' };
  return decided.map((text) => {
    const at = text.lastIndexOf('=');
    const [items, who] = [text.slice(0, at), text.slice(at + 1)];
    const take = (Object.keys(words) as Take[]).find((each) => words[each] === who);
    const wrong = (message: string) =>
      new UnderstudyError('UsageError', `--decide "${text}": ${message}`, {
        next: 'See what differs with "understudy failback --plan".',
      });
    if (at < 1 || !take)
      throw wrong(
        `expected ITEM=WHO, where WHO is ${writer}, ${departure.region} or both, such as "endpoints/*=${writer}"`,
      );
    const matching = differences.filter(({ item }) => posix.matchesGlob(item, items));
    if (matching.length === 0) throw wrong(`nothing that differs matches "${items}"`);
    const [first] = matching;
    if (first && !matching.some((each) => possibleTakes(each).includes(take)))
      throw wrong(
        `of ${first.item} (${first.case}), expected ${possibleTakes(first)
          .map((each) => words[each])
          .join(' or ')}`,
      );
    return { items, take };
  });
}
