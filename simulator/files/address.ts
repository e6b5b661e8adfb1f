/**
 * Who a request to Azure Files is for: `https://{account}.file.core.localhost:1/share/folder/file`, or below the
 * region's own address, `https://localhost:1/_/file/{account}/share/folder/file`.
 */

import { serviceOf } from '../http/service-hosts.ts';

const PREFIX = '/_/file/';

export interface FileAddress {
  account: string;
  /** Empty where the request is for the account itself. */
  share: string;
  /** Decoded names, from the share's root down; empty for the root. */
  path: string[];
}

/** Is the request one for Azure Files? */
export function isForFiles(host: string | undefined, url: string): boolean {
  return serviceOf(host)?.service === 'file' || url.startsWith(PREFIX);
}

/** `pathname` as it was sent, percent-encoded. Throws URIError if it is not. */
export function fileAddress(host: string | undefined, pathname: string): FileAddress {
  const named = serviceOf(host);
  const isByHost = named?.service === 'file';
  const [first = '', ...segments] = (isByHost ? `${named.name}${pathname}` : pathname.slice(PREFIX.length))
    .split('/')
    .map(decodeURIComponent);
  const [share = '', ...path] = segments.filter((segment) => segment !== '');
  return { account: first, share, path };
}
