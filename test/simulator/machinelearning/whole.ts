/** Whether what was put comes back whole. */

import type { Json, JsonObject } from '../../../simulator/contract/index.ts';

/** Fields that no GET shows: secrets, and what the service itself decides. */
const UNSEEN = new Set([
  'secrets',
  'keys',
  'adminUserPassword',
  'adminUserSshPublicKey',
  'provisioningState',
  'id',
  'userAssignedIdentities',
  'status',
]);

/** What of `sent` is not in `shown`, place by place; ids are compared as Azure does, whatever their case. */
export function missing(sent: Json, shown: Json | undefined, place = '$'): string[] {
  if (sent === null) return [];
  if (typeof sent !== 'object') {
    const same = typeof sent === 'string' && typeof shown === 'string' ? plain(sent) === plain(shown) : sent === shown;
    return same ? [] : [`${place}: sent ${JSON.stringify(sent)}, shown ${JSON.stringify(shown)}`];
  }
  const held = typeof shown === 'object' && shown !== null ? (shown as JsonObject) : {};
  return Object.entries(sent).flatMap(([key, entry]) =>
    UNSEEN.has(key) ? [] : missing(entry, held[key], `${place}.${key}`),
  );
}

/** Words are read in any case, and some as an older version of the API spelt them (UriFile). */
function plain(text: string): string {
  return text.toLowerCase().replaceAll('_', '');
}
