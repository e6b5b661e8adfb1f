/**
 * User delegation keys, and the signatures made with them. Azurite knows account keys alone, so a signature that holds
 * here goes on as the same one made with an account key: its permissions, times and resource are then held by Azurite.
 * Source: Azure, REST API, Get User Delegation Key, "Create a user delegation SAS".
 */

import { createHmac, randomBytes } from 'node:crypto';
import { textOf } from '../resource/fields.ts';
import type { Cloud, Principal, Stored } from '../contract/index.ts';
import { StorageError } from './errors.ts';
import { STORAGE_VERSION } from './shared-key.ts';
import { blobSasText, isSame, sign } from './signing-text.ts';

const LONGEST_MS = 7 * 86_400_000;
/** What a user delegation SAS has beside the parameters of any service SAS. */
const OWN = ['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv', 'saoid', 'suoid', 'scid', 'skdutid', 'sduoid'];
const SECRET = 'delegationSecret';

interface Terms {
  objectId: string;
  tenantId: string;
  start: string;
  expiry: string;
  service: string;
  version: string;
}

export function isUserDelegation(query: URLSearchParams): boolean {
  return query.has('sig') && query.has('skoid');
}

/** The answer of Get User Delegation Key. Throws StorageError 400 `InvalidXmlDocument`, `InvalidXmlNodeValue`. */
export function issueKey(cloud: Cloud, account: Stored, principal: Principal, body: string, version: string): string {
  const now = Date.now();
  const timeIn = (name: string): string | undefined =>
    new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(body)?.[1];
  const [start = iso(now), expiry] = [timeIn('Start'), timeIn('Expiry')];
  if (!/<KeyInfo[\s>]/.test(body) || expiry === undefined)
    throw new StorageError(400, 'InvalidXmlDocument', 'XML specified is not syntactically valid.');
  const [from, to] = [Date.parse(start), Date.parse(expiry)];
  if (Number.isNaN(from) || Number.isNaN(to) || to <= from || to <= now || to - now > LONGEST_MS)
    throw new StorageError(
      400,
      'InvalidXmlNodeValue',
      'The value for one of the XML nodes is not in the correct format: Start and Expiry, which is later, and at most 7 days from now.',
    );
  const terms: Terms = {
    objectId: principal.objectId,
    tenantId: principal.tenantId,
    start: iso(from),
    expiry: iso(to),
    service: 'b',
    version,
  };
  const value = keyOf(secretOf(cloud, account), terms);
  return `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey><SignedOid>${terms.objectId}</SignedOid><SignedTid>${terms.tenantId}</SignedTid><SignedStart>${terms.start}</SignedStart><SignedExpiry>${terms.expiry}</SignedExpiry><SignedService>b</SignedService><SignedVersion>${version}</SignedVersion><Value>${value}</Value></UserDelegationKey>`;
}

/** POST revokeUserDelegationKeys: what was signed with the keys there were is refused from now on. */
export function revokeKeys(cloud: Cloud, account: Stored): void {
  cloud.store.put({
    ...account,
    hidden: { ...account.hidden, [SECRET]: randomBytes(32).toString('base64') },
  });
}

/**
 * Whose key signed the query. Throws StorageError 403 `AuthenticationFailed` unless it is a key of this account that is
 * good now.
 */
export function requireDelegation(
  cloud: Cloud,
  account: Stored,
  { container, blob }: { container: string; blob: string },
  query: URLSearchParams,
): Principal {
  const of = (name: string): string => query.get(name) ?? '';
  const refuse = (reason: string): never => {
    throw new StorageError(
      403,
      'AuthenticationFailed',
      `Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. ${reason}`,
    );
  };
  if (of('srh') !== '' || of('srq') !== '')
    refuse('Signed headers and query parameters are not offered by the local Azure.');
  const key = keyOf(secretOf(cloud, account), {
    objectId: of('skoid'),
    tenantId: of('sktid'),
    start: of('skt'),
    expiry: of('ske'),
    service: of('sks'),
    version: of('skv'),
  });
  const resource = canonical(account, container, of('sr') === 'c' ? '' : blob);
  if (!isSame(of('sig'), sign(key, textToSign(resource, query)))) refuse('Signature did not match.');
  const now = Date.now();
  if (!(Date.parse(of('skt')) <= now && now <= Date.parse(of('ske'))))
    refuse(`Signature not valid in the specified key time frame: ${of('skt')} to ${of('ske')}.`);
  return { objectId: of('skoid'), clientId: '', tenantId: of('sktid') };
}

/** The same query as a service SAS that Azurite takes, signed with an account key. */
export function asServiceSas(
  cloud: Cloud,
  account: Stored,
  { container, blob }: { container: string; blob: string },
  query: URLSearchParams,
): URLSearchParams {
  const own = new URLSearchParams([...query].filter(([name]) => !OWN.includes(name) && name !== 'sig'));
  own.set('sv', STORAGE_VERSION);
  const resource = canonical(account, container, own.get('sr') === 'c' ? '' : blob);
  const key = cloud.blobs.keys(account.resource.name)?.key1 ?? '';
  own.set('sig', sign(key, blobSasText(resource, own)));
  return own;
}

/** By the version of the service that the signature names: later ones sign more. */
function textToSign(resource: string, query: URLSearchParams): string {
  const of = (name: string): string => query.get(name) ?? '';
  const version = of('sv');
  const since = (from: string, ...names: string[]): string[] => (version >= from ? names : []);
  const after = [...since('2025-07-05', 'skdutid', 'sduoid'), 'sip', 'spr', 'sv', 'sr', 'snapshot'];
  const last = [...since('2020-12-06', 'ses'), ...since('2026-04-06', 'srh', 'srq')];
  const names = [
    'skoid',
    'sktid',
    'skt',
    'ske',
    'sks',
    'skv',
    ...since('2020-02-10', 'saoid', 'suoid', 'scid'),
    ...after,
    ...last,
    'rscc',
    'rscd',
    'rsce',
    'rscl',
    'rsct',
  ];
  return [...['sp', 'st', 'se'].map(of), resource, ...names.map(of)].join('\n');
}

function canonical(account: Stored, container: string, blob: string): string {
  const path = [account.resource.name, container, blob].filter((part) => part !== '');
  return decodeURIComponent(`/blob/${path.join('/')}`);
}

function keyOf(secret: string, { objectId, tenantId, start, expiry, service, version }: Terms): string {
  const text = [objectId, tenantId, start, expiry, service, version].join('\n');
  return createHmac('sha256', Buffer.from(secret, 'base64')).update(text).digest('base64');
}

/** What the account's keys are derived from; made when it is first asked for. */
function secretOf(cloud: Cloud, account: Stored): string {
  const held = textOf(cloud.store.get(account.resource.id)?.hidden[SECRET]);
  if (held !== '') return held;
  revokeKeys(cloud, cloud.store.get(account.resource.id) ?? account);
  return textOf(cloud.store.get(account.resource.id)?.hidden[SECRET]);
}

function iso(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
