/** Lists of what is no resource of its own: nothing is stored, each entry follows from what the list stands below. */

import type { Call, JsonObject, Resource, ResourceType, Stored } from '../../contract/index.ts';
import { numberOf, objectOf, WORKSPACES } from '../bodies/fields.ts';
import { ONLINE_DEPLOYMENTS } from '../inference/online-endpoints.ts';

/** How many machines a deployment may have. */
const MOST_INSTANCES = 50;

const FEATURES: Record<string, string> = {
  automatedml_createeditexperimentsui: 'Create, edit or delete AutoML experiments in the SDK',
  workspace_upgradeworkspaceui: 'Upgrade a workspace from Basic to Enterprise from the UI',
};

const NETWORK_DEPENDENCIES: Record<string, readonly string[]> = {
  'Azure Active Directory': ['login.microsoftonline.com'],
  'Azure portal': ['management.azure.com'],
  'Azure Machine Learning': ['ml.azure.com', '*.azureml.net'],
  'Docker images maintained by Azure Machine Learning': ['mcr.microsoft.com'],
};

const privateLinkResources = computed('privateLinkResources', (call) => [
  {
    id: `${call.id.id}/privateLinkResources/amlworkspace`,
    name: 'amlworkspace',
    type: `${WORKSPACES}/privateLinkResources`,
    properties: {
      groupId: 'amlworkspace',
      requiredMembers: ['default'],
      requiredZoneNames: ['privatelink.api.azureml.ms', 'privatelink.notebooks.azure.net'],
    },
  },
]);

const features = computed('features', () =>
  Object.entries(FEATURES).map(([id, description]) => ({ id, displayName: description, description })),
);

const networkDependencies = computed('outboundNetworkDependenciesEndpoints', () =>
  Object.entries(NETWORK_DEPENDENCIES).map(([category, domains]) => ({
    properties: {
      category,
      endpoints: domains.map((domainName) => ({ domainName, endpointDetails: [{ port: 443 }] })),
    },
  })),
);

const deploymentSkus: ResourceType = {
  ...computed('', (call) => {
    const deployment = call.cloud.store.get(call.id.id);
    const capacity = numberOf(objectOf(deployment?.resource.sku).capacity) ?? 1;
    return [
      {
        resourceType: ONLINE_DEPLOYMENTS,
        sku: { name: 'Default', tier: 'Standard' },
        capacity: { minimum: 1, maximum: MOST_INSTANCES, default: capacity, scaleType: 'Manual' },
      },
    ];
  }),
  type: `${ONLINE_DEPLOYMENTS}/skus`,
};

export const computedLists: readonly ResourceType[] = [
  privateLinkResources,
  features,
  networkDependencies,
  deploymentSkus,
];

/** A row that is only listed; an entry is shown as it is made here, whatever its shape. */
function computed(segment: string, entries: (call: Call) => JsonObject[]): ResourceType {
  return {
    type: `${WORKSPACES}/${segment}`,
    verbs: ['list'],
    region: 'parent',
    pageSize: 100,
    list: (call) => entries(call).map((entry, i) => wrap(call, entry, i)),
    show: (_cloud, stored) => stored.hidden.entry as unknown as Resource,
  };
}

function wrap(call: Call, entry: JsonObject, place: number): Stored {
  const resource: Resource = { id: `${call.id.id}#${place}`, name: String(place), type: '', properties: {} };
  return { resource, hidden: { entry }, etag: '', region: null, createdAt: 0, changedAt: 0 };
}
