/** What becomes of a difference: what a person said, what an earlier run did, what the policy says; or nobody knows. */
import { describe, expect, it } from 'vitest';
import { decide, type DecidedItem, type MergeDecision } from '../../src/merge/decisions.ts';
import type { Difference } from '../../src/merge/three-way.ts';
import { topologyOf } from '../topology/minimal.ts';

const conflict = (item: string): Difference => ({ item, case: 'changed on both sides', fields: [{ field: 'f' }] });
const twice: Difference = { item: 'models/a/8', case: 'made on both sides', fields: [], renumberedTo: '9' };
const onlyThere: Difference = { item: 'models/a/7', case: 'only there', fields: [] };

function decided(
  differences: Difference[],
  more: { policy?: string; decisions?: MergeDecision[]; earlier?: DecidedItem[] } = {},
) {
  const { policy = '', decisions = [], earlier = [] } = more;
  const { items, undecided } = decide({
    differences,
    policy: topologyOf(policy === '' ? '' : `merge: { ${policy} }\n`).merge,
    decisions,
    earlier: new Map(earlier.map((each) => [each.item, each])),
  });
  return [
    ...items.map(({ item, take, as, by }) => [item, take, ...(as === undefined ? [] : [as]), by]),
    ...undecided.map(({ item }) => [item, 'undecided']),
  ];
}

describe('without a word', () => {
  it('what only that region has comes over, a version of both is renumbered, and any other conflict is open', () => {
    expect(decided([onlyThere, twice, conflict('endpoints/score')])).toEqual([
      ['models/a/7', 'returning', 'policy'],
      ['models/a/8', 'both', '9', 'policy'],
      ['endpoints/score', 'undecided'],
    ]);
  });

  it('each region keeps its own computes and datastores, and what was removed there comes back', () => {
    const removed: Difference = { item: 'models/b/1', case: 'removed there', fields: [] };
    expect(decided([conflict('computes/gpu'), conflict('datastores/lake'), removed])).toEqual([
      ['computes/gpu', 'writer', 'kind'],
      ['datastores/lake', 'writer', 'kind'],
      ['models/b/1', 'writer', 'policy'],
    ]);
  });
});

it('the policy decides otherwise', () => {
  expect(decided([onlyThere, twice], { policy: 'onlyThere: leave, versions: ask' })).toEqual([
    ['models/a/7', 'writer', 'policy'],
    ['models/a/8', 'undecided'],
  ]);
  expect(decided([twice, conflict('endpoints/score')], { policy: 'versions: writer, conflicts: returning' })).toEqual([
    ['models/a/8', 'writer', 'policy'],
    ['endpoints/score', 'returning', 'policy'],
  ]);
});

describe('a person', () => {
  it('decides by globs, and the last word counts', () => {
    const decisions: MergeDecision[] = [
      { items: 'endpoints/*', take: 'writer' },
      { items: 'endpoints/rank', take: 'returning' },
    ];
    expect(decided([conflict('endpoints/score'), conflict('endpoints/rank')], { decisions })).toEqual([
      ['endpoints/score', 'writer', 'person'],
      ['endpoints/rank', 'returning', 'person'],
    ]);
  });

  it('cannot have what is impossible: a resource is no second version', () => {
    expect(decided([conflict('endpoints/score')], { decisions: [{ items: '**', take: 'both' }] })).toEqual([
      ['endpoints/score', 'undecided'],
    ]);
  });
});

it('what an earlier run has carried out stays so, unless a person decides now', () => {
  const earlier: DecidedItem[] = [{ ...twice, take: 'both', as: '11', by: 'policy' }];
  expect(decided([twice], { earlier })).toEqual([['models/a/8', 'both', '11', 'policy']]);
  expect(decided([twice], { earlier, decisions: [{ items: 'models/**', take: 'writer' }] })).toEqual([
    ['models/a/8', 'writer', 'person'],
  ]);
});
