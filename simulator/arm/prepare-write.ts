/** What a PUT or PATCH will store: the body, the envelope's own fields, and what the row fills in. */

import { randomUUID } from 'node:crypto';
import {
  ArmError,
  type Call,
  type Json,
  type JsonObject,
  type Resource,
  type ResourceId,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { fillIdentity, type Engine } from './engine.ts';
import { fieldAt, mergePatch, sameJson, setFieldAt, takeFieldAt } from '../resource/fields.ts';

export type WriteVerb = 'put' | 'patch';

const RESOURCE_GROUPS = 'microsoft.resources/resourcegroups';
/** Fields of a body that the envelope alone writes. */
const ENVELOPE = new Set(['id', 'name', 'type', 'systemData', 'etag']);

/** Checks what was sent and fills it in. Stores nothing. Throws ArmError for what the row refuses. */
export async function prepareWrite(engine: Engine, row: ResourceType, call: Call, verb: WriteVerb): Promise<Stored> {
  const next = compose(engine, row, call, verb);
  await row.beforePut?.(call, next);
  hideSecrets(row, next);
  holdImmutable(row, call.existing, next);
  return next;
}

/** What will be stored, before the row has seen it. */
function compose(engine: Engine, row: ResourceType, call: Call, verb: WriteVerb): Stored {
  const { existing, id, body, principal } = call;
  const sent = Object.fromEntries(Object.entries(structuredClone(body)).filter(([field]) => !ENVELOPE.has(field)));
  const fields: JsonObject = verb === 'patch' && existing ? mergePatch(structuredClone(existing.resource), sent) : sent;
  const region = engine.regionOf(row, id, existing, fields);
  const now = new Date(engine.cloud.clock.now()).toISOString();
  const by = { lastModifiedBy: principal.clientId, lastModifiedByType: 'Application', lastModifiedAt: now };
  const created = { createdBy: principal.clientId, createdByType: 'Application', createdAt: now };
  const known = existing?.resource.systemData as JsonObject | undefined;
  const resource: Resource = {
    ...fields,
    id: existing?.resource.id ?? canonicalId(engine, row, id),
    name: existing?.resource.name ?? id.name,
    type: row.type,
    properties: (fields.properties ?? {}) as JsonObject,
    systemData: { ...(known ?? created), ...by },
  };
  const isPlaced = row.region === 'own' || (row.region === 'either' && resource.location !== undefined);
  if (isPlaced && verb === 'put') placeAt(resource, region, existing);
  fillIdentity(engine, resource, existing?.resource);
  const changedAt = engine.cloud.clock.now();
  return {
    resource,
    hidden: structuredClone(existing?.hidden ?? {}),
    etag: `"${randomUUID()}"`,
    region,
    createdAt: existing?.createdAt ?? changedAt,
    changedAt,
  };
}

function placeAt(resource: Resource, region: string | null, existing: Stored | undefined): void {
  const asked = typeof resource.location === 'string' ? resource.location.toLowerCase().replaceAll(' ', '') : undefined;
  const held = region ?? 'global';
  if (existing && asked !== undefined && asked !== held) {
    if (resource.type.toLowerCase() === RESOURCE_GROUPS)
      throw new ArmError(
        409,
        'InvalidResourceGroupLocation',
        `Invalid resource group location '${asked}'. The Resource group already exists in location '${held}'.`,
        { target: 'location' },
      );
    throw new ArmError(
      409,
      'InvalidResourceLocation',
      `The resource '${resource.name}' already exists in location '${held}' in this resource group. A resource with the same name cannot be created in location '${asked}'. Please select a new resource name.`,
    );
  }
  resource.location = held;
}

/** The id in Azure's spelling of types, and in that of the parents as they were created. */
function canonicalId(engine: Engine, row: ResourceType, id: ResourceId): string {
  const { store } = engine.cloud;
  if (row.type.toLowerCase() === RESOURCE_GROUPS)
    return `/subscriptions/${id.subscriptionId}/resourceGroups/${id.name}`;
  const lastType = row.type.slice(row.type.lastIndexOf('/') + 1);
  const parent = id.parent === undefined ? undefined : store.get(id.parent);
  if (parent) return `${parent.resource.id}/${lastType}/${id.name}`;
  const scope = store.get(id.scope)?.resource.id ?? id.scope;
  const [namespace, ...types] = row.type.split('/');
  return `${scope}/providers/${namespace}/${types.map((type, i) => `${type}/${id.names[i]}`).join('/')}`;
}

function hideSecrets(row: ResourceType, next: Stored): void {
  for (const path of row.secrets ?? []) {
    const value = takeFieldAt(next.resource, path);
    if (value !== undefined && value !== null) next.hidden[path] = value;
  }
}

function holdImmutable(row: ResourceType, existing: Stored | undefined, next: Stored): void {
  for (const path of existing ? (row.immutable ?? []) : []) {
    const held: Json | undefined = existing && fieldAt(existing.resource, path);
    const asked = fieldAt(next.resource, path);
    if (asked === undefined && held !== undefined) setFieldAt(next.resource, path, held);
    else if (asked !== undefined && held !== undefined && !sameJson(held, asked)) {
      throw new ArmError(400, 'PropertyChangeNotAllowed', `Changing property '${path}' is not allowed.`, {
        target: path,
      });
    }
  }
}
