/** The body that creates a cluster in the standby as it was in the active workspace. Pure. */
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';
import { identityBody } from '../azure/identity.ts';
import { isObject } from '../azure/body/json.ts';
import type { ComputeSummary } from '../plan/recovery-point-summary.ts';

/** Settings of a cluster. Every other field that Azure returns is state. */
const settings = [
  'osType',
  'vmSize',
  'vmPriority',
  'virtualMachineImage',
  'isolatedNetwork',
  'remoteLoginPortPublicAccess',
  'enableNodePublicIp',
  'propertyBag',
];

/**
 * `source`: the cluster as the recovery point has it. If absent, only its summary is known. `reason`: why it cannot be
 * created here.
 */
export function clusterBody(
  wanted: ComputeSummary,
  source: ArmResource | undefined,
  { location, scaleSettings }: { location: string; scaleSettings: JsonObject },
): { body: JsonObject } | { reason: string } {
  const { description, disableLocalAuth, properties } = source?.properties ?? {};
  const inner = isObject(properties) ? properties : {};
  if (isObject(inner.subnet)) return { reason: 'it is in a virtual network: create it with the standby’s template' };
  const vmSize = inner.vmSize ?? wanted.vmSize;
  if (vmSize === undefined) return { reason: 'its size is not known' };
  return {
    body: {
      location,
      ...(isObject(source?.['tags']) ? { tags: source['tags'] } : {}),
      // The ids of user-assigned identities outlive a region. What they may do in the standby is set by its template.
      identity: identityBody(source, 'None'),
      properties: {
        computeType: 'AmlCompute',
        ...present({ description, disableLocalAuth }),
        properties: {
          ...present(Object.fromEntries(settings.map((name) => [name, inner[name]]))),
          vmSize,
          scaleSettings: { ...(isObject(inner.scaleSettings) ? inner.scaleSettings : {}), ...scaleSettings },
        },
      },
    },
  };
}

function present(fields: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null),
  );
}
