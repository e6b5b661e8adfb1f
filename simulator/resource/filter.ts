/** `$filter` of resource lists: comparisons joined by `and` and `or`, as ARM takes them. */

import { ArmError, type Json, type Stored } from '../contract/index.ts';
import { isObject, textOf } from './fields.ts';
import { parseResourceId } from './ids.ts';

type Predicate = (stored: Stored) => boolean;
type Test = (value: string) => boolean;

const COMPARISON = /^(\w+(?:\/\w+)*)\s+(eq|ne)\s+'((?:[^']|'')*)'$/i;
const CONTAINS = /^substringof\(\s*'((?:[^']|'')*)'\s*,\s*(\w+)\s*\)$/i;
const STARTS = /^startswith\(\s*(\w+)\s*,\s*'((?:[^']|'')*)'\s*\)$/i;
const TAG = /^tag(name|value)\s+eq\s+'((?:[^']|'')*)'$/i;

/** What a property of a filter is of a resource, by its name in lower case. */
const FIELDS: Record<string, (stored: Stored) => Json | undefined> = {
  resourcetype: ({ resource }) => resource.type,
  name: ({ resource }) => resource.name,
  location: ({ resource }) => resource.location,
  resourcegroup: ({ resource }) => parseResourceId(resource.id)?.resourceGroup,
  identity: ({ resource }) => within(resource.identity, 'type'),
  'identity/principalid': ({ resource }) => within(resource.identity, 'principalId'),
  ...Object.fromEntries(
    ['name', 'publisher', 'product', 'promotionCode', 'version'].map((member) => [
      `plan/${member.toLowerCase()}`,
      ({ resource }: Stored) => within(resource.plan, member),
    ]),
  ),
};

/** What a filter lets through. Throws ArmError 400 `InvalidFilterInQueryString`, naming what it did not understand. */
export function parseFilter(filter: string): Predicate {
  const anyOf = (text: string): Predicate => {
    const terms = split(text, 'or').map(allOf);
    return (stored) => terms.some((term) => term(stored));
  };
  const allOf = (text: string): Predicate => {
    const parts = split(text, 'and');
    const tag = tagOf(parts);
    const others = tag ? parts.filter((part) => !TAG.test(part)) : parts;
    const terms = others.map((part) => {
      const inner = isGroup(part) ? part.slice(1, -1) : undefined;
      return inner === undefined ? parseTerm(part, filter) : anyOf(inner);
    });
    return (stored) => (tag?.(stored) ?? true) && terms.every((term) => term(stored));
  };
  return anyOf(filter.trim());
}

/** A name and a value of a tag that are asked for together are those of one tag. */
function tagOf(parts: string[]): Predicate | undefined {
  const asked = new Map(
    parts.flatMap((part) => {
      const [, what = '', text = ''] = TAG.exec(part) ?? [];
      return what === '' ? [] : [[what.toLowerCase(), unquote(text).toLowerCase()]];
    }),
  );
  if (asked.size < 2) return undefined;
  return ({ resource }) =>
    tagsOf(resource.tags).some(
      ([name, value]) => name.toLowerCase() === asked.get('name') && value.toLowerCase() === asked.get('value'),
    );
}

function parseTerm(term: string, filter: string): Predicate {
  const [, field = '', operator = '', text = ''] = COMPARISON.exec(term) ?? [];
  if (field !== '') {
    const wanted = unquote(text).toLowerCase();
    const matches = matcher(field, filter, (value) => value === wanted);
    return operator.toLowerCase() === 'eq' ? matches : (stored) => !matches(stored);
  }
  const [, part = '', containing = ''] = CONTAINS.exec(term) ?? [];
  if (containing !== '') return matcher(containing, filter, (value) => value.includes(unquote(part).toLowerCase()));
  const [, starting = '', start = ''] = STARTS.exec(term) ?? [];
  if (starting !== '') return matcher(starting, filter, (value) => value.startsWith(unquote(start).toLowerCase()));
  throw refused(filter, term);
}

function matcher(field: string, filter: string, test: Test): Predicate {
  const name = field.toLowerCase();
  const at = name === 'tagname' ? 0 : 1;
  if (name === 'tagname' || name === 'tagvalue')
    return ({ resource }) => tagsOf(resource.tags).some((tag) => test(tag[at].toLowerCase()));
  const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (!read) throw refused(filter, field);
  return (stored) => test(textOf(read(stored) ?? '').toLowerCase());
}

/** Splits at a word, but neither inside quotes nor inside brackets. */
function split(text: string, word: 'and' | 'or'): string[] {
  const terms: string[] = [];
  let from = 0;
  for (const match of mask(text).matchAll(new RegExp(`\\s+${word}\\s+`, 'gi'))) {
    terms.push(text.slice(from, match.index).trim());
    from = match.index + match[0].length;
  }
  return [...terms, text.slice(from).trim()];
}

/** Is the whole of it in one pair of brackets? */
function isGroup(text: string): boolean {
  return text.startsWith('(') && /^_+$/.test(mask(text));
}

/** With a line in place of each character that is inside quotes or brackets. */
function mask(text: string): string {
  let masked = text.replaceAll(/'(?:[^']|'')*'/g, (quoted) => '_'.repeat(quoted.length));
  for (let before = ''; before !== masked;) {
    before = masked;
    masked = masked.replaceAll(/\([^()]*\)/g, (inner) => '_'.repeat(inner.length));
  }
  return masked;
}

function within(value: Json | undefined, member: string): Json | undefined {
  return isObject(value) ? value[member] : undefined;
}

function unquote(text: string): string {
  return text.replaceAll("''", "'");
}

function tagsOf(tags: Json | undefined): [string, string][] {
  return isObject(tags) ? Object.entries(tags).map(([name, value]) => [name, textOf(value)]) : [];
}

function refused(filter: string, part: string): ArmError {
  return new ArmError(
    400,
    'InvalidFilterInQueryString',
    `Invalid $filter '${filter}' specified in the query string: '${part}' is not supported. Use ${Object.keys(FIELDS).join(', ')}, tagName, tagValue with eq or ne, substringof or startswith, joined by 'and' or 'or'.`,
  );
}
