/**
 * The three-way merge of what a region had when it was cut off with what the region that writes now has. The base is
 * the recovery point from which that one went on. Pure.
 */
import { isAssetType } from '../workspace/asset-types.ts';
import type { Item, Items } from './item.ts';

/** `there`: the region that was left. `here`: the one that writes now. */
export interface MergeInput {
  base: Items;
  there: Items;
  here: Items;
}

/**
 * `only there`: made there since. `made on both sides`: of the same name, and not the same. `changed there`: and not
 * here. `changed on both sides`: or here in a way that cannot be told. `removed there`: and still here.
 */
export const differenceCases = [
  'only there',
  'made on both sides',
  'changed there',
  'changed on both sides',
  'removed there',
] as const;
export type DifferenceCase = (typeof differenceCases)[number];

/** A field, or "files" for what an item consists of; values as JSON, absent where there is none. */
export interface FieldDifference {
  field: string;
  base?: string;
  there?: string;
  here?: string;
}

/** An item that is not there as it is here. */
export interface Difference {
  item: string;
  case: DifferenceCase;
  fields: FieldDifference[];
  /** For a version that both sides made: the one that what was made there would get, which is free on both sides. */
  renumberedTo?: string;
}

/** Every item of the base and of both sides is counted once. */
export interface Merge {
  differences: Difference[];
  /** What both sides have made of one content, each with files of its own. */
  alike: string[];
  same: number;
  onlyHere: number;
}

/**
 * Compares the three. Differences are sorted by item. `mark`: what is put behind a version that is no number, to make
 * it another one.
 */
export function mergeOf({ base, there, here }: MergeInput, mark: string): Merge {
  const differences: Difference[] = [];
  const alike: string[] = [];
  let same = 0;
  const add = (difference: Difference | undefined) => {
    if (difference) differences.push(difference);
    else same += 1;
  };
  for (const [name, item] of there) {
    const before = base.get(name);
    const other = here.get(name);
    if (!before && other && isOneContent(item, other)) alike.push(name);
    add(before ? changed(name, { before, item, other }) : made(name, item, other));
  }
  for (const name of base.keys())
    if (!there.has(name)) add(here.has(name) ? { item: name, case: 'removed there', fields: [] } : undefined);
  const onlyHere = [...here.keys()].filter((name) => !base.has(name) && !there.has(name)).length;
  differences.sort((a, b) => a.item.localeCompare(b.item, 'en', { numeric: true }));
  return { differences: renumber(differences, { there, here, mark }), alike, same, onlyHere };
}

function made(name: string, item: Item, other: Item | undefined): Difference | undefined {
  if (!other) return { item: name, case: 'only there', fields: [] };
  const fields = [...fieldsIn(item, other)].flatMap(([field, there, here]) =>
    there === here && there !== null ? [] : [difference(field, undefined, there, here)],
  );
  if (fields.length === 0) return undefined;
  // A version of its own would be a copy.
  return { item: name, case: isOneContent(item, other) ? 'changed on both sides' : 'made on both sides', fields };
}

function isOneContent({ content }: Item, other: Item): boolean {
  return content !== null && content !== '' && content === other.content;
}

interface Sides {
  before: Item;
  item: Item;
  other: Item | undefined;
}

function changed(name: string, { before, item, other }: Sides): Difference | undefined {
  const fields: FieldDifference[] = [];
  let isOnBoth = false;
  for (const [field, was, is] of fieldsIn(before, item)) {
    if (was === is && is !== null) continue;
    const here = other && valueOf(other, field);
    if (other && here === is && is !== null) continue;
    fields.push(difference(field, was, is, here));
    // What a region names differently can not be told from a change.
    isOnBoth ||= !other || here !== was || is === null || was === null;
  }
  if (fields.length === 0) return undefined;
  return { item: name, case: isOnBoth ? 'changed on both sides' : 'changed there', fields };
}

type Value = string | null | undefined;
const files = 'files';

/** Each field that either has, with both values. */
function* fieldsIn(a: Item, b: Item): Generator<[field: string, a: Value, b: Value]> {
  for (const field of new Set([...a.fields.keys(), ...b.fields.keys()]))
    yield [field, a.fields.get(field), b.fields.get(field)];
  yield [files, a.content, b.content];
}

function valueOf(item: Item, field: string): Value {
  return field === files ? item.content : item.fields.get(field);
}

function difference(field: string, base: Value, there: Value, here: Value): FieldDifference {
  // Digests say nothing to a person.
  if (field === files) return { field };
  return { field, ...(base ? { base } : {}), ...(there ? { there } : {}), ...(here ? { here } : {}) };
}

interface Renumber {
  there: Items;
  here: Items;
  mark: string;
}

/**
 * Gives each version that both sides made another one that neither has: the next number, if they are numbers; or the
 * one that has the same content here already, since it was brought.
 */
function renumber(differences: Difference[], { there, here, mark }: Renumber): Difference[] {
  const sides = [there, here];
  const byContent = new Map<string, string>();
  for (const [name, { content }] of here) {
    const found = versionOf(name);
    if (found && content !== null && content !== '') byContent.set(`${found.asset}\n${content}`, found.version);
  }
  const last = new Map<string, number>();
  for (const name of sides.flatMap((side) => [...side.keys()])) {
    const found = versionOf(name);
    if (found && isNumber(found.version))
      last.set(found.asset, Math.max(last.get(found.asset) ?? 0, Number(found.version)));
  }
  return differences.map((each) => {
    const found = versionOf(each.item);
    if (each.case !== 'made on both sides' || !found) return each;
    const { asset, version } = found;
    const key = `${asset}\n${there.get(each.item)?.content ?? ''}`;
    const brought = byContent.get(key);
    if (brought !== undefined) {
      byContent.delete(key);
      return { ...each, renumberedTo: brought };
    }
    if (!isNumber(version)) return { ...each, renumberedTo: freeVersion(asset, `${version}-${mark}`, sides) };
    const next = (last.get(asset) ?? Number(version)) + 1;
    last.set(asset, next);
    return { ...each, renumberedTo: `${next}` };
  });
}

function freeVersion(asset: string, wanted: string, sides: readonly Items[]): string {
  let version = wanted;
  for (let next = 2; sides.some((side) => side.has(`${asset}/${version}`)); next++) version = `${wanted}-${next}`;
  return version;
}

function isNumber(version: string): boolean {
  return /^\d+$/.test(version);
}

/** `models/fraud/8`: `models/fraud` and 8. Undefined for what is no version of an asset. */
function versionOf(name: string): { asset: string; version: string } | undefined {
  const segments = name.split('/');
  const [type = '', , version = ''] = segments;
  if (segments.length !== 3 || !isAssetType(type)) return undefined;
  return { asset: segments.slice(0, 2).join('/'), version };
}
