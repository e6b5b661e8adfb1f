/** A storage account as those who hold credentials for it see it: its addresses, and its keys of now. */
import { apiVersions, type ArmResource, type Azure, type CallOptions } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';

export interface StorageAccount {
  id: string;
  name: string;
  /** With a slash at the end. */
  endpoints: { blob?: string; file?: string };
}

export async function readAccount(azure: Azure, id: string, options: CallOptions): Promise<StorageAccount> {
  return accountOf(await azure.arm.get(id, apiVersions.storage, options));
}

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

/** Its keys, the first one first. Errors: AzureError if it has none to tell. */
export async function keysOf(azure: Azure, id: string, options: CallOptions): Promise<[string, ...string[]]> {
  const answer = await azure.arm.post(`${id}/listKeys`, apiVersions.storage, undefined, options);
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
