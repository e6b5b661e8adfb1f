/** Finds the storage accounts behind a workspace's datastores, and which of them must be copied. */
import type { Azure, ArmResource, BlobAccount } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import type { Container } from '../workspace/sharing.ts';
import { placeOfDatastore } from '../workspace/datastores.ts';
import { findAccount } from '../workspace/find-account.ts';
import type { LeftBehindList } from '../recovery-point/drafts.ts';
import type { SourceAccount } from '../workspace/source-account.ts';
import type { SourceStores } from '../workspace/places.ts';
import { nameOfId, regionName, type KnownWorkspace } from '../workspace/workspace.ts';

interface FindStores {
  azure: Azure;
  workspace: KnownWorkspace;
  datastores: ArmResource[];
  leftBehind: LeftBehindList;
  /** Containers that the standby also has as a datastore. */
  inBoth: readonly Container[];
  signal: AbortSignal;
}

/**
 * Finds what to copy. The workspace's own account is copied, and so is every other account of its region, because it
 * becomes unavailable with it. An account elsewhere is shared: the standby reads it in place. So is a container of a
 * copied account that both sides have as a datastore.
 */
export async function findSourceStores(request: FindStores): Promise<SourceStores> {
  const { azure, workspace, datastores, leftBehind, inBoth, signal } = request;
  const places = datastores.map(placeOfDatastore);
  const ownName = nameOfId(workspace.storageAccountId);
  const own = await azure.blobAccount(workspace.storageAccountId, { signal });
  const accounts: SourceAccount[] = [sourceAccount(own, { id: workspace.storageAccountId, own: true }, inBoth)];
  const shared: string[] = [];
  const settled = new Set([ownName.toLowerCase()]);
  for (const [index, place] of places.entries()) {
    if (!place.blob) {
      // The standby's own datastore of the same name does not have the files, notebooks above all.
      if (place.type === 'AzureFile')
        leftBehind.add('file shares', 'their files are not copied: only blob containers are', place.name);
      else leftBehind.add('datastores', place.unsupported ?? 'not a blob container', place.name);
      continue;
    }
    const { account: name } = place.blob;
    if (settled.has(name.toLowerCase())) continue;
    settled.add(name.toLowerCase());
    const found = await findAccount(request, name, datastores[index]);
    if (found === undefined) {
      leftBehind.add('datastores', `storage account "${name}" was not found in its subscription`, place.name);
    } else if (regionName(found.location ?? '') !== workspace.location) {
      shared.push(found.name);
    } else {
      const account = await azure.blobAccount(found.id, { signal });
      accounts.push(sourceAccount(account, { id: found.id, own: false }, inBoth));
    }
  }
  return { workspace, datastores: places, accounts, shared };
}

function sourceAccount(
  { name, endpoint }: BlobAccount,
  { id, own }: Pick<SourceAccount, 'id' | 'own'>,
  inBoth: readonly Container[],
): SourceAccount {
  const containers = inBoth.filter(({ account }) => sameName(account, name));
  const shared = [...new Set(containers.map(({ container }) => container))];
  return { name, id, endpoint, own, ...(shared.length > 0 ? { shared } : {}) };
}
