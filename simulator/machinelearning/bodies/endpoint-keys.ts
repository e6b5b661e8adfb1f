/** The keys and tokens of endpoints. */

import { randomBytes } from 'node:crypto';
import type { ActionResult, Call, JsonObject, Stored } from '../../contract/index.ts';
import { numberOf, objectOf, textOf } from './fields.ts';
import { userError, validationError } from './refusals.ts';

/** Where the envelope keeps the keys of an endpoint. */
export const KEYS = 'properties.keys';
/** The tokens given out, by value, with the second of their end. */
const TOKENS = 'tokens';

const TOKEN_SECONDS = 3600;

export function newKeys(): { primaryKey: string; secondaryKey: string } {
  return {
    primaryKey: randomBytes(24).toString('base64url'),
    secondaryKey: randomBytes(24).toString('base64url'),
  };
}

export function endpointKeys(endpoint: Stored): JsonObject {
  return objectOf(endpoint.hidden[KEYS]);
}

export const keyActions: Record<string, (call: Call) => ActionResult> = {
  listkeys: (call) => {
    requireMode(call, 'Key');
    return { body: endpointKeys(endpointOf(call)) };
  },
  regeneratekeys: regenerateKeys,
  token: issueToken,
};

/** Whether a scoring request's bearer is one of the endpoint's keys or a token of it that has not ended. */
export function isAuthorized(endpoint: Stored, bearer: string, nowMs: number): boolean {
  if (endpoint.resource.properties.authMode === 'Key') return Object.values(endpointKeys(endpoint)).includes(bearer);
  return (numberOf(objectOf(endpoint.hidden[TOKENS])[bearer]) ?? 0) * 1000 > nowMs;
}

function endpointOf(call: Call): Stored {
  if (!call.existing) throw new Error(`no endpoint '${call.id.id}'`); // The envelope answers 404 before it gets here.
  return call.existing;
}

function requireMode(call: Call, wanted: 'Key' | 'token'): void {
  const mode = textOf(endpointOf(call).resource.properties.authMode) ?? '';
  if ((mode === 'Key') !== (wanted === 'Key'))
    throw userError(
      `The endpoint '${call.id.name}' has authMode ${mode}: it has no ${wanted === 'Key' ? 'keys' : 'tokens'}.`,
    );
}

function regenerateKeys(call: Call): ActionResult {
  requireMode(call, 'Key');
  const field = { primary: 'primaryKey', secondary: 'secondaryKey' }[(textOf(call.body.keyType) ?? '').toLowerCase()];
  if (field === undefined)
    throw validationError(`keyType: expected Primary or Secondary, got '${textOf(call.body.keyType)}'.`, 'keyType');
  const value = textOf(call.body.keyValue) ?? newKeys().primaryKey;
  const finish = (): undefined => {
    const endpoint = call.cloud.store.get(endpointOf(call).resource.id);
    if (!endpoint) return;
    call.cloud.store.put({
      ...endpoint,
      hidden: { ...endpoint.hidden, [KEYS]: { ...endpointKeys(endpoint), [field]: value } },
    });
  };
  return { longRunning: { milliseconds: 1500, finish } };
}

function issueToken(call: Call): ActionResult {
  requireMode(call, 'token');
  const endpoint = endpointOf(call);
  const nowSeconds = Math.floor(call.cloud.clock.now() / 1000);
  const accessToken = randomBytes(32).toString('base64url');
  const live = Object.entries(objectOf(endpoint.hidden[TOKENS])).filter(
    ([, ends]) => (numberOf(ends) ?? 0) > nowSeconds,
  );
  const tokens = { ...Object.fromEntries(live), [accessToken]: nowSeconds + TOKEN_SECONDS };
  call.cloud.store.put({ ...endpoint, hidden: { ...endpoint.hidden, [TOKENS]: tokens } });
  const body = {
    accessToken,
    tokenType: 'Bearer',
    expiryTimeUtc: nowSeconds + TOKEN_SECONDS,
    refreshAfterTimeUtc: nowSeconds + TOKEN_SECONDS / 2,
  };
  return { body };
}
