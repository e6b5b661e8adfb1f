/** Two workspaces in memory, one with interrupted jobs, on accounts that hold any number of blobs. */
import type { Azure, BlobAccount } from '../../src/azure/azure.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { Topology } from '../../src/topology/topology.ts';
import { fakeArm } from '../../test/fakes/arm.ts';
import { command } from '../../test/jobs/scene.ts';
import { accountId, emptyAccount, folderName, fullAccount, sourceContainer, type Shape } from './endless-blobs.ts';

export interface World {
  azure: Azure;
  topology: Topology;
}

export function world(shape: Shape, jobs: number): World {
  const workspace = (name: string) => ({ workspace: { subscriptionId: 'sub-1', resourceGroup: 'ml', name } });
  const topology = Topology.parse({
    name: 'bench',
    regions: { eastus: workspace('bench-east'), westus3: workspace('bench-west') },
    controlStore: { subscriptionId: 'sub-1', resourceGroup: 'control', storageAccount: 'benchcontrol' },
    artifacts: {
      paths: Array.from({ length: shape.folders }, (_, folder) => ({
        datastore: 'workspaceblobstore',
        path: folderName(folder),
      })),
    },
  });
  const arm = fakeArm();
  const accounts = new Map<string, BlobAccount>([
    [accountId('benchwest'), emptyAccount('benchwest', 'bencheast', shape)],
    [accountId('bencheast'), fullAccount('bencheast', shape)],
  ]);
  for (const [region, side] of Object.entries(topology.regions)) {
    const id = workspaceId(side.workspace);
    const account = side.workspace.name.replaceAll('-', '');
    arm.add(id, {
      location: region,
      properties: { storageAccount: accountId(account), workspaceId: `guid-${account}` },
    });
    arm.add(`${id}/datastores/workspaceblobstore`, {
      properties: { datastoreType: 'AzureBlob', accountName: account, containerName: sourceContainer },
    });
  }
  const east = workspaceId({ subscriptionId: 'sub-1', resourceGroup: 'ml', name: 'bench-east' });
  for (let index = 0; index < jobs; index++) {
    arm.add(`${east}/jobs/train-${index}`, {
      properties: command({ codeId: null, environmentId: 'e', inputs: {} }),
    });
  }
  const azure = {
    arm,
    async blobAccount(id: string) {
      const found = accounts.get(id);
      if (!found) throw new Error(`no account ${id}`);
      return found;
    },
  };
  return { azure: azure as unknown as Azure, topology };
}
