/**
 * Addresses of blobs: `https://{account}.blob.…/{container}/{path}`, path-style endpoints
 * (`https://host:port/{account}/…`), and those of Spark (`abfss://{container}@{account}.dfs.…/{path}`, `wasbs://…`).
 * Compared by origin and path segments.
 */
import { sameName } from '../arm-id.ts';

/** A blob or folder that an address refers to. */
export interface BlobPlace {
  container: string;
  /** As in the address: percent-encoded, without a leading slash. */
  path: string;
  /** Including its `?`: a shared access signature, if the address has one. */
  query: string;
  /** Set for Spark's schemes. */
  sparkScheme?: string;
}

const address = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#\s@]+)@)?([^/?#\s@]+)(\/[^?#\s]*)?(\?[^#\s]*)?(#\S*)?$/i;
const sparkSchemes = ['abfs', 'abfss', 'wasb', 'wasbs'];

/**
 * Returns the place in the account with this endpoint (`https://…/`) that the address refers to. Undefined if it refers
 * elsewhere.
 */
export function placeInAccount(value: string, endpoint: string): BlobPlace | undefined {
  const match = address.exec(value);
  const base = URL.parse(endpoint);
  if (!match || !base) return undefined;
  const [, scheme = '', container, host = '', path = '', query = ''] = match;
  if (sparkSchemes.includes(scheme.toLowerCase())) {
    if (container === undefined || !sameName(serviceless(host), serviceless(base.host))) return undefined;
    return { container, path: path.slice(1), query, sparkScheme: scheme };
  }
  const url = URL.parse(`${scheme}://${host}`);
  if (container !== undefined || !url || url.protocol !== base.protocol) return undefined;
  if (!sameName(serviceless(url.host), serviceless(base.host))) return undefined;
  const prefix = base.pathname.split('/').filter((segment) => segment !== '');
  const segments = path.slice(1).split('/');
  if (!prefix.every((segment, index) => segment === segments[index])) return undefined;
  const [first, ...rest] = segments.slice(prefix.length);
  return first ? { container: first, path: rest.join('/'), query } : undefined;
}

/** Returns the address of a place in another account, in the same form. */
export function addressIn(endpoint: string, { container, path, sparkScheme }: BlobPlace): string {
  const base = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
  if (sparkScheme === undefined) return path === '' ? `${base}${container}` : `${base}${container}/${path}`;
  const host = new URL(base).host;
  const spelt = sparkScheme.startsWith('abfs') ? host.replace('.blob.', '.dfs.') : host;
  return `${sparkScheme}://${container}@${spelt}/${path}`;
}

/** `acct.blob.core.windows.net` and `acct.dfs.core.windows.net` are the same account. */
function serviceless(host: string): string {
  const labels = host.toLowerCase().split('.');
  return labels[1] === 'blob' || labels[1] === 'dfs' ? labels.toSpliced(1, 1).join('.') : labels.join('.');
}

/** Returns an address without its signature, so that it can be shown. */
export function withoutSignature(value: string): string {
  return address.test(value) && /[?&]sig=/i.test(value) ? `${value.slice(0, value.indexOf('?'))}?(signature)` : value;
}
