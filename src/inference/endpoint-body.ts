/** The body for creating or updating an endpoint or a deployment in the standby. Pure. */
import type { Standby } from '../standby/standby.ts';
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';
import { identityBody } from '../azure/identity.ts';
import { rewriteReference, rewriteReferences } from '../azure/ids.ts';
import { differences } from '../azure/body/compare.ts';
import { assetKey, assetTypeNames } from '../workspace/asset-types.ts';
import { assetReferences } from '../workspace/references.ts';

/** Fields that Azure sets, and refuses or ignores in a PUT. Traffic is set once all deployments exist. */
const readOnly = new Set(['provisioningState', 'scoringUri', 'swaggerUri', 'traffic', 'mirrorTraffic']);

/**
 * What a deployment serves. An existing deployment of the standby keeps the rest of its own settings (size, scale,
 * variables).
 */
const served = ['model', 'modelMountPath', 'environmentId', 'codeConfiguration'];

/** A request body, or why there is none. */
export type Body = { body: JsonObject } | { reason: string };

/** Returns the body that creates an endpoint or a deployment. */
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

/** Undefined if the existing deployment serves the same. */
export function updatedBody(source: ArmResource, there: ArmResource, standby: Standby): Body | undefined {
  const moved = movedProperties(source, standby);
  if ('reason' in moved) return moved;
  const wanted = Object.fromEntries(Object.entries(moved.properties).filter(([name]) => served.includes(name)));
  // What it names is another thing by now: it serves what was there when it was made.
  const isOld = namesReplaced(source, standby);
  if (!isOld && differences(wanted, there.properties, '').length === 0) return undefined;
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

function namesReplaced({ properties }: ArmResource, { point, replaceable }: Standby): boolean {
  return assetReferences(properties, point.sealed.workspace).some(({ type, name, version }) =>
    (type === undefined ? assetTypeNames : [type]).some(
      (each) => replaceable.asset(assetKey(each, name, version)) !== undefined,
    ),
  );
}

function movedProperties(source: ArmResource, { mapping }: Standby): { properties: JsonObject } | { reason: string } {
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
