/** A storage account as holders of its credentials see it: its addresses and its current keys. */
import { apiVersions, type Arm, type ArmResource, type CallOptions } from '../azure.ts';
import { UnderstudyError } from '../../errors/error.ts';

/** A storage account's addresses. */
export interface StorageAccount {
  id: string;
  name: string;
  /** With a trailing slash. */
  endpoints: { blob?: string; file?: string };
}

/**
 * Reads a storage account.
 * Errors: those of ARM.
 */
export async function readAccount(arm: Arm, id: string, options: CallOptions): Promise<StorageAccount> {
  return accountOf(await arm.get(id, apiVersions.storage, options));
}

/** Converts what ARM returns. An address that the account does not have is absent. */
export function accountOf({ id, name, properties }: ArmResource): StorageAccount {
  const { blob, file } = (properties.primaryEndpoints ?? {}) as { blob?: unknown; file?: unknown };
  return {
    id,
    name,
    endpoints: {
      ...(typeof blob === 'string' ? { blob: slashed(blob) } : {}),
      ...(typeof file === 'string' ? { file: slashed(file) } : {}),
    },
  };
}

/**
 * Returns the account's keys, the first one first.
 * Errors: AzureError if ARM returns none.
 */
export async function keysOf(arm: Arm, id: string, options: CallOptions): Promise<[string, ...string[]]> {
  const answer = await arm.post(`${id}/listKeys`, apiVersions.storage, undefined, options);
  const keys = ((answer as { keys?: { value?: string }[] } | null)?.keys ?? [])
    .map(({ value }) => value)
    .filter((value) => value !== undefined);
  const [first, ...more] = keys;
  if (first === undefined) throw new UnderstudyError('AzureError', `storage account ${id} returned no keys`);
  return [first, ...more];
}

function slashed(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}
