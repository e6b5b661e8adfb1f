/** POST listAccountSas and listServiceSas: shared access signatures that management makes. */

import { accountSasText, blobSasText, fileSasText, sign } from '../storage-protocol/signing-text.ts';
import { STORAGE_VERSION } from '../storage-protocol/shared-key.ts';
import { textOf } from '../resource/fields.ts';
import { ArmError, type ActionResult, type Call, type JsonObject } from '../contract/index.ts';
import { keysOf } from './account.ts';

/** Fields of the body, by the parameter of the signature that each becomes. */
const COMMON: Record<string, string> = {
  sp: 'signedPermission',
  st: 'signedStart',
  se: 'signedExpiry',
  sip: 'signedIp',
  spr: 'signedProtocol',
};
const OF_ACCOUNT: Record<string, string> = { ss: 'signedServices', srt: 'signedResourceTypes', ...COMMON };
const OF_SERVICE: Record<string, string> = {
  ...COMMON,
  si: 'signedIdentifier',
  sr: 'signedResource',
  rscc: 'rscc',
  rscd: 'rscd',
  rsce: 'rsce',
  rscl: 'rscl',
  rsct: 'rsct',
};

const PERMISSIONS = 'racwdxyltfmeopui';

export function listAccountSas(call: Call): ActionResult {
  requireFields(call.body, ['signedServices', 'signedResourceTypes', 'signedPermission', 'signedExpiry']);
  requireLetters(call.body, 'signedServices', 'bqtf');
  requireLetters(call.body, 'signedResourceTypes', 'sco');
  requireLetters(call.body, 'signedPermission', PERMISSIONS);
  const query = queryOf(call.body, OF_ACCOUNT);
  query.set('sig', sign(keyOf(call), accountSasText(call.existing?.resource.name ?? '', query)));
  return { body: { accountSasToken: query.toString() } };
}

export function listServiceSas(call: Call): ActionResult {
  requireFields(call.body, ['canonicalizedResource', 'signedResource']);
  const of = textOf(call.body.signedResource);
  if (!['b', 'c', 'f', 's'].includes(of)) throw invalid('signedResource', 'b, c, f or s', of);
  if (textOf(call.body.signedPermission) !== '') requireLetters(call.body, 'signedPermission', PERMISSIONS);
  const resource = textOf(call.body.canonicalizedResource);
  const account = call.existing?.resource.name ?? '';
  const query = queryOf(call.body, OF_SERVICE);
  const [, service = '', named = ''] = resource.split('/');
  if (named !== account || (service !== 'blob' && service !== 'file'))
    throw invalid('canonicalizedResource', `'/blob/${account}/…' or '/file/${account}/…'`, resource);
  const text = service === 'blob' ? blobSasText(resource, query) : fileSasText(resource, query);
  query.set('sig', sign(keyOf(call), text));
  return { body: { serviceSasToken: query.toString() } };
}

function queryOf(body: JsonObject, fields: Record<string, string>): URLSearchParams {
  const query = new URLSearchParams({ sv: STORAGE_VERSION });
  for (const [parameter, field] of Object.entries(fields)) {
    const value = textOf(body[field]);
    if (value === '') continue;
    const isTime = parameter === 'st' || parameter === 'se';
    if (isTime && Number.isNaN(Date.parse(value))) throw invalid(field, 'a time in ISO 8601', value);
    query.set(parameter, isTime ? `${new Date(value).toISOString().slice(0, 19)}Z` : value);
  }
  return query;
}

function keyOf({ body, existing }: Call): string {
  const which = body.keyToSign ?? 'key1';
  if (which !== 'key1' && which !== 'key2') throw invalid('keyToSign', 'key1 or key2', textOf(which));
  return existing ? keysOf(existing)[which] : '';
}

function requireLetters(body: JsonObject, name: string, letters: string): void {
  const got = textOf(body[name]);
  if (!Array.from(got).every((one) => letters.includes(one))) throw invalid(name, `letters of '${letters}'`, got);
}

function requireFields(body: JsonObject, names: string[]): void {
  const missing = names.find((name) => textOf(body[name]) === '');
  if (missing !== undefined) throw invalid(missing, 'a value', '');
}

function invalid(name: string, expected: string, got: string): ArmError {
  return new ArmError(
    400,
    'InvalidValuesForRequestParameters',
    `Values for request parameters are invalid: ${name}: expected ${expected}, got '${got}'.`,
    { target: name },
  );
}
