/** What-if: the predicted changes of a deployment, in the shape of Azure's answer. */

import type { JsonObject } from '../contract/index.ts';
import { compareWhole, compareWritten } from './property-changes.ts';
import type { PlannedResource, WhatIfChange } from './language/types.ts';
import { textOf } from './language/values.ts';

/** What a deployment would do to what there is. */
export interface Prediction {
  /** Each resource of the plan (existing ones are skipped) with its previewed body. */
  planned: { resource: PlannedResource; body: JsonObject }[];
  /** What the scope holds now, as a GET shows it (with `id`), and whatever else is planned. */
  current: JsonObject[];
  /** What is neither planned nor in the scope, but may be changed by what is planned. */
  touched: JsonObject[];
  /**
   * What a GET would show of one of `current` afterwards; undefined where nobody can tell, since it would be refused,
   * or since its body waits for what only the deployment will know. It is then taken to keep whatever its template does
   * not mention.
   */
  left: (id: string) => JsonObject | undefined;
  /** Decides whether what is not planned is deleted or ignored. */
  mode: 'Incremental' | 'Complete';
  format: 'FullResourcePayloads' | 'ResourceIdOnly';
  /** What of a resource is compared and shown: all but what its service sets. */
  shown: (resource: JsonObject) => JsonObject;
}

/** The changes, in the order of their ids. */
export function whatIf(prediction: Prediction): WhatIfChange[] {
  const { planned, current } = prediction;
  const now = new Map(current.map((resource) => [textOf(resource['id'] ?? null).toLowerCase(), resource]));
  const named = new Set(planned.map(({ resource }) => resource.id.toLowerCase()));
  const changes = planned
    .filter(({ resource }) => !resource.existing)
    .map(({ resource, body }) => changeOf(prediction, resource, body, now.get(resource.id.toLowerCase())));
  for (const [id, resource] of now) {
    if (!named.has(id)) changes.push(leftover(prediction, resource));
  }
  const reached = prediction.touched.map((resource) => leftover({ ...prediction, mode: 'Incremental' }, resource));
  changes.push(...reached.filter(({ changeType }) => changeType === 'Modify'));
  return changes.toSorted((a, b) => (a.resourceId < b.resourceId ? -1 : Number(a.resourceId > b.resourceId)));
}

function changeOf(
  { format, shown, left }: Prediction,
  resource: PlannedResource,
  body: JsonObject,
  current: JsonObject | undefined,
): WhatIfChange {
  const { id: resourceId, apiVersion } = resource;
  if (format === 'ResourceIdOnly') return { resourceId, changeType: current === undefined ? 'Create' : 'Deploy' };
  const name = resource.name.split('/').at(-1) ?? resource.name;
  const written: JsonObject = { apiVersion, id: resourceId, type: resource.type, name, ...body };
  if (current === undefined) return { resourceId, changeType: 'Create', after: written };
  const before = shown(current);
  const known = left(resourceId);
  const after = known === undefined ? written : { apiVersion, ...shown(known) };
  const delta = known === undefined ? compareWritten(current, written) : compareWhole(before, shown(known));
  const change = { resourceId, before: { apiVersion, ...before }, after };
  return delta.length === 0 ? { ...change, changeType: 'NoChange' } : { ...change, changeType: 'Modify', delta };
}

/** Only top-level resources are deleted in complete mode by themselves; children go with their parents. */
function leftover({ mode, format, shown, left }: Prediction, resource: JsonObject): WhatIfChange {
  const resourceId = textOf(resource['id'] ?? null);
  if (mode === 'Complete' || format === 'ResourceIdOnly') {
    const changeType = mode === 'Complete' ? 'Delete' : 'Ignore';
    return format === 'ResourceIdOnly'
      ? { resourceId, changeType }
      : { resourceId, changeType, before: shown(resource) };
  }
  const before = shown(resource);
  // What is not in the template may be changed by what is: tags and access policies are resources that write into
  // others.
  const after = shown(left(resourceId) ?? resource);
  const delta = compareWhole(before, after);
  return delta.length === 0
    ? { resourceId, changeType: 'Ignore', before }
    : { resourceId, changeType: 'Modify', before, after, delta };
}
