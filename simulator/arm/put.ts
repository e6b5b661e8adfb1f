/** PUT and PATCH of a resource. */

import { ArmError, type Call, type ResourceId, type ResourceType, type Stored } from '../contract/index.ts';
import { objectBody, type Answer, type ArmRequest } from '../http/answer.ts';
import type { Engine } from './engine.ts';
import { sameJson } from '../resource/fields.ts';
import { requireEnvelope } from '../resource/body-shape.ts';
import { requireConditions } from '../resource/conditions.ts';
import type { OperationRecord } from './operations.ts';
import { prepareWrite, type WriteVerb } from './prepare-write.ts';
import { notFound } from '../resource/refusals.ts';

interface Written {
  answer: Answer;
  operation: OperationRecord | undefined;
  /** What was stored; undefined for a PUT that joins one which is under way. */
  written: Stored | undefined;
}

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
): Promise<Written> {
  const body = objectBody(request.body);
  requireEnvelope(body, verb);
  const before = engine.cloud.store.get(id.key);
  await engine.reach(engine.regionOf(row, id, before, verb === 'put' ? body : undefined), id.provider, request);
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
      if (!mayJoin || pending.kind !== verb || !sameJson(pending.body, body)) throw inProgress(row, id, existing);
      return {
        answer: accepted(engine, row, engine.cloud.store.get(id.key), pending, pending.created),
        operation: pending,
        written: undefined,
      };
    }
    const call = engine.call(request, id, existing, verb);
    return store(engine, row, call, await prepareWrite(engine, row, call, verb), verb);
  });
}

/**
 * Writes into the store of the engine's cloud, a draft, what a PUT leaves there when it has ended. Throws ArmError as
 * the PUT would.
 */
export async function draftWrite(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  request: ArmRequest,
): Promise<Stored> {
  requireEnvelope(objectBody(request.body), 'put');
  engine.requireScope(id);
  const { store } = engine.cloud;
  const call = engine.call(request, id, store.get(id.key), 'put');
  store.put(await prepareWrite(engine, row, call, 'put'));
  settle(engine, row, store.get(id.key), 'Succeeded');
  const drafted = store.get(id.key);
  if (!drafted) throw new Error(`the draft has no '${id.id}', which it has just written`);
  row.spreads?.(call, drafted);
  return drafted;
}

/** The end of a long-running PUT or PATCH; run by the operation. */
export async function finishWrite(
  engine: Engine,
  row: ResourceType,
  record: OperationRecord,
  resumed: boolean,
): Promise<undefined> {
  const stored = engine.cloud.store.get(record.resourceId);
  if (!stored) throw new ArmError(409, 'OperationCanceled', `The resource '${record.resourceId}' was deleted.`);
  const call = engine.recall(record, stored);
  if (resumed) call.resumed = true;
  try {
    if (record.failure) throw new ArmError(500, record.failure.code, record.failure.message);
    await row.runs?.(call, stored);
    settle(engine, row, stored, 'Succeeded');
    await afterStored(engine, row, call, engine.cloud.store.get(record.resourceId) ?? stored);
  } catch (error) {
    settle(engine, row, engine.cloud.store.get(record.resourceId), 'Failed');
    throw error;
  }
  return undefined;
}

async function afterStored(engine: Engine, row: ResourceType, call: Call, stored: Stored): Promise<void> {
  row.spreads?.(call, stored);
  await row.afterPut?.(call, engine.cloud.store.get(call.id.key) ?? stored);
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

async function store(engine: Engine, row: ResourceType, call: Call, next: Stored, verb: WriteVerb): Promise<Written> {
  const created = call.existing === undefined;
  const time = row.longRunning?.[verb];
  const isLong = time !== undefined || row.runs !== undefined;
  if (keepsState(row))
    next.resource.properties.provisioningState = isLong ? (created ? 'Creating' : 'Updating') : 'Succeeded';
  engine.cloud.store.put(next);
  if (!isLong) {
    await afterStored(engine, row, call, next);
    const now = engine.cloud.store.get(call.id.key) ?? next;
    return {
      answer: { status: statusOf(row, created), headers: { ETag: now.etag }, body: engine.show(row, now) },
      operation: undefined,
      written: next,
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
  return { answer: accepted(engine, row, next, operation, created), operation, written: next };
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

function settle(engine: Engine, row: ResourceType, stored: Stored | undefined, state: 'Succeeded' | 'Failed'): void {
  if (!stored || !keepsState(row)) return;
  const properties = { ...stored.resource.properties, provisioningState: state };
  engine.cloud.store.put({ ...stored, resource: { ...stored.resource, properties } });
}
