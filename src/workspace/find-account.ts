/** Finds the storage account that a datastore names. */
import { apiVersions, type ArmResource, type Azure } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { isUnderstudyError } from '../errors/error.ts';
import type { KnownWorkspace } from './workspace.ts';

interface FindAccount {
  azure: Pick<Azure, 'arm'>;
  /** The workspace whose datastore names the account. */
  workspace: Pick<KnownWorkspace, 'subscriptionId' | 'resourceGroup'>;
  signal?: AbortSignal | undefined;
}

/**
 * Finds an account by name: in the resource group that the datastore names, in the workspace's, or anywhere in the
 * subscription.
 */
export async function findAccount(
  { azure, workspace, signal }: FindAccount,
  name: string,
  datastore: ArmResource | undefined,
): Promise<ArmResource | undefined> {
  const { subscriptionId, resourceGroup } = datastore?.properties ?? {};
  const subscription =
    typeof subscriptionId === 'string' && subscriptionId !== '' ? subscriptionId : workspace.subscriptionId;
  const storage = 'providers/Microsoft.Storage/storageAccounts';
  const groups = [resourceGroup, workspace.resourceGroup].filter(
    (group): group is string => typeof group === 'string' && group !== '',
  );
  for (const group of new Set(groups)) {
    const id = `/subscriptions/${subscription}/resourceGroups/${group}/${storage}/${name}`;
    const found = await azure.arm.find(id, apiVersions.storage, signal ? { signal } : {});
    if (found) return found;
  }
  try {
    for await (const account of azure.arm.list(
      `/subscriptions/${subscription}/${storage}`,
      apiVersions.storage,
      signal ? { signal } : {},
    )) {
      if (sameName(account.name, name)) return account;
    }
  } catch (error) {
    // Not allowed to list the subscription's accounts: the account counts as not found, and the caller reports that.
    if (!isUnderstudyError(error, 'AzureError')) throw error;
  }
  return undefined;
}
