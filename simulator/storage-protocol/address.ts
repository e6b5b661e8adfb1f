/**
 * Who a blob request is for. A front's address has the account in its path (`https://localhost:1/acct/container/blob`),
 * the name that Azure's clients build has it in the host (`https://acct.blob.core.localhost:1/container/blob`).
 */

import { serviceOf } from '../http/service-hosts.ts';

const SECONDARY = '-secondary';

export interface BlobAddress {
  account: string;
  isSecondary: boolean;
  /** Percent-encoded, as all of the path is; empty where the request is for the account itself. */
  container: string;
  blob: string;
}

export function blobAddress(host: string | undefined, path: string): BlobAddress {
  const [, ...segments] = path.split('/');
  const named = serviceOf(host);
  const name = named?.service === 'blob' ? named.name : (segments.shift() ?? '');
  const isSecondary = name.endsWith(SECONDARY);
  const [container = '', ...blob] = segments;
  return {
    account: isSecondary ? name.slice(0, -SECONDARY.length) : name,
    isSecondary,
    container,
    blob: blob.join('/'),
  };
}

/**
 * The `Host` that tells Azurite, which reads an account out of any host with a dot, where this request has its account.
 */
export function azuriteHost(host: string | undefined): string {
  const named = serviceOf(host);
  return named?.service === 'blob' ? `${named.name}.blob.localhost` : 'localhost';
}
