/** What becomes of each difference of a merge: what a person has decided, or what the policy says. Pure. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { Topology } from '../topology/topology.ts';
import { differenceCases, type Difference } from './three-way.ts';

/**
 * `writer`: it stays as the writer has it, or lacks it. `returning`: it becomes as the region that was left has it.
 * `both`: what was made there becomes another version.
 */
export const takes = ['writer', 'returning', 'both'] as const;
export type Take = (typeof takes)[number];

/** What a person has decided about the differences whose item matches the glob. */
export const MergeDecision = z.strictObject({ items: z.string(), take: z.enum(takes) });
export type MergeDecision = z.infer<typeof MergeDecision>;

/** A difference, and what becomes of it. */
export const DecidedItem = z.strictObject({
  item: z.string(),
  case: z.enum(differenceCases),
  fields: z.array(
    z.strictObject({
      field: z.string(),
      base: z.string().optional(),
      there: z.string().optional(),
      here: z.string().optional(),
    }),
  ),
  take: z.enum(takes),
  /** For `both`: the version that it becomes. */
  as: z.string().optional(),
  /** What decided it. */
  by: z.enum(['person', 'policy', 'kind']),
});
export type DecidedItem = z.infer<typeof DecidedItem>;

/** What the decisions are made from. */
export interface DecideInput {
  differences: readonly Difference[];
  policy: Topology['merge'];
  /** The last one that matches counts. */
  decisions: readonly MergeDecision[];
  /** What an earlier run has carried out, by item: it stays so, unless a person decides otherwise now. */
  earlier?: ReadonlyMap<string, DecidedItem>;
}

/** Each difference is in one of the two. */
export interface Decided {
  items: DecidedItem[];
  /** A person must decide. */
  undecided: Difference[];
}

/** Each region has its own, and keeps it. */
const ownKinds = new Set(['computes', 'datastores']);

/** Decides about every difference, as far as that can be done. */
export function decide({ differences, policy, decisions, earlier }: DecideInput): Decided {
  const items: DecidedItem[] = [];
  const undecided: Difference[] = [];
  for (const difference of differences) {
    const { renumberedTo, ...rest } = difference;
    const asked = byPerson(difference, decisions);
    const before = earlier?.get(difference.item);
    if (!asked && before) {
      items.push(before);
      continue;
    }
    const found = asked ?? byTopology(difference, policy);
    if (!found) undecided.push(difference);
    else items.push({ ...rest, ...found, ...(found.take === 'both' && renumberedTo ? { as: renumberedTo } : {}) });
  }
  return { items, undecided };
}

function byPerson(difference: Difference, decisions: readonly MergeDecision[]): TakenBy | undefined {
  const decided = decisions.findLast(({ items }) => posix.matchesGlob(difference.item, items));
  const isPossible = decided && possibleTakes(difference).includes(decided.take);
  return isPossible ? { take: decided.take, by: 'person' } : undefined;
}

function byTopology(difference: Difference, policy: Topology['merge']): TakenBy | undefined {
  if (isOwn(difference)) return { take: 'writer', by: 'kind' };
  const take = byPolicy(difference, policy);
  return take && { take, by: 'policy' };
}

type TakenBy = Pick<DecidedItem, 'take' | 'by'>;

function isOwn({ item }: Difference): boolean {
  return ownKinds.has(item.split('/')[0] ?? '');
}

/** What can be decided about a difference. */
export function possibleTakes(difference: Difference): readonly Take[] {
  if (isOwn(difference) || difference.case === 'removed there') return ['writer'];
  return difference.renumberedTo === undefined ? ['writer', 'returning'] : ['writer', 'both'];
}

const takesOfVersions = { renumber: 'both', writer: 'writer', ask: undefined } as const;

function byPolicy(difference: Difference, policy: Topology['merge']): Take | undefined {
  switch (difference.case) {
    case 'only there':
      return policy.onlyThere === 'bring' ? 'returning' : 'writer';
    case 'changed there':
      return policy.changedThere === 'bring' ? 'returning' : 'writer';
    case 'removed there':
      return 'writer';
    case 'made on both sides':
      if (difference.renumberedTo === undefined) return byConflictPolicy(policy);
      return takesOfVersions[policy.versions];
    case 'changed on both sides':
      return byConflictPolicy(policy);
  }
}

function byConflictPolicy({ conflicts }: Topology['merge']): Take | undefined {
  return conflicts === 'ask' ? undefined : conflicts;
}
