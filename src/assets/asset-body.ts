/** Converts an asset of the active workspace to what it must be in the standby, and compares the two. Pure. */
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';
import { rewriteReferences, type ReferenceMapping, type RewrittenJson } from '../azure/ids.ts';
import { isObject } from '../azure/body/json.ts';
import { differences } from '../azure/body/compare.ts';
import { mutable, writableAsset } from '../workspace/asset-types.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';

/** What to write to the standby. */
export interface DesiredAsset {
  properties: JsonObject;
  /** References that have no meaning in the standby: the asset cannot be registered. */
  unmapped: RewrittenJson['unmapped'];
}

/** Rewrites an asset's references for the standby. */
export function desiredAsset({ type, resource }: AssetLine, mapping: ReferenceMapping): DesiredAsset {
  const { value, unmapped } = rewriteReferences(writableAsset(type, resource.properties), mapping);
  return { properties: value, unmapped };
}

/** A field whose value in the standby is not what was written. */
export interface AssetDifference {
  /** Example: `tags.owner`. */
  place: string;
  sent: string;
  held: string;
}

/** Returns fields whose stored value differs from what was written, and tags that were not written. */
export function compareAsset(properties: JsonObject, held: ArmResource): AssetDifference[] {
  const found = differences(properties, held.properties, '').map((each) => ({
    ...each,
    place: each.place.replace(/^\./, ''),
  }));
  const surplus = Object.keys(objectOf(held.properties['tags'])).filter(
    (tag) => !(tag in objectOf(properties['tags'])),
  );
  return [...found, ...surplus.map((tag) => ({ place: `tags.${tag}`, sent: 'nothing', held: 'a tag' }))];
}

/** Whether Azure allows the field to change after registration. */
export function isMutable({ place }: AssetDifference): boolean {
  const field = place.split(/[.[]/, 1)[0] ?? '';
  return (mutable as readonly string[]).includes(field);
}

/** Describes differences in one line. */
export function showDifferences(found: readonly AssetDifference[]): string {
  return found
    .slice(0, 3)
    .map(({ place, sent, held }) => `${place} (expected ${sent}, got ${held})`)
    .join(', ');
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
