/** In which regions a job may run, where it says so itself: `resources.locations`, which serverless compute goes by. Pure. */
import type { Json } from '../../azure/azure.ts';
import { sameName } from '../../azure/ids.ts';

/** What a job says of where it runs stands in these, at whatever depth. */
const holders = new Set(['resources', 'queueSettings', 'queue_settings']);
/** Below these are names that the owner chose: an input may be called `location`. */
const ownNames = new Set(['inputs', 'outputs', 'environmentVariables', 'environment_variables']);

/** `keys`: the names on the way from the job's properties to the field, its own last. */
export function isRegionField(keys: readonly string[]): boolean {
  const key = keys.at(-1);
  return (
    (key === 'location' || key === 'locations') &&
    keys.some((each) => holders.has(each)) &&
    !keys.some((each) => ownNames.has(each))
  );
}

/**
 * The old region's name, alone or in a list, becomes the new one's; a list names the new region once. Undefined: the old region is not
 * named there, or either name is not known.
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

/** `East US` and `eastus` are one region. */
function sameRegion(left: string, right: string): boolean {
  return sameName(left.replaceAll(' ', ''), right.replaceAll(' ', ''));
}
