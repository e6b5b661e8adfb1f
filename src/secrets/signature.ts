/** Signs shared access signatures again with an account's current key, and makes short-lived ones for reading. */
import {
  AccountSASPermissions,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { messageOf } from '../errors/error.ts';

/** A fixed version: the same terms always give the same signature. */
const version = '2022-11-02';
const lookMs = 15 * 60_000;
const skewMs = 5 * 60_000;

/** The account to sign for. */
export interface SigningAccount {
  name: string;
  key: string;
}

/** Returns the token without the leading question mark. */
export function bareToken(token: string): string {
  return token.trim().replace(/^\?/, '');
}

/**
 * Signs the same permissions, resource and expiry with another key. Or returns why that is impossible: the signature
 * has expired, was not made with a key, or is of an unsupported kind.
 */
export function signAgain(
  token: string,
  account: SigningAccount,
  container: string | undefined,
  now: Date,
): { token: string } | { reason: string } {
  const terms = new URLSearchParams(bareToken(token));
  const expiry = dateOf(terms.get('se'));
  if (!terms.has('sig')) return { reason: 'it holds no shared access signature' };
  if (terms.has('skoid')) return { reason: 'its signature was made by an identity: only that can make another' };
  if (expiry && expiry <= now) return { reason: `its signature ran out at ${expiry.toISOString()}` };
  const credential = new StorageSharedKeyCredential(account.name, account.key);
  try {
    if (terms.has('srt')) return { token: accountSignature(terms, expiry, credential) };
    if (terms.get('sr') === 'c' && container !== undefined)
      return { token: containerSignature(terms, expiry, container, credential) };
  } catch (error) {
    return { reason: `its signature cannot be made again: ${messageOf(error)}` };
  }
  return { reason: 'its signature is neither of the account nor of a blob container: make another by hand' };
}

/** Makes a signature for reading blobs or files once. */
export function signForReading(
  { name, key }: SigningAccount,
  service: 'blob' | 'file',
  { write, now }: { write: boolean; now: Date },
): string {
  return generateAccountSASQueryParameters(
    {
      version,
      services: service === 'blob' ? 'b' : 'f',
      resourceTypes: 'sco',
      permissions: AccountSASPermissions.parse(write ? 'rwdlc' : 'rl'),
      startsOn: new Date(now.getTime() - skewMs),
      expiresOn: new Date(now.getTime() + lookMs),
    },
    new StorageSharedKeyCredential(name, key),
  ).toString();
}

function accountSignature(
  terms: URLSearchParams,
  expiry: Date | undefined,
  credential: StorageSharedKeyCredential,
): string {
  if (!expiry) throw new RangeError('it has no term');
  return generateAccountSASQueryParameters(
    {
      version,
      services: terms.get('ss') ?? '',
      resourceTypes: terms.get('srt') ?? '',
      permissions: AccountSASPermissions.parse(terms.get('sp') ?? ''),
      expiresOn: expiry,
      ...termsOf(terms),
    },
    credential,
  ).toString();
}

function containerSignature(
  terms: URLSearchParams,
  expiry: Date | undefined,
  container: string,
  credential: StorageSharedKeyCredential,
): string {
  const policy = terms.get('si');
  return generateBlobSASQueryParameters(
    {
      version,
      containerName: container,
      ...(terms.has('sp') ? { permissions: ContainerSASPermissions.parse(terms.get('sp') ?? '') } : {}),
      ...(expiry ? { expiresOn: expiry } : {}),
      ...(policy === null ? {} : { identifier: policy }),
      ...termsOf(terms),
    },
    credential,
  ).toString();
}

function termsOf(terms: URLSearchParams): {
  startsOn?: Date;
  protocol?: SASProtocol;
  ipRange?: { start: string; end?: string };
} {
  const start = dateOf(terms.get('st'));
  const protocol = terms.get('spr');
  const [first, last] = terms.get('sip')?.split('-') ?? [];
  return {
    ...(start ? { startsOn: start } : {}),
    ...(protocol === SASProtocol.Https || protocol === SASProtocol.HttpsAndHttp ? { protocol } : {}),
    ...(first === undefined ? {} : { ipRange: { start: first, ...(last === undefined ? {} : { end: last }) } }),
  };
}

function dateOf(text: string | null): Date | undefined {
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
