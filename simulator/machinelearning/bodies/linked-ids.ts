/** Properties that are ids of resources: whatever is none, Resource Manager refuses before the provider looks at it. */

import { parseResourceId } from '../../resource/ids.ts';
import { ArmError, type Json, type JsonObject } from '../../contract/index.ts';
import { isObject } from './fields.ts';

/**
 * Holds what stands at each of these places of a body to be the id of a resource; what is absent or null is left alone.
 * A place is the names of fields, with `[]` after that of a list (`properties.associatedWorkspaces[]`), and with `?` at
 * the end where an empty text says that there is none.
 *
 * Errors: 400 LinkedInvalidPropertyId in Azure's words, naming the place.
 */
export function requireLinkedIds(body: JsonObject, places: readonly string[]): void {
  for (const place of places)
    for (const [path, value] of valuesAt(body, place.replace(/\?$/, '').split('.'), '')) {
      if (typeof value !== 'string' || (value === '' && place.endsWith('?'))) continue;
      if (!isLinkedId(value))
        throw new ArmError(
          400,
          'LinkedInvalidPropertyId',
          `Property id '${value}' at path '${path}' is invalid. Expect fully qualified resource Id that start with ` +
            `'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.`,
        );
    }
}

/** Is this the id of a resource of some provider, in a subscription or of the tenant? */
function isLinkedId(text: string): boolean {
  return /^\/(subscriptions\/[^/]+\/(.+\/)?)?providers\//i.test(text) && parseResourceId(text) !== undefined;
}

function* valuesAt(
  value: Json | undefined,
  [first, ...rest]: string[],
  above: string,
): Generator<[path: string, value: Json | undefined]> {
  if (first === undefined) return yield [above, value];
  if (!isObject(value)) return;
  const name = first.replace(/\[\]$/, '');
  const path = above === '' ? name : `${above}.${name}`;
  const found = value[name];
  if (name === first) yield* valuesAt(found, rest, path);
  else if (Array.isArray(found))
    for (const [i, entry] of found.entries()) yield* valuesAt(entry, rest, `${path}[${i}]`);
}
