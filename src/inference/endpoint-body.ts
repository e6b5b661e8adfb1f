/** The body that an endpoint or a deployment of the active workspace is put with in the standby. Pure. */
import type { Standby } from '../standby/standby.ts';
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';
import { identityBody } from '../azure/identity.ts';
import { rewriteReference, rewriteReferences } from '../azure/ids.ts';
import { differences } from '../azure/body/compare.ts';

/** What Azure fills in and refuses or ignores in a PUT; traffic is given when all deployments are there. */
const readOnly = new Set(['provisioningState', 'scoringUri', 'swaggerUri', 'traffic', 'mirrorTraffic']);

/** What a deployment serves. The rest (size, scale, variables) is the standby's own where that has a deployment already. */
const served = ['model', 'modelMountPath', 'environmentId', 'codeConfiguration'];

export type Body = { body: JsonObject } | { reason: string };

export function createdBody(source: ArmResource, standby: Standby, more: JsonObject): Body {
  const moved = movedProperties(source, standby);
  if ('reason' in moved) return moved;
  return {
    body: {
      location: standby.workspace.location,
      ...kept(source, ['tags', 'sku', 'kind']),
      identity: identityBody(source, 'SystemAssigned', (id) => rewriteReference(id, standby.mapping).value),
      properties: { ...moved.properties, ...more },
    },
  };
}

/** Undefined: what is there serves the same. */
export function updatedBody(source: ArmResource, there: ArmResource, standby: Standby): Body | undefined {
  const moved = movedProperties(source, standby);
  if ('reason' in moved) return moved;
  const wanted = Object.fromEntries(
    Object.entries(moved.properties).filter(([name]) => served.includes(name)),
  );
  if (differences(wanted, there.properties, '').length === 0) return undefined;
  const own = Object.entries(there.properties).filter(([name]) => !readOnly.has(name));
  return {
    body: {
      location: there.location ?? standby.workspace.location,
      ...kept(there, ['tags', 'sku', 'kind']),
      identity: identityBody(there, 'SystemAssigned'),
      properties: { ...Object.fromEntries(own), ...wanted },
    },
  };
}

function movedProperties(
  source: ArmResource,
  { mapping }: Standby,
): { properties: JsonObject } | { reason: string } {
  const own = Object.entries(source.properties).filter(([name]) => !readOnly.has(name));
  const { value, unmapped } = rewriteReferences<JsonObject>(Object.fromEntries(own), mapping);
  if (unmapped.length === 0) return { properties: value };
  const reasons = unmapped.map(({ place, reason }) => `${place}: ${reason}`);
  return { reason: `it cannot be rewritten: ${reasons.join('; ')}` };
}

function kept(source: ArmResource, fields: readonly string[]): JsonObject {
  const found = fields.map((field) => [field, source[field] as Json | undefined] as const);
  return Object.fromEntries(
    found.filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null),
  );
}
