/** Workspaces: what they depend on must exist, and a deleted one keeps its name until it is purged. */

import { randomUUID } from 'node:crypto';
import type { Call, Cloud, JsonObject, Resource, ResourceType, Stored } from '../../contract/index.ts';
import { createDefaultDatastores } from '../data/default-datastores.ts';
import { fillDefaults, isObject, NAMESPACE, objectOf, textOf, WORKSPACES } from '../bodies/fields.ts';
import { requireLinkedIds } from '../bodies/linked-ids.ts';
import { prepareNetwork, showNetwork, writeRules } from './network.ts';
import { checkResource } from '../bodies/references.ts';
import { conflict, requireName, userError, validationError } from '../bodies/refusals.ts';
import { workspaceActions } from './workspace-actions.ts';

/** Azure keeps a soft-deleted workspace, and its name blocked, for so long. */
const SOFT_DELETE_DAYS = 14;
const DAY_MS = 86_400_000;

/** A soft-deleted workspace as it is kept: by no list, and not below its resource group. */
const TOMBSTONES = `${NAMESPACE}/locations/deletedWorkspaces`;

const KINDS = ['Default', 'FeatureStore', 'Hub', 'Project'];

/** The properties that name other resources, and the type that each must be of. */
const DEPENDENCIES: Record<string, string> = {
  storageAccount: 'Microsoft.Storage/storageAccounts',
  keyVault: 'Microsoft.KeyVault/vaults',
  applicationInsights: 'Microsoft.Insights/components',
  containerRegistry: 'Microsoft.ContainerRegistry/registries',
};

/**
 * The ids of other resources in the body of a workspace. Some are empty where azure-ai-ml's own template has nothing to
 * say.
 */
const LINKED = [
  ...Object.keys(DEPENDENCIES).map((field) => `properties.${field}`),
  'properties.hubResourceId',
  'properties.primaryUserAssignedIdentity?',
  'properties.encryption.identity.userAssignedIdentity?',
  'properties.encryption.keyVaultProperties.keyVaultArmId?',
  'properties.serverlessComputeSettings.serverlessComputeCustomSubnet',
  'properties.sharedPrivateLinkResources[].properties.privateLinkResourceId',
  'properties.associatedWorkspaces[]',
  'properties.workspaceHubConfig.additionalWorkspaceStorageAccounts[]',
];

/** Enterprise is no longer sold, but templates still say it. */
const SKUS = ['Basic', 'Free', 'Standard', 'Premium', 'Enterprise'];

export const workspaces: ResourceType = {
  type: WORKSPACES,
  verbs: ['get', 'head', 'put', 'patch', 'delete', 'list'],
  region: 'own',
  longRunning: { put: 4000, patch: 1500, delete: 3000 },
  createdStatus: 202,
  immutable: ['location', 'properties.storageAccount', 'properties.keyVault', 'properties.hbiWorkspace'],
  beforePut(call, next) {
    if (!call.existing) {
      requireName(
        'workspace',
        call.id.name,
        /^[a-zA-Z0-9][\w-]{2,32}$/,
        '3 to 33 letters, digits, hyphens and underscores, the first no hyphen',
      );
      refuseBlockedName(call);
    }
    requireLinkedIds(next.resource, LINKED);
    checkSku(next.resource);
    checkKind(call, next);
    checkDependencies(call, next);
    prepareNetwork(call, next);
    fillWorkspace(call, next);
  },
  spreads: writeRules,
  async afterPut(call, stored) {
    if (!call.cloud.store.children(stored.resource.id, `${WORKSPACES}/datastores`).length)
      await createDefaultDatastores(call.cloud, stored);
  },
  afterDelete(call, stored) {
    if (call.query.get('forceToPurge')?.toLowerCase() === 'true') return;
    call.cloud.store.put({
      ...stored,
      resource: { ...tombstone(stored), properties: { deletedAt: call.cloud.clock.now() } },
      hidden: {},
    });
  },
  deleteMissing(call) {
    if (call.query.get('forceToPurge')?.toLowerCase() === 'true') call.cloud.store.remove(tombstoneId(call.id.id));
  },
  show: showWorkspace,
  list(call, entries) {
    const kind = call.query.get('kind')?.toLowerCase().split(',');
    return kind
      ? entries.filter((entry) => kind.includes((textOf(entry.resource.kind) ?? 'Default').toLowerCase()))
      : entries;
  },
  actions: workspaceActions,
};

function tombstoneId(workspaceId: string): string {
  return `/providers/${NAMESPACE}/locations/any/deletedWorkspaces/${workspaceId.toLowerCase().slice(1).replaceAll('/', '|')}`;
}

function tombstone(stored: Stored): Resource {
  return {
    id: tombstoneId(stored.resource.id),
    name: stored.resource.name,
    type: TOMBSTONES,
    properties: {},
  };
}

function refuseBlockedName(call: Call): void {
  const blocked = call.cloud.store.get(tombstoneId(call.id.id));
  if (!blocked) return;
  const age = call.cloud.clock.now() - Number(blocked.resource.properties.deletedAt);
  if (age < SOFT_DELETE_DAYS * DAY_MS)
    throw conflict('Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete');
  call.cloud.store.remove(blocked.resource.id);
}

