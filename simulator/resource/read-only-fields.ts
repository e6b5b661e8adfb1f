/** What services set and templates do not: exported templates leave it out, and what-if does not show it. */

import { isObject, takeFieldAt } from './fields.ts';
import type { Json, JsonObject, Resource } from '../contract/index.ts';

/** Beside `properties`. */
const ENVELOPE = new Set(['systemData', 'etag']);
/**
 * At the top of the properties of every type, and of every part that has an id of its own; of such a part also beside
 * them.
 */
const EVERYWHERE = new Set(['provisioningState', 'resourceGuid', 'creationDate', 'uniqueId', 'etag']);
/** Below the properties, by type in lower case. */
const BY_TYPE: Record<string, ReadonlySet<string>> = Object.fromEntries(
  Object.entries({
    'microsoft.authorization/roleassignments': 'createdOn updatedOn createdBy updatedBy',
    'microsoft.authorization/roledefinitions': 'createdOn updatedOn createdBy updatedBy',
    'microsoft.containerregistry/registries': 'loginServer status privateEndpointConnections',
    'microsoft.insights/components':
      'AppId ApplicationId Name CreationDate InstrumentationKey ConnectionString TenantId',
    'microsoft.keyvault/vaults': 'vaultUri hsmPoolResourceId privateEndpointConnections',
    'microsoft.keyvault/vaults/secrets': 'secretUri secretUriWithVersion attributes.created attributes.updated',
    'microsoft.machinelearningservices/workspaces':
      'workspaceId discoveryUrl mlFlowTrackingUri notebookInfo privateLinkCount serviceProvisionedResourceGroup storageHnsEnabled tenantId workspaceHubConfig privateEndpointConnections',
    'microsoft.machinelearningservices/workspaces/computes':
      'createdOn modifiedOn provisioningErrors properties.allocationState properties.allocationStateTransitionTime properties.currentNodeCount properties.targetNodeCount properties.nodeStateCounts properties.errors',
    'microsoft.managedidentity/userassignedidentities': 'tenantId principalId clientId',
    'microsoft.network/privateendpoints': 'networkInterfaces',
    'microsoft.network/publicipaddresses': 'ipAddress ipConfiguration',
    'microsoft.operationalinsights/workspaces': 'customerId createdDate modifiedDate',
    'microsoft.storage/storageaccounts':
      'creationTime keyCreationTime primaryLocation secondaryLocation statusOfPrimary statusOfSecondary primaryEndpoints secondaryEndpoints geoReplicationStats lastGeoFailoverTime failoverInProgress privateEndpointConnections',
    'microsoft.storage/storageaccounts/blobservices/containers': 'lastModifiedTime',
    'microsoft.storage/storageaccounts/fileservices/shares': 'lastModifiedTime',
  }).map(([type, names]) => [type, new Set(names.split(' '))]),
);
/** Beside the properties of a part. */
const OF_PART = new Set([...ENVELOPE, 'id', 'type', ...EVERYWHERE]);
/** Of an identity that the system assigns. */
const OF_IDENTITY = new Set(['principalId', 'tenantId', 'clientId']);

/** The resource without what its service sets. */
export function withoutReadOnly({ properties, ...resource }: Resource): JsonObject {
  const own = BY_TYPE[resource.type.toLowerCase()];
  const kept = Object.entries(resource).filter(([name]) => !ENVELOPE.has(name));
  const shown = structuredClone(properties);
  for (const path of [...EVERYWHERE, ...(own ?? [])]) takeFieldAt(shown, path);
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, name === 'identity' ? ofIdentity(value) : value])),
    properties: withoutReadOnlyParts(shown),
  };
}

function withoutReadOnlyParts(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutReadOnlyParts);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).map(([key, item]): [string, Json] => [key, withoutReadOnlyParts(item)]);
  // A part that is shown within its resource has an id and an etag, as no part that refers to something has.
  const isPart = value.etag !== undefined && value.id !== undefined;
  return Object.fromEntries(isPart ? kept.filter(([key]) => !OF_PART.has(key)).map(ownOfPart) : kept);
}

function ownOfPart([key, value]: [string, Json]): [string, Json] {
  if (key !== 'properties' || !isObject(value)) return [key, value];
  return [key, Object.fromEntries(Object.entries(value).filter(([name]) => !EVERYWHERE.has(name)))];
}

function ofIdentity(value: Json): Json {
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !OF_IDENTITY.has(name));
  const { userAssignedIdentities: assigned } = value;
  const empty = isObject(assigned) ? Object.keys(assigned).map((id) => [id, {}]) : [];
  return {
    ...Object.fromEntries(kept),
    ...(isObject(assigned) ? { userAssignedIdentities: Object.fromEntries(empty) as JsonObject } : {}),
  };
}
