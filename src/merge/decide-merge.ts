/** The action `decideMerge`: what becomes of each difference between the two sides. It changes neither of them. */
import { z } from 'zod';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { RecoveryPointRef } from '../plan/plan.ts';
import { provided } from '../run/work/provided.ts';
import { writeFindings } from '../run/work/findings.ts';
import { reconcile, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showCount } from '../topology/figures.ts';
import type { Topology } from '../topology/topology.ts';
import { comparePoints } from './compare-points.ts';
import { decide, MergeDecision, type Decided, type DecidedItem } from './decisions.ts';
import { decidedFolder, decidedMerges, readMerged, type DecidedMerge } from './merge-record.ts';
import { leaveBehind } from './selection.ts';
import type { Difference } from './three-way.ts';

/** What the plan says of a merge. */
const MergeInput = z.strictObject({
  base: RecoveryPointRef,
  divergence: RecoveryPointRef,
  newest: RecoveryPointRef,
  decisions: z.array(MergeDecision),
});

/** Errors: PreconditionError if nobody has decided about a conflict; RecoveryPointError; AzureUnavailable. */
export async function decideMerge(context: StepContext): Promise<StepResult> {
  const { store, topology, from, to } = context;
  const input = MergeInput.parse(context.step.input);
  await context.checkpoint({ unit: 'recovery points', done: 0, total: 3 });
  const { differences, alike, same, onlyHere } = await comparePoints(store, input);
  const { divergence, newest, decisions } = input;
  const { items, undecided } = await decideAbout(store, { divergence, differences, decisions }, topology.merge);
  await context.checkpoint({ unit: 'recovery points', done: 3, total: 3 });
  const problem = aboutUndecided(undecided);
  if (problem) throw new UnderstudyError('PreconditionError', problem.message, { next: problem.next });
  const digest = await decidedMerges.seal(store, decidedFolder, { divergence, newest, items, alike });
  const left = items.filter(leaveBehind);
  const [brought, kept] = [items.length - left.length, left.length];
  return {
    state: 'completed',
    detail:
      items.length === 0
        ? `${to.region} has nothing that ${from.region} lacks or has otherwise`
        : `${showCount(brought, 'item')} of ${to.region} to bring to ${from.region}, ${kept} left as they are; ${same} the same, ${onlyHere} only in ${from.region}`,
    counts: [
      reconcile({
        kind: 'differences',
        expected: items.length,
        done: brought,
        skipped: [...Map.groupBy(left, whyLeft)].map(([reason, of]) => ({ reason, count: of.length })),
        failed: [],
      }),
    ],
    evidence: await writeFindings(
      context,
      'list',
      left.map((each) => ({ what: each.item, state: 'skipped', reason: `${each.case}: ${whyLeft(each)}` })),
    ),
    facts: { merge: digest },
  };
}

function whyLeft({ by }: DecidedItem): string {
  return { person: 'a person decided so', policy: 'the policy says so', kind: 'each region has its own' }[by];
}

/** Differences, and the divergence point in which they were found. */
export interface DecideAbout {
  divergence: RecoveryPointRef;
  differences: readonly Difference[];
  decisions: readonly MergeDecision[];
}

/** What becomes of each difference. */
export async function decideAbout(
  store: ControlStore,
  { divergence, differences, decisions }: DecideAbout,
  policy: Topology['merge'],
): Promise<Decided> {
  const earlier = await readMerged(store, divergence.id);
  return decide({ differences, policy, decisions, earlier });
}

const shown = 5;

/** That there are conflicts about which nobody has decided, and what to do; undefined if there are none. */
export function aboutUndecided(undecided: Decided['undecided']): { message: string; next: string } | undefined {
  if (undecided.length === 0) return undefined;
  const more = undecided.length - shown;
  const named = undecided.slice(0, shown).map(({ item, case: what }) => `${item} (${what})`);
  return {
    message: `${showCount(undecided.length, 'merge conflict')} that nobody decided: ${[...named, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')}`,
    next: 'See both sides with "understudy failback --plan", and decide: --decide "ITEM=REGION", for each item or glob; or declare merge.conflicts.',
  };
}

/** What the run has decided; undefined if it merges nothing. */
export async function mergeOfRun(context: StepContext): Promise<DecidedMerge | undefined> {
  const [decided] = await provided(context, 'merge.decided');
  const digest = decided?.facts?.merge;
  return typeof digest === 'string' ? decidedMerges.open(context.store, decidedFolder, digest) : undefined;
}
