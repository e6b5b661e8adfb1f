/** The three-way merge: which of two regions has what the other lacks, or has otherwise. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../src/merge/item.ts';
import { mergeOf } from '../../src/merge/three-way.ts';

const item = (fields: Record<string, string> = {}, content: string | null = ''): Item => ({
  fields: new Map(Object.entries(fields)),
  content,
});
const items = (found: Record<string, Item>) => new Map(Object.entries(found));
const cases = (base: Record<string, Item>, there: Record<string, Item>, here: Record<string, Item>) =>
  mergeOf({ base: items(base), there: items(there), here: items(here) }, 'eastus').differences.map((each) => [
    each.item,
    each.case,
    ...(each.renumberedTo === undefined ? [] : [each.renumberedTo]),
  ]);

describe('an item', () => {
  it('that both still have as before is the same', () => {
    const all = { 'models/a/1': item({ tags: '1' }, 'x') };
    expect(mergeOf({ base: items(all), there: items(all), here: items(all) }, 'eastus')).toEqual({
      differences: [],
      alike: [],
      same: 1,
      onlyHere: 0,
    });
  });

  it('made in one region', () => {
    expect(cases({}, { 'models/a/1': item() }, {})).toEqual([['models/a/1', 'only there']]);
    expect(mergeOf({ base: items({}), there: items({}), here: items({ 'models/a/1': item() }) }, 'eastus')).toEqual({
      differences: [],
      alike: [],
      same: 0,
      onlyHere: 1,
    });
  });

  it('made in both: the same is one, another gets the next free version', () => {
    expect(cases({}, { 'models/a/8': item({}, 'x') }, { 'models/a/8': item({}, 'x') })).toEqual([]);
    const there = { 'models/a/8': item({}, 'x'), 'models/a/9': item({}, 'y') };
    const here = { 'models/a/8': item({}, 'p'), 'models/a/9': item({}, 'q'), 'models/a/10': item() };
    expect(cases({}, there, here)).toEqual([
      ['models/a/8', 'made on both sides', '11'],
      ['models/a/9', 'made on both sides', '12'],
    ]);
  });

  it('whose version is no number gets a name that neither has; a resource gets none', () => {
    const there = { 'models/a/v1': item({}, 'x'), 'endpoints/score': item({ auth: '"Key"' }) };
    const here = { 'models/a/v1': item({}, 'y'), 'endpoints/score': item({ auth: '"AMLToken"' }) };
    expect(cases({}, there, here)).toEqual([
      ['endpoints/score', 'made on both sides'],
      ['models/a/v1', 'made on both sides', 'v1-eastus'],
    ]);
    expect(cases({}, there, { ...here, 'models/a/v1-eastus': item({}, 'z') }).at(-1)).toEqual([
      'models/a/v1',
      'made on both sides',
      'v1-eastus-2',
    ]);
  });

  it('of one content with other tags is no version of its own', () => {
    expect(cases({}, { 'models/a/8': item({ tag: '1' }, 'x') }, { 'models/a/8': item({}, 'x') })).toEqual([
      ['models/a/8', 'changed on both sides'],
    ]);
  });

  it('whose content is not known is never taken for the same', () => {
    expect(cases({}, { 'models/a/8': item({}, null) }, { 'models/a/8': item({}, null) })).toEqual([
      ['models/a/8', 'made on both sides', '9'],
    ]);
    const unknown = { 'data/a/1': item({}, null) };
    expect(cases(unknown, unknown, unknown)).toEqual([['data/a/1', 'changed on both sides']]);
  });

  it('changed there: alone if here it is as before, on both sides if that cannot be told', () => {
    const base = { e: item({ traffic: '100' }) };
    const there = { e: item({ traffic: '90' }) };
    expect(cases(base, there, base)).toEqual([['e', 'changed there']]);
    expect(cases(base, there, there)).toEqual([]);
    expect(cases(base, there, { e: item({ traffic: '80' }) })).toEqual([['e', 'changed on both sides']]);
    expect(cases(base, there, {})).toEqual([['e', 'changed on both sides']]);
    expect(cases(base, base, { e: item({ traffic: '80' }) })).toEqual([]);
  });

  it('removed there is named as long as it is here', () => {
    expect(cases({ e: item() }, {}, { e: item() })).toEqual([['e', 'removed there']]);
    expect(cases({ e: item() }, {}, {})).toEqual([]);
  });
});

it('counts every item of the three exactly once, and names none that the region left as it was', () => {
  const one = fc.record({
    fields: fc
      .dictionary(fc.constantFrom('f', 'g'), fc.constantFrom('1', '2'))
      .map((all) => new Map(Object.entries(all))),
    content: fc.constantFrom('', 'x', 'y'),
  });
  const side = fc
    .dictionary(fc.constantFrom('models/a/1', 'models/a/2', 'models/b/1', 'endpoints/e', 'files/s/p'), one)
    .map((all) => new Map(Object.entries(all)));
  fc.assert(
    fc.property(side, side, side, (base, there, here) => {
      const { differences, same, onlyHere } = mergeOf({ base, there, here }, 'eastus');
      const all = new Set([...base.keys(), ...there.keys(), ...here.keys()]);
      expect(differences.length + same + onlyHere).toBe(all.size);
      expect(mergeOf({ base, there: base, here }, 'eastus').differences).toEqual([]);
      // What both have alike, whatever was before, is no difference.
      expect(mergeOf({ base, there, here: there }, 'eastus').differences).toEqual([]);
      const taken = differences.flatMap(({ item: name, renumberedTo }) =>
        renumberedTo === undefined ? [] : [[name, `${name.split('/').slice(0, 2).join('/')}/${renumberedTo}`] as const],
      );
      expect(new Set(taken.map(([, as]) => as)).size).toBe(taken.length);
      // Free on both sides, or what was brought already.
      for (const [name, as] of taken)
        expect(here.has(as) ? here.get(as)?.content : there.get(as)).toBe(
          here.has(as) ? there.get(name)?.content : undefined,
        );
    }),
  );
});
