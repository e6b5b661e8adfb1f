/** What-if; see index.ts. */

import type { JsonObject } from '../provider.ts';
import type { PlannedResource, WhatIfChange } from './types.ts';

/**
 * Predicts what a deployment will change.
 * `planned`: each resource of the plan (existing ones are skipped) with its previewed body; `current`: what the scope
 * holds now, as a GET shows it (with `id`); `mode` decides whether what is not planned is deleted or ignored.
 */
export function whatIf(
  planned: { resource: PlannedResource; body: JsonObject }[],
  current: JsonObject[],
  mode: 'Incremental' | 'Complete',
  format: 'FullResourcePayloads' | 'ResourceIdOnly' = 'FullResourcePayloads',
): WhatIfChange[] {
  throw new Error(`what-if of ${planned.length} and ${current.length} resources: ${mode}, ${format}`);
}
