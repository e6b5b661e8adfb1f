/** The addresses that a shared access signature is good for (`sip`): one, or a range. Azurite does not ask. */

import { BlockList, isIPv4 } from 'node:net';
import { StorageError } from './errors.ts';

/**
 * Throws StorageError 403 `AuthorizationSourceIPMismatch` unless the signature is good for a caller of this address.
 */
export function requireSasAddress(query: URLSearchParams, caller: string | undefined): void {
  const range = query.get('sip') ?? '';
  if (range === '' || !query.has('sig')) return;
  const address = (caller ?? '').replace(/^::ffff:/, '');
  const [from = '', to = from] = range.split('-');
  const named = new BlockList();
  if (isIPv4(from) && isIPv4(to) && numberOf(from) <= numberOf(to)) named.addRange(from, to);
  if (isIPv4(address) && named.check(address)) return;
  throw new StorageError(
    403,
    'AuthorizationSourceIPMismatch',
    `This request is not authorized to perform this operation using this source IP ${address}.`,
  );
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
