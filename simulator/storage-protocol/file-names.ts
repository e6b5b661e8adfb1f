/** What shares, directories and files may be called, and what a request says of them in its headers. */

import { StorageError } from './errors.ts';

const SHARE_NAME = /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const LONGEST_NAME = 255;
const LONGEST_PATH = 2048;
/** A share holds up to 100 TiB; one without a quota of its own, 5 TiB. */
const LARGEST_QUOTA_GIB = 102_400;
const DEFAULT_QUOTA_GIB = 5120;
/** A file is at most 4 TiB. */
const LARGEST_FILE_BYTES = 4 * 2 ** 40;

export function isShareName(name: string): boolean {
  return SHARE_NAME.test(name);
}

export function requireShareName(name: string): void {
  if (!isShareName(name))
    throw new StorageError(
      400,
      'InvalidResourceName',
      `The specified resource name contains invalid characters: share '${name}', expected 3 to 63 lower-case letters, digits and single dashes.`,
    );
}

/** The names joined by '/'. Throws StorageError 400. */
export function checkedPath(names: readonly string[]): string {
  const path = names.join('/');
  const bad = names.find(
    (name) => name.length > LONGEST_NAME || /["\\:|<>*?]|\p{Cc}/u.test(name) || name === '.' || name === '..',
  );
  if (bad !== undefined || path.length > LONGEST_PATH)
    throw new StorageError(
      400,
      'InvalidResourceName',
      `The specified resource name contains invalid characters: '${bad ?? path}'.`,
    );
  return path;
}

export function metadataOf(headers: Record<string, string>): Record<string, string> {
  const found = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-meta-'));
  return Object.fromEntries(found.map(([name, value]) => [name.slice('x-ms-meta-'.length), value]));
}

/** Content headers that a file keeps, by the request header that sets each. */
const KEPT: Record<string, string> = {
  'x-ms-content-type': 'Content-Type',
  'x-ms-content-encoding': 'Content-Encoding',
  'x-ms-content-language': 'Content-Language',
  'x-ms-content-disposition': 'Content-Disposition',
  'x-ms-content-md5': 'Content-MD5',
  'x-ms-cache-control': 'Cache-Control',
};

export function contentHeadersOf(headers: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = { 'Content-Type': 'application/octet-stream' };
  for (const [asked, kept] of Object.entries(KEPT)) {
    const value = headers[asked];
    if (value !== undefined && value !== '') found[kept] = value;
  }
  return found;
}

export function quotaOf(headers: Record<string, string>): number {
  const asked = headers['x-ms-share-quota'];
  if (asked === undefined) return DEFAULT_QUOTA_GIB;
  const quota = Number(asked);
  if (!isQuota(quota)) throw invalidHeader('x-ms-share-quota', asked, `1 to ${LARGEST_QUOTA_GIB} GiB`);
  return quota;
}

export function isQuota(quota: unknown): quota is number {
  return typeof quota === 'number' && Number.isInteger(quota) && quota >= 1 && quota <= LARGEST_QUOTA_GIB;
}

/** The length that a file is to have, in bytes. Throws StorageError 400. */
export function lengthOf(headers: Record<string, string>): number {
  const asked = headers['x-ms-content-length'];
  if (asked === undefined)
    throw new StorageError(
      400,
      'MissingRequiredHeader',
      "An HTTP header that's mandatory for this request is not specified: x-ms-content-length.",
    );
  const length = Number(asked);
  if (!/^\d+$/.test(asked) || length > LARGEST_FILE_BYTES)
    throw invalidHeader('x-ms-content-length', asked, `0 to ${LARGEST_FILE_BYTES} bytes`);
  return length;
}

export function invalidHeader(name: string, got: string, expected: string): StorageError {
  return new StorageError(
    400,
    'InvalidHeaderValue',
    `The value for one of the HTTP headers is not in the correct format: ${name}: expected ${expected}, got '${got}'.`,
  );
}
