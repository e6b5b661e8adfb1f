/** POST {id}/{action}. */

import {
  ArmError,
  type ActionResult,
  type Json,
  type ResourceId,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import type { Answer, ArmRequest } from '../http/answer.ts';
import type { Engine } from './engine.ts';
import type { Finish, OperationRecord } from './operations.ts';
import { notFound } from '../resource/refusals.ts';

type Actions = NonNullable<ResourceType['actions']>;

/** The row's action of that name, in any spelling of case: its own, not what every object has. */
export function actionOf({ actions }: ResourceType, name: string): Actions[string] | undefined {
  const known = name.toLowerCase();
  return actions && Object.hasOwn(actions, known) ? actions[known] : undefined;
}

/** Runs an action of the row; a long-running one answers 202 and goes on. */
export async function act(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  action: string,
  request: ArmRequest,
): Promise<Answer> {
  return (await actTracked(engine, row, id, action, request)).answer;
}

export async function actTracked(
  engine: Engine,
  row: ResourceType,
  id: ResourceId,
  action: string,
  request: ArmRequest,
): Promise<{ answer: Answer; operation: OperationRecord | undefined }> {
  const name = action.toLowerCase();
  const run = actionOf(row, name);
  if (!run) {
    throw new ArmError(
      404,
      'InvalidResourceAction',
      `The action '${action}' of resource type '${row.type}' is not offered by the local Azure.`,
    );
  }
  const existing = engine.cloud.store.get(id.key);
  const region = (existing && row.answeredBy?.(existing, { action: name })) ?? engine.regionOf(row, id, existing);
  await engine.reach(region, id.provider, {
    method: 'POST',
    path: `${id.id}/${action}`,
  });
  if (!existing) {
    engine.requireScope(id);
    if (!row.actionsWithoutResource?.includes(name)) throw notFound(id);
  }
  const call = engine.call(request, id, existing, 'action');
  const result = await run(call);
  if (!result.longRunning) {
    const status = result.status ?? (result.body === undefined ? 204 : 200);
    return {
      answer: result.body === undefined ? { status } : { status, body: result.body },
      operation: undefined,
    };
  }
  const failure = engine.faults.takeLongRunningFailure(region, row.type);
  const operation = engine.operations.start(
    {
      subscriptionId: id.subscriptionId ?? '',
      namespace: row.type.slice(0, row.type.indexOf('/')),
      location: region ?? 'global',
      kind: 'action',
      action: name,
      resourceId: existing?.resource.id ?? id.id,
      type: row.type,
      apiVersion: call.apiVersion,
      query: call.query.toString(),
      body: call.body,
      principal: call.principal,
      created: false,
      endsAt:
        engine.cloud.clock.now() + result.longRunning.milliseconds * engine.paceOf(region) * (failure?.after ?? 1),
      ...(failure ? { failure: { code: failure.code, message: failure.message } } : {}),
    },
    finishAction(result),
  );
  const answer: Answer = { status: result.status ?? 202, headers: engine.operations.headers(operation) };
  return { answer: result.body === undefined ? answer : { ...answer, body: result.body }, operation };
}

/** After a restart: asks the row again for what remains to be done at the end. */
export async function resumeAction(
  engine: Engine,
  row: ResourceType,
  record: OperationRecord,
  existing: Stored | undefined,
): Promise<Finish> {
  const call = { ...engine.recall(record, existing), resumed: true };
  try {
    const result = await actionOf(row, record.action ?? '')?.(call);
    return finishAction(result ?? {});
  } catch (error) {
    // It fails where it would have ended, so that its poller hears of it.
    return () => Promise.reject(error);
  }
}

function finishAction(result: ActionResult): Finish {
  return async (record): Promise<Json | undefined> => {
    if (record.failure) throw new ArmError(500, record.failure.code, record.failure.message);
    return result.longRunning?.finish?.();
  };
}
