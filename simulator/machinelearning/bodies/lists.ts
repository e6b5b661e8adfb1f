/** The filters and orders that the lists of Azure Machine Learning share. */

import type { Call, JsonObject, Stored } from '../../contract/index.ts';
import { objectOf, tagsOf, textOf } from './fields.ts';
import { validationError } from './refusals.ts';

/** `listViewType`: ActiveOnly (the default), ArchivedOnly, All. Errors: 400 for another word. */
export function byListView(call: Call, entries: Stored[]): Stored[] {
  const view = call.query.get('listViewType') ?? 'ActiveOnly';
  switch (view.toLowerCase()) {
    case 'all':
      return entries;
    case 'activeonly':
      return entries.filter((entry) => entry.resource.properties.isArchived !== true);
    case 'archivedonly':
      return entries.filter((entry) => entry.resource.properties.isArchived === true);
    default:
      throw validationError(`listViewType: expected ActiveOnly, ArchivedOnly or All, got '${view}'.`, 'listViewType');
  }
}

/**
 * `$orderBy` or `orderBy`: 'createdtime desc', 'modifiedtime asc', … Azure's default for assets is the newest first.
 */
export function ordered(call: Call, entries: Stored[]): Stored[] {
  const order = (
    call.query.get('$orderBy') ??
    call.query.get('$orderby') ??
    call.query.get('orderBy') ??
    ''
  ).toLowerCase();
  // `entries` come in order of creation; sorting is stable, so that what was made in the same millisecond keeps that
  // order.
  if (order.includes('modifiedtime') || order.includes('updatedtime'))
    entries.sort((a, b) => a.changedAt - b.changedAt);
  return /\basc\b/.test(order) || /ByAsc$/i.test(order) ? entries : entries.toReversed();
}

/** `tags=a=1,b`: all named tags must be there, with the value where one is given. `key`: the parameter's name. */
export function byTags(call: Call, entries: Stored[], key = 'tags'): Stored[] {
  return byPairs(call.query.get(key), entries, tagsOf);
}

/** `properties=a=1,b`: likewise for the property bag. */
export function byProperties(call: Call, entries: Stored[]): Stored[] {
  return byPairs(call.query.get('properties'), entries, (entry) => objectOf(entry.resource.properties.properties));
}

function byPairs(wanted: string | null, entries: Stored[], bag: (entry: Stored) => JsonObject): Stored[] {
  if (!wanted) return entries;
  const pairs = wanted.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? { key: pair.trim() } : { key: pair.slice(0, at).trim(), value: pair.slice(at + 1) };
  });
  return entries.filter((entry) =>
    pairs.every(({ key, value }) => key in bag(entry) && (value === undefined || bag(entry)[key] === value)),
  );
}

/** A query parameter that must equal a property, where it is given. */
export function byField(call: Call, entries: Stored[], parameter: string, field: string): Stored[] {
  const wanted = call.query.get(parameter);
  return wanted ? entries.filter((entry) => textOf(entry.resource.properties[field]) === wanted) : entries;
}

/** `count`: how many at most, where a list has it. */
export function limited(call: Call, entries: Stored[]): Stored[] {
  const count = Number(call.query.get('count') ?? '');
  return Number.isInteger(count) && count > 0 ? entries.slice(0, count) : entries;
}
