/** Shared words of the tables of resource types. */

import type { ResourceType, Verb } from '../provider.ts';

const ALL_VERBS: readonly Verb[] = ['get', 'head', 'put', 'patch', 'delete', 'list'];

/** A plain row: every verb, kept as it is sent. */
export function row(type: string, more: Partial<ResourceType> = {}): ResourceType {
  return { type, verbs: ALL_VERBS, region: 'parent', ...more };
}
