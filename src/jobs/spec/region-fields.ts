/** The regions in which a job may run: `resources.locations`, which serverless compute uses. Pure. */
import type { Json } from '../../azure/azure.ts';
import { sameName } from '../../azure/ids.ts';

/** The fields, at any depth, that say where a job runs. */
const holders = new Set(['resources', 'queueSettings', 'queue_settings']);
/** Keys below these are names that the owner chose: an input may be called `location`. */
const ownNames = new Set(['inputs', 'outputs', 'environmentVariables', 'environment_variables']);

/** `keys`: the keys from the job's properties to the field, the field's own last. */
export function isRegionField(keys: readonly string[]): boolean {
  const key = keys.at(-1);
  return (
    (key === 'location' || key === 'locations') &&
    keys.some((each) => holders.has(each)) &&
    !keys.some((each) => ownNames.has(each))
  );
}

/**
 * Replaces the old region's name, alone or in a list, with the new one's. A list names the new region once. Undefined
 * if the old region is not named, or either name is unknown.
 */
export function moveRegions(
  value: Json,
  from: string | undefined,
  to: string | undefined,
): { value: Json; change: { from: string; to: string } } | undefined {
  if (from === undefined || to === undefined || sameRegion(from, to)) return undefined;
  const listed = Array.isArray(value) ? value : [value];
  const regions = listed.filter((each) => typeof each === 'string');
  if (regions.length < listed.length || !regions.some((each) => sameRegion(each, from))) return undefined;
  const moved = regions
    .map((each) => (sameRegion(each, from) || sameRegion(each, to) ? to : each))
    .filter((each, index, all) => all.indexOf(each) === index);
  return {
    value: Array.isArray(value) ? moved : to,
    change: { from: regions.join(', '), to: moved.join(', ') },
  };
}

/** `East US` and `eastus` are the same region. */
function sameRegion(left: string, right: string): boolean {
  return sameName(left.replaceAll(' ', ''), right.replaceAll(' ', ''));
}
