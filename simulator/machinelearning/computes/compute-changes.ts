/**
 * What of a compute that is there may change: of a cluster its scale, as Azure's body of an update has it, beside tags
 * and identity.
 */

import type { Call, Json, JsonObject, Stored } from '../../contract/index.ts';
import { objectOf, sameContent, textOf } from '../bodies/fields.ts';
import { userError } from '../bodies/refusals.ts';

/** What is chosen once, by type of compute. */
const CHOSEN_ONCE: Record<string, readonly string[]> = {
  AmlCompute: [
    'vmSize',
    'vmPriority',
    'osType',
    'virtualMachineImage',
    'isolatedNetwork',
    'subnet',
    'enableNodePublicIp',
    'remoteLoginPortPublicAccess',
  ],
  ComputeInstance: ['vmSize', 'subnet', 'enableNodePublicIp'],
};

/**
 * What a PUT leaves out stays; to be called before defaults are filled in.
 *
 * Errors: 400 UserError for a compute that is to be another.
 */
export function holdChosen(call: Call, kind: string, inner: JsonObject): void {
  if (!call.existing) return;
  const before = objectOf(call.existing.resource.properties.properties);
  for (const field of CHOSEN_ONCE[kind] ?? []) {
    const held = before[field] ?? null;
    const asked = inner[field] ?? null;
    if (asked === null) {
      if (held !== null) inner[field] = held;
    } else if (plain(asked) !== plain(held))
      throw userError(
        `The ${field} of the compute '${call.id.name}' cannot be changed from ${JSON.stringify(held)} to ${JSON.stringify(asked)}.` +
          (kind === 'AmlCompute' ? ' Of a cluster only scaleSettings, tags and identity can be changed.' : ''),
        field,
      );
  }
}

/** Ids and sizes are the same whatever their case. */
function plain(value: Json): Json {
  const text = textOf(objectOf(value).id) ?? value;
  return typeof text === 'string' ? text.toLowerCase() : text;
}

/** PATCH changes the scale of a cluster, as Azure's API has it, and nothing else but tags and identity. */
export function keepButScale(call: Call, next: Stored): void {
  const before = structuredClone(call.existing?.resource.properties ?? {});
  const scaleSettings = objectOf(objectOf(next.resource.properties.properties).scaleSettings);
  const isScaled = !sameContent(objectOf(objectOf(before.properties).scaleSettings), scaleSettings);
  if (isScaled && before.computeType !== 'AmlCompute')
    throw userError(
      `The compute '${call.id.name}' of type ${textOf(before.computeType)} has no scale settings.`,
      'scaleSettings',
    );
  next.resource.properties = before;
  if (isScaled) before.properties = { ...objectOf(before.properties), scaleSettings };
}
