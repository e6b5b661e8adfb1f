/** PUT and PATCH of a resource. */

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
} from '../provider.ts';
import { objectBody, type Answer, type ArmRequest } from './answer.ts';
import { fillIdentity, type Engine } from './engine.ts';
import { fieldAt, mergePatch, sameJson, setFieldAt, takeFieldAt } from './fields.ts';
import { requireEnvelope } from './body-shape.ts';
import { requireConditions } from './conditions.ts';
import type { OperationRecord } from './operations.ts';
import { notFound } from './refusals.ts';

type WriteVerb = 'put' | 'patch';

const RESOURCE_GROUPS = 'microsoft.resources/resourcegroups';
/** Fields of a body that the envelope alone writes. */
const ENVELOPE = new Set(['id', 'name', 'type', 'systemData', 'etag']);

/** Stores what the client sent, after the row's own rules, and starts the long-running operation where there is one. */
export async function write(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  request: ArmRequest,
  verb: WriteVerb,
): Promise<Answer> {
  const { answer } = await writeTracked(engine, row, id, request, verb);
  return answer;
}

/** As `write`, and tells the operation, so that one who is inside the cloud can wait for it. */
export async function writeTracked(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  request: ArmRequest,
  verb: WriteVerb,
): Promise<{ answer: Answer; operation: OperationRecord | undefined }> {
  const body = objectBody(request.body);
  requireEnvelope(body);
  const before = engine.cloud.store.get(id.key);
  await engine.reach(
    engine.regionOf(row, id, before, verb === 'put' ? body : undefined),
    id.provider,
    request,
  );
  engine.requireScope(id);
  engine.requireLasting(id);
  return engine.exclusively(id.key, async () => {
    const existing = engine.cloud.store.get(id.key);
    if (verb === 'patch' && !existing && !row.alias?.(engine.cloud, id)) throw notFound(id);
    requireConditions(request.headers, existing);
    const pending = engine.operations.inProgress(id.id);
    if (pending) {
      // A deployment that is taken up again after a restart finds the nested ones that it had begun.
      const mayJoin = row.busy === undefined || request.within === true;
      if (!mayJoin || pending.kind !== verb || !sameJson(pending.body, body))
        throw inProgress(row, id, existing);
      return {
        answer: accepted(engine, row, engine.cloud.store.get(id.key), pending, pending.created),
        operation: pending,
      };
    }
    const call = engine.call(request, id, existing, verb);
    const next = compose(engine, row, call, verb);
    await row.beforePut?.(call, next);
    hideSecrets(row, next);
    holdImmutable(row, existing, next);
    return store(engine, row, call, next, verb);
  });
}

/** The end of a long-running PUT or PATCH; run by the operation. */
export async function finishWrite(
  engine: Engine,
  row: ResourceType,
  record: OperationRecord,
  resumed: boolean,
): Promise<undefined> {
  const stored = engine.cloud.store.get(record.resourceId);
  if (!stored)
    throw new ArmError(409, 'OperationCanceled', `The resource '${record.resourceId}' was deleted.`);
  const call = engine.recall(record, stored);
  if (resumed) call.resumed = true;
  try {
    if (record.failure) throw new ArmError(500, record.failure.code, record.failure.message);
    await row.runs?.(call, stored);
    settle(engine, row, stored, 'Succeeded');
    await row.afterPut?.(call, engine.cloud.store.get(record.resourceId) ?? stored);
  } catch (error) {
    const failed = engine.cloud.store.get(record.resourceId);
    if (failed) settle(engine, row, failed, 'Failed');
    throw error;
  }
  return undefined;
}

export function keepsState(row: ResourceType): boolean {
  return row.provisioningState ?? row.longRunning !== undefined;
}

export function inProgress(row: ResourceType, id: ResourceId, existing: Stored | undefined): ArmError {
  if (row.busy && existing) return row.busy(existing);
  return new ArmError(
    409,
    'AnotherOperationInProgress',
    `Another operation on this or dependent resource is in progress: '${id.id}'. Wait for it to end, then try again.`,
  );
}

/** What will be stored, before the row has seen it. */
function compose(engine: Engine, row: ResourceType, call: Call, verb: WriteVerb): Stored {
  const { existing, id, body, principal } = call;
  const sent = Object.fromEntries(
    Object.entries(structuredClone(body)).filter(([field]) => !ENVELOPE.has(field)),
  );
  const fields: JsonObject =
    verb === 'patch' && existing ? mergePatch(structuredClone(existing.resource), sent) : sent;
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
  const asked =
    typeof resource.location === 'string' ? resource.location.toLowerCase().replaceAll(' ', '') : undefined;
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

async function store(
  engine: Engine,
  row: ResourceType,
  call: Call,
  next: Stored,
  verb: WriteVerb,
): Promise<{ answer: Answer; operation: OperationRecord | undefined }> {
  const created = call.existing === undefined;
  const time = row.longRunning?.[verb];
  const isLong = time !== undefined || row.runs !== undefined;
  if (keepsState(row))
    next.resource.properties.provisioningState = isLong ? (created ? 'Creating' : 'Updating') : 'Succeeded';
  engine.cloud.store.put(next);
  if (!isLong) {
    await row.afterPut?.(call, next);
    const now = engine.cloud.store.get(call.id.key) ?? next;
    return {
      answer: { status: statusOf(row, created), headers: { ETag: now.etag }, body: engine.show(row, now) },
      operation: undefined,
    };
  }
  const failure = engine.faults.takeLongRunningFailure(next.region, row.type);
  const milliseconds = time === undefined ? null : time * engine.paceOf(next.region) * (failure?.after ?? 1);
  const operation = engine.operations.start(
    {
      subscriptionId: call.id.subscriptionId ?? '',
      namespace: row.type.slice(0, row.type.indexOf('/')),
      location: next.region ?? 'global',
      kind: verb,
      resourceId: next.resource.id,
      type: row.type,
      apiVersion: call.apiVersion,
      query: call.query.toString(),
      body: call.body,
      principal: call.principal,
      created,
      endsAt: milliseconds === null ? null : engine.cloud.clock.now() + milliseconds,
      ...(failure ? { failure: { code: failure.code, message: failure.message } } : {}),
    },
    (record) => finishWrite(engine, row, record, false),
  );
  return { answer: accepted(engine, row, next, operation, created), operation };
}

function accepted(
  engine: Engine,
  row: ResourceType,
  stored: Stored | undefined,
  operation: OperationRecord,
  created: boolean,
): Answer {
  const status = statusOf(row, created);
  const headers: Record<string, string> = engine.operations.headers(operation);
  // A client that sees both on a 200 or 201 may take the result URL for the resource's own.
  if (status !== 202) delete headers.Location;
  return stored
    ? { status, headers: { ...headers, ETag: stored.etag }, body: engine.show(row, stored) }
    : { status, headers };
}

function statusOf(row: ResourceType, created: boolean): number {
  return created ? (row.createdStatus ?? 201) : (row.updatedStatus ?? 200);
}

function settle(engine: Engine, row: ResourceType, stored: Stored, state: 'Succeeded' | 'Failed'): void {
  if (!keepsState(row)) return;
  const properties = { ...stored.resource.properties, provisioningState: state };
  engine.cloud.store.put({ ...stored, resource: { ...stored.resource, properties } });
}