/** Errors: 400 for a SKU that workspaces are not sold as. */
function checkSku({ sku }: Resource): void {
  const name = textOf(objectOf(sku).name);
  if (name !== undefined && !SKUS.some((one) => one.toLowerCase() === name.toLowerCase()))
    throw validationError(`sku.name: expected one of ${SKUS.join(', ')}, got '${name}'.`, 'sku');
}

/** A project stands on its hub, and has what the hub has. Errors: 400 for an unknown kind, or a hub that is none. */
function checkKind(call: Call, next: Stored): void {
  const { resource } = next;
  const kind = textOf(resource.kind ?? call.existing?.resource.kind) ?? 'Default';
  const known = KINDS.find((one) => one.toLowerCase() === kind.toLowerCase());
  if (known === undefined) throw validationError(`kind: expected one of ${KINDS.join(', ')}, got '${kind}'.`, 'kind');
  resource.kind = known;
  if (known !== 'Project') return;
  const id = textOf(resource.properties.hubResourceId) ?? '';
  const hub = call.cloud.store.get(id);
  if (hub?.resource.kind !== 'Hub')
    throw validationError(
      `properties.hubResourceId: a workspace of kind Project must have the id of one of kind Hub, got '${id}'.`,
      'hubResourceId',
    );
  for (const field of Object.keys(DEPENDENCIES)) {
    const held = hub.resource.properties[field];
    if (held !== undefined) resource.properties[field] = held;
  }
}

function checkDependencies(call: Call, next: Stored): void {
  const { properties } = next.resource;
  for (const [field, type] of Object.entries(DEPENDENCIES)) {
    const id = textOf(properties[field]);
    if (id === undefined) {
      if (field === 'storageAccount' || field === 'keyVault')
        throw validationError(
          `Missing dependent resources in workspace json: properties.${field} must be the id of a ${type}.`,
          field,
        );
      continue;
    }
    const found = call.cloud.store.get(id);
    if (!found) throw validationError(`properties.${field}: the resource '${id}' was not found.`, field);
    if (found.resource.type.toLowerCase() !== type.toLowerCase())
      throw validationError(`properties.${field}: '${id}' is a ${found.resource.type}, not a ${type}.`, field);
  }
  refuseHierarchy(call, next.resource);
  const { keyVaultProperties } = objectOf(properties.encryption);
  for (const [field, id] of Object.entries({
    primaryUserAssignedIdentity: properties.primaryUserAssignedIdentity,
    'encryption.keyVaultProperties.keyVaultArmId': objectOf(keyVaultProperties).keyVaultArmId,
  }))
    checkResource(call, id, `properties.${field}`);
}

/**
 * Storage with a hierarchical namespace cannot be a workspace's default storage. Of a feature store it can: there it is
 * the offline store, too.
 */
function refuseHierarchy(call: Call, resource: Resource): void {
  if (resource.kind !== 'FeatureStore' && storageOf(call, resource)?.resource.properties.isHnsEnabled === true)
    throw userError(
      `properties.storageAccount: '${textOf(resource.properties.storageAccount) ?? ''}' has a hierarchical namespace, which the default storage of a workspace must not have.`,
    );
}

function storageOf(call: Call, { properties }: Resource): Stored | undefined {
  const id = textOf(properties.storageAccount);
  return id === undefined ? undefined : call.cloud.store.get(id);
}

function fillWorkspace(call: Call, next: Stored): void {
  const { resource } = next;
  const { cloud } = call;
  const before = objectOf(call.existing?.resource.properties);
  const region = next.region ?? '';
  // A workspace always has an identity: without one asked for, its own.
  if (!isObject(resource.identity))
    resource.identity = call.existing?.resource.identity ?? {
      type: 'SystemAssigned',
      principalId: randomUUID(),
      tenantId: cloud.tenantId,
    };
  resource.sku ??= { name: 'Basic', tier: 'Basic' };
  fillDefaults(resource.properties, {
    friendlyName: resource.name,
    hbiWorkspace: false,
    allowPublicAccessWhenBehindVnet: false,
    publicNetworkAccess: 'Enabled',
    v1LegacyMode: false,
    enableDataIsolation: false,
    privateEndpointConnections: [],
  });
  const host = new URL(cloud.dataPlane(region)).host;
  const workspaceId = before.workspaceId ?? randomUUID();
  Object.assign(resource.properties, {
    workspaceId,
    tenantId: cloud.tenantId,
    discoveryUrl: `${cloud.dataPlane(region)}/_/discovery`,
    mlFlowTrackingUri: `azureml://${host}/_/mlflow/v1.0${resource.id}`,
    notebookInfo: {
      resourceId: workspaceId,
      fqdn: `ml-${resource.name}-${region}.notebooks.azure.net`,
    },
    storageHnsEnabled: storageOf(call, resource)?.resource.properties.isHnsEnabled === true,
    provisioningState: resource.properties.provisioningState ?? 'Succeeded',
  } satisfies JsonObject);
}

function showWorkspace(cloud: Cloud, stored: Stored): Resource {
  const connections = cloud.store.children(stored.resource.id, `${WORKSPACES}/privateEndpointConnections`);
  const privateEndpointConnections = connections.map((entry) => structuredClone(entry.resource));
  return {
    ...stored.resource,
    properties: {
      ...stored.resource.properties,
      managedNetwork: showNetwork(cloud, stored),
      privateLinkCount: connections.length,
      privateEndpointConnections,
    },
  };
}
