/** Opens the control store that a topology names. */
import { RestError } from '@azure/core-rest-pipeline';
import type { Azure } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import type { Topology } from '../topology/topology.ts';
import { blobControlStore } from './blob-store.ts';
import type { ControlStore } from './store.ts';

/** The topology's reference to its control store. */
export type ControlStoreRef = Topology['controlStore'];

function controlStoreAccountId(ref: ControlStoreRef): string {
  return `/subscriptions/${ref.subscriptionId}/resourceGroups/${ref.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${ref.storageAccount}`;
}

/** Opens the control store. Creates the container on first use. */
export async function openControlStore(azure: Azure, ref: ControlStoreRef): Promise<ControlStore> {
  const open = async () => (await azure.blobAccount(controlStoreAccountId(ref))).container(ref.container);
  try {
    await (await open()).create();
  } catch (error) {
    if (!(error instanceof RestError && error.statusCode === 409)) {
      throw azureError(`opening the control store ${ref.storageAccount}/${ref.container}`, error);
    }
  }
  return blobControlStore(open);
}
