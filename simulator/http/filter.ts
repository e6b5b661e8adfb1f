/** `$filter` of resource lists: comparisons joined by `and`, as ARM takes them. */

import { ArmError, type Stored } from '../provider.ts';
import { isObject } from './fields.ts';
import { parseResourceId } from './ids.ts';

type Predicate = (stored: Stored) => boolean;

const COMPARISON = /^(\w+(?:\/\w+)*)\s+(eq|ne)\s+'((?:[^']|'')*)'$/i;
const CONTAINS = /^substringof\('((?:[^']|'')*)',\s*(\w+)\)$/i;
const STARTS = /^startswith\((\w+),\s*'((?:[^']|'')*)'\)$/i;

/** What a filter lets through. Throws ArmError 400 `InvalidFilterInQueryString`, naming what it did not understand. */
export function parseFilter(filter: string): Predicate {
  const terms = splitAnd(filter.trim()).map((term) => parseTerm(term, filter));
  return (stored) => terms.every((term) => term(stored));
}

function parseTerm(term: string, filter: string): Predicate {
  const comparison = COMPARISON.exec(term);
  if (comparison) {
    const [, field = '', operator = '', text = ''] = comparison;
    const wanted = unquote(text).toLowerCase();
    const matches = matcher(field.toLowerCase(), wanted, filter);
    return operator.toLowerCase() === 'eq' ? matches : (stored) => !matches(stored);
  }
  const contains = CONTAINS.exec(term);
  if (contains)
    return matcherOf(contains[2] ?? '', filter, (value) =>
      value.includes(unquote(contains[1] ?? '').toLowerCase()),
    );
  const starts = STARTS.exec(term);
  if (starts)
    return matcherOf(starts[1] ?? '', filter, (value) =>
      value.startsWith(unquote(starts[2] ?? '').toLowerCase()),
    );
  throw refused(filter, term);
}

function matcher(field: string, wanted: string, filter: string): Predicate {
  if (field === 'tagname')
    return ({ resource }) => tagsOf(resource.tags).some(([name]) => name.toLowerCase() === wanted);
  if (field === 'tagvalue')
    return ({ resource }) => tagsOf(resource.tags).some(([, value]) => value.toLowerCase() === wanted);
  return matcherOf(field, filter, (value) => value === wanted);
}

function matcherOf(field: string, filter: string, test: (value: string) => boolean): Predicate {
  switch (field.toLowerCase()) {
    case 'resourcetype':
      return ({ resource }) => test(resource.type.toLowerCase());
    case 'name':
      return ({ resource }) => test(resource.name.toLowerCase());
    case 'location':
      return ({ resource }) => test((resource.location ?? '').toLowerCase());
    case 'resourcegroup':
      return ({ resource }) => test((parseResourceId(resource.id)?.resourceGroup ?? '').toLowerCase());
    default:
      throw refused(filter, field);
  }
}

/** Splits at `and`, but not inside quotes. */
function splitAnd(text: string): string[] {
  const masked = text.replaceAll(/'(?:[^']|'')*'/g, (quoted) => '_'.repeat(quoted.length));
  const terms: string[] = [];
  let from = 0;
  for (const match of masked.matchAll(/\s+and\s+/gi)) {
    terms.push(text.slice(from, match.index).trim());
    from = match.index + match[0].length;
  }
  return [...terms, text.slice(from).trim()];
}

function unquote(text: string): string {
  return text.replaceAll("''", "'");
}

function tagsOf(tags: unknown): [string, string][] {
  return isObject(tags as never) ? Object.entries(tags as Record<string, string>) : [];
}

function refused(filter: string, part: string): ArmError {
  return new ArmError(
    400,
    'InvalidFilterInQueryString',
    `Invalid $filter '${filter}' specified in the query string: '${part}' is not supported. Use resourceType, name, location, resourceGroup, tagName, tagValue with eq or ne, substringof or startswith, joined by 'and'.`,
  );
}
