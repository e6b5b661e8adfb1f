/** DELETE of a resource and all that is below it. */

import { ArmError, type Call, type ResourceId, type ResourceType, type Stored } from '../contract/index.ts';
import type { Answer, ArmRequest } from '../http/answer.ts';
import { requireConditions } from '../resource/conditions.ts';
import type { Engine } from './engine.ts';
import { parseResourceId } from '../resource/ids.ts';
import type { OperationRecord } from './operations.ts';
import { inProgress, keepsState } from './put.ts';

export async function remove(engine: Engine, row: ResourceType, id: ResourceId, request: ArmRequest): Promise<Answer> {
  return (await removeTracked(engine, row, id, request)).answer;
}

/** As `remove`, and tells the operation, so that one who is inside the cloud can wait for it. */
export async function removeTracked(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  request: ArmRequest,
): Promise<{ answer: Answer; operation: OperationRecord | undefined }> {
  const before = engine.cloud.store.get(id.key);
  await engine.reach(engine.regionOf(row, id, before), id.provider, request);
  return engine.exclusively(id.key, async () => {
    const stored = engine.cloud.store.get(id.key);
    if (!stored) {
      engine.requireScope(id);
      await row.deleteMissing?.(engine.call({ ...request, body: request.body ?? {} }, id, undefined, 'delete'));
      return { answer: { status: 204 }, operation: undefined };
    }
    requireConditions(request.headers, stored);
    const pending = engine.operations.inProgress(stored.resource.id);
    if (pending?.kind === 'delete')
      return { answer: { status: 202, headers: engine.operations.headers(pending) }, operation: pending };
    if (pending) throw inProgress(row, id, stored);
    const call = engine.call({ ...request, body: request.body ?? {} }, id, stored, 'delete');
    await row.beforeDelete?.(call, stored);
    const time = row.longRunning?.delete;
    if (time === undefined) {
      await erase(engine, call, stored);
      const answer = row.showsDeleted ? { status: 200, body: engine.show(row, stored) } : { status: 200 };
      return { answer, operation: undefined };
    }
    const operation = begin(engine, row, call, stored, time);
    return { answer: { status: 202, headers: engine.operations.headers(operation) }, operation };
  });
}

/** The end of a long-running DELETE; run by the operation. */
export async function finishRemove(engine: Engine, row: ResourceType, record: OperationRecord): Promise<undefined> {
  const stored = engine.cloud.store.get(record.resourceId);
  if (!stored) return;
  if (record.failure) {
    if (keepsState(row)) engine.cloud.store.put(withState(stored, 'Failed'));
    throw new ArmError(500, record.failure.code, record.failure.message);
  }
  await erase(engine, engine.recall(record, stored), stored);
}

function begin(engine: Engine, row: ResourceType, call: Call, stored: Stored, time: number): OperationRecord {
  if (keepsState(row)) engine.cloud.store.put(withState(stored, 'Deleting'));
  const failure = engine.faults.takeLongRunningFailure(stored.region, row.type);
  return engine.operations.start(
    {
      subscriptionId: call.id.subscriptionId ?? '',
      namespace: row.type.slice(0, row.type.indexOf('/')),
      location: stored.region ?? 'global',
      kind: 'delete',
      resourceId: stored.resource.id,
      type: row.type,
      apiVersion: call.apiVersion,
      query: call.query.toString(),
      body: call.body,
      principal: call.principal,
      created: false,
      endsAt: engine.cloud.clock.now() + time * engine.paceOf(stored.region) * (failure?.after ?? 1),
      ...(failure ? { failure: { code: failure.code, message: failure.message } } : {}),
    },
    (record) => finishRemove(engine, row, record),
  );
}

/** Takes the resource and all below it out of the store, and tells each one's row. */
async function erase(engine: Engine, call: Call, stored: Stored): Promise<void> {
  const removed = engine.cloud.store.remove(stored.resource.id);
  for (const gone of removed) {
    if (gone !== stored) engine.operations.cancel(gone.resource.id);
    const id = parseResourceId(gone.resource.id);
    if (id) await engine.row(gone.resource.type)?.afterDelete?.({ ...call, id, existing: gone }, gone);
  }
}

function withState(stored: Stored, state: string): Stored {
  const properties = { ...stored.resource.properties, provisioningState: state };
  return { ...stored, resource: { ...stored.resource, properties } };
}
