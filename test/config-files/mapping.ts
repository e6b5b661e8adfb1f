import type { WorkspaceMapping } from '../../src/config-files/mapping.ts';

export const eastSubscription = '11111111-2222-3333-4444-555555555555';
export const westSubscription = '99999999-8888-7777-6666-555555555555';
export const eastGuid = 'aaaaaaaa-1111-4222-8333-000000000001';
export const westGuid = 'bbbbbbbb-1111-4222-8333-000000000002';

/** fraud-east to fraud-west: every kind of replacement, in other subscriptions. */
export const mapping: WorkspaceMapping = {
  from: {
    subscriptionId: eastSubscription,
    resourceGroup: 'ml-east',
    name: 'fraud-east',
    location: 'eastus',
  },
  to: { subscriptionId: westSubscription, resourceGroup: 'ml-west', name: 'fraud-west', location: 'westus3' },
  compute: { 'gpu-east': 'gpu-west', cpu: 'cpu', 'cpu-east': 'cpu-west' },
  urls: [
    { from: 'https://stfraudeast.blob.core.windows.net', to: 'https://stfraudwest.blob.core.windows.net' },
    {
      from: 'https://fraud.eastus.inference.ml.azure.com/score',
      to: 'https://fraud-w.westus3.inference.ml.azure.com/score',
    },
    { from: 'https://localhost:8443/east', to: 'https://localhost:9443' },
  ],
  resources: [
    {
      from: `/subscriptions/${eastSubscription}/resourceGroups/ml-east/providers/Microsoft.Storage/storageAccounts/stfraudeast`,
      to: `/subscriptions/${westSubscription}/resourceGroups/ml-west/providers/Microsoft.Storage/storageAccounts/stfraudwest`,
    },
  ],
  workspaceId: { from: eastGuid, to: westGuid },
};

/** An ARM id of the workspace on either side, with what is below it. */
export function armId(side: 'east' | 'west', below = ''): string {
  const subscription = side === 'east' ? eastSubscription : westSubscription;
  return `/subscriptions/${subscription}/resourceGroups/ml-${side}/providers/Microsoft.MachineLearningServices/workspaces/fraud-${side}${below}`;
}

/** The long `azureml://` form of Azure's own clients. */
export function longUri(side: 'east' | 'west', below = ''): string {
  const subscription = side === 'east' ? eastSubscription : westSubscription;
  return `azureml://subscriptions/${subscription}/resourcegroups/ml-${side}/workspaces/fraud-${side}${below}`;
}
