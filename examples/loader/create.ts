/**
 * Makes one resource, if it is not there as wanted. Versions of assets and jobs cannot change once made: one that is
 * there with other content is an error that says what to do, and nothing is written.
 */
import { type Arm } from './arm.ts';
import { firstDifference, includes, isObject, type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';
import { ML_API } from './scope.ts';
import { type Outcome } from './summary.ts';

/** Fields that may change on what is otherwise immutable, and do not make it another. */
const MUTABLE = ['tags', 'description', 'displayName', 'isArchived', 'isAnonymous'];

export async function createImmutable(
  arm: Arm,
  id: string,
  what: string,
  body: JsonObject,
): Promise<Outcome> {
  const existing = await arm.get(id, ML_API);
  if (existing === undefined) {
    await arm.put(id, ML_API, body);
    return 'created';
  }
  const properties = isObject(body.properties) ? body.properties : {};
  const fixed = Object.fromEntries(Object.entries(properties).filter(([name]) => !MUTABLE.includes(name)));
  const difference = firstDifference(existing.properties, fixed);
  if (difference !== undefined) {
    throw new LoadError(
      `${what} exists with another "${difference}", and it cannot be changed: give the one in the folder a new name or version`,
    );
  }
  return 'unchanged';
}

/** For what may change. `secrets` says whether the secrets that no GET shows are those wanted. */
export async function createOrUpdate(
  arm: Arm,
  id: string,
  body: JsonObject,
  secrets: (existing: JsonObject) => Promise<boolean> = async () => true,
): Promise<Outcome> {
  const existing = await arm.get(id, ML_API);
  if (existing !== undefined && includes(existing, withoutSecrets(body)) && (await secrets(existing)))
    return 'unchanged';
  await arm.put(id, ML_API, body);
  return existing === undefined ? 'created' : 'updated';
}

/** The body without its `secrets` and a connection's `credentials` values, which a GET never shows. */
function withoutSecrets(body: JsonObject): JsonObject {
  const properties = body.properties;
  if (!isObject(properties) || !isObject(properties.credentials)) return body;
  const { credentialsType } = properties.credentials;
  const { credentials: _, ...shown } = properties;
  return {
    ...body,
    properties: credentialsType === undefined ? shown : { ...shown, credentials: { credentialsType } },
  };
}
