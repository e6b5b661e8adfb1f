/** An asset of the active workspace as it must be in the standby: what is put there, and what is found to differ. Pure. */
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';
import { rewriteReferences, type ReferenceMapping, type RewrittenJson } from '../azure/ids.ts';
import { isObject } from '../azure/body/json.ts';
import { differences } from '../azure/body/compare.ts';
import { assetTypes, mutable, readOnlyEverywhere } from '../workspace/asset-types.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';

export interface DesiredAsset {
  properties: JsonObject;
  /** References that have no meaning in the standby: the asset cannot be registered. */
  unmapped: RewrittenJson['unmapped'];
}

export function desiredAsset({ type, resource }: AssetLine, mapping: ReferenceMapping): DesiredAsset {
  const dropped = new Set<string>([...readOnlyEverywhere, ...assetTypes[type].readOnly]);
  const kept = Object.entries(resource.properties).filter(([key]) => !dropped.has(key));
  const { value, unmapped } = rewriteReferences(Object.fromEntries(kept), mapping);
  return { properties: value, unmapped };
}

export interface AssetDifference {
  /** `tags.owner` */
  place: string;
  sent: string;
  held: string;
}

/** Fields that were asked for and are held otherwise, and tags that are held and were not asked for. */
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

export function isMutable({ place }: AssetDifference): boolean {
  const field = place.split(/[.[]/, 1)[0] ?? '';
  return (mutable as readonly string[]).includes(field);
}

export function showDifferences(found: readonly AssetDifference[]): string {
  return found
    .slice(0, 3)
    .map(({ place, sent, held }) => `${place} (expected ${sent}, got ${held})`)
    .join(', ');
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
