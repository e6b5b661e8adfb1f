import { z } from 'zod';
import { isoDuration, Texts } from '../fields.ts';
import { compact, isObject, type Json, type JsonObject } from '../json.ts';

const Head = {
  $schema: z.string(),
  name: z.string(),
  description: z.string().optional(),
  location: z.string().optional(),
  tags: Texts.optional(),
};
const Identity = z.strictObject({ type: z.literal('system_assigned') });

const AmlCompute = z.strictObject({
  ...Head,
  type: z.literal('amlcompute'),
  size: z.string(),
  tier: z.enum(['dedicated', 'low_priority']).default('dedicated'),
  min_instances: z.number().int().nonnegative().default(0),
  max_instances: z.number().int().positive().default(4),
  /** Seconds. */
  idle_time_before_scale_down: z.number().positive().optional(),
  identity: Identity.optional(),
});
const ComputeInstance = z.strictObject({
  ...Head,
  type: z.literal('computeinstance'),
  size: z.string(),
  idle_time_before_shutdown_minutes: z.number().int().positive().optional(),
  identity: Identity.optional(),
});
export const Compute = z.discriminatedUnion('type', [AmlCompute, ComputeInstance]);
export type Compute = z.infer<typeof Compute>;

/** The request's body. `location` is the workspace's region, where the file names none. */
export function toCompute(compute: Compute, location: string): JsonObject {
  return compact({
    location: compute.location ?? location,
    tags: compute.tags,
    identity: compute.identity === undefined ? undefined : { type: 'SystemAssigned' },
    properties: compact({
      computeType: compute.type === 'amlcompute' ? 'AmlCompute' : 'ComputeInstance',
      description: compute.description,
      disableLocalAuth: true,
      properties: compute.type === 'amlcompute' ? clusterProperties(compute) : instanceProperties(compute),
    }),
  });
}

/** What the file cannot say, and a new compute gets as Azure's own client gives it. */
const DEFAULTS = [
  'disableLocalAuth',
  'properties.osType',
  'properties.remoteLoginPortPublicAccess',
  'properties.enableNodePublicIp',
  'properties.applicationSharingPolicy',
  'properties.computeInstanceAuthorizationType',
];

/**
 * The body for a compute that is there already, made by a template perhaps: most of a compute cannot be changed, so what
 * the file does not say stays as it is.
 */
export function keepWhatIsThere(body: JsonObject, existing: JsonObject): JsonObject {
  const kept = structuredClone(body);
  for (const path of DEFAULTS) {
    const parts = path.split('.');
    const name = parts.pop() ?? '';
    const from = objectAt(existing.properties, parts);
    const to = objectAt(kept.properties, parts);
    const value = from?.[name];
    if (to === undefined) continue;
    if (value === undefined || value === null) delete to[name];
    else if (name in to) to[name] = value;
  }
  return kept;
}

function objectAt(value: Json | undefined, path: string[]): JsonObject | undefined {
  let found = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return isObject(found) ? found : undefined;
}

function clusterProperties(compute: z.infer<typeof AmlCompute>): JsonObject {
  return {
    osType: 'Linux',
    vmSize: compute.size,
    vmPriority: compute.tier === 'dedicated' ? 'Dedicated' : 'LowPriority',
    scaleSettings: compact({
      minNodeCount: compute.min_instances,
      maxNodeCount: compute.max_instances,
      nodeIdleTimeBeforeScaleDown:
        compute.idle_time_before_scale_down === undefined
          ? undefined
          : isoDuration(compute.idle_time_before_scale_down),
    }),
    remoteLoginPortPublicAccess: 'NotSpecified',
    enableNodePublicIp: true,
  };
}

function instanceProperties(compute: z.infer<typeof ComputeInstance>): JsonObject {
  return compact({
    vmSize: compute.size,
    idleTimeBeforeShutdown:
      compute.idle_time_before_shutdown_minutes === undefined
        ? undefined
        : `PT${compute.idle_time_before_shutdown_minutes}M`,
    applicationSharingPolicy: 'Shared',
    computeInstanceAuthorizationType: 'personal',
    enableNodePublicIp: true,
  });
}
