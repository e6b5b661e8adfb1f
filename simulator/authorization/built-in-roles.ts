/**
 * Azure's built-in roles with their own ids and permissions, as far as a machine learning workspace meets them. Source:
 * Azure, "Azure built-in roles", as of 2025.
 */

import { AROUND, role, type BuiltInRole } from './built-in-role.ts';
import { ROLES_OF_SERVICES } from './built-in-roles-of-services.ts';

export type { BuiltInRole, Permissions } from './built-in-role.ts';

const ML = 'Microsoft.MachineLearningServices/workspaces';
const CONTAINERS = 'Microsoft.Storage/storageAccounts/blobServices/containers';
const DELEGATION = 'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action';
const FILES = 'Microsoft.Storage/storageAccounts/fileServices/fileshares/files';
const FILE_SERVICES = 'Microsoft.Storage/storageAccounts/fileServices';
const VAULTS = 'Microsoft.KeyVault/vaults';
const AROUND_VAULTS = [
  ...AROUND,
  'Microsoft.KeyVault/checkNameAvailability/read',
  'Microsoft.KeyVault/deletedVaults/read',
  'Microsoft.KeyVault/locations/*/read',
  `${VAULTS}/*/read`,
  'Microsoft.KeyVault/operations/read',
];

const GENERAL = [
  role('8e3af657-a8ff-443c-a75c-2fe8c4bcb635', 'Owner', 'Full access, role assignments included.', {
    actions: ['*'],
  }),
  role('b24988ac-6180-42a0-ab88-20f7382dd24c', 'Contributor', 'Full access, but for role assignments.', {
    actions: ['*'],
    notActions: [
      'Microsoft.Authorization/*/Delete',
      'Microsoft.Authorization/*/Write',
      'Microsoft.Authorization/elevateAccess/Action',
      'Microsoft.Blueprint/blueprintAssignments/write',
      'Microsoft.Blueprint/blueprintAssignments/delete',
      'Microsoft.Compute/galleries/share/action',
      'Microsoft.Purview/consents/write',
      'Microsoft.Purview/consents/delete',
      'Microsoft.Resources/deploymentStacks/manageDenySetting/action',
      'Microsoft.Subscription/cancel/action',
      'Microsoft.Subscription/enable/action',
    ],
  }),
  role('acdd72a7-3385-48ef-bd42-f606fba81ae7', 'Reader', 'Sees everything and changes nothing.', {
    actions: ['*/read'],
  }),
  role('18d7d88d-d35e-4fb5-a5c3-7773c20a72d9', 'User Access Administrator', "Manages others' access.", {
    actions: ['*/read', 'Microsoft.Authorization/*', 'Microsoft.Support/*'],
  }),
  role(
    'f58310d9-a9f6-439a-9e8d-f62e7b41a168',
    'Role Based Access Control Administrator',
    'Assigns roles, and nothing else.',
    {
      actions: [
        'Microsoft.Authorization/roleAssignments/write',
        'Microsoft.Authorization/roleAssignments/delete',
        '*/read',
        'Microsoft.Support/*',
      ],
    },
  ),
  role('f1a07417-d97a-45cb-824c-7a7467783830', 'Managed Identity Operator', 'Reads and assigns identities.', {
    actions: [
      'Microsoft.ManagedIdentity/userAssignedIdentities/*/read',
      'Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action',
      ...AROUND,
    ],
  }),
];

const MACHINE_LEARNING = [
  role(
    'f6c7c914-8db3-469d-8ca1-694a8f32e121',
    'AzureML Data Scientist',
    'Does everything within a workspace but to make or delete computes, or to change the workspace.',
    {
      actions: [`${ML}/*/read`, `${ML}/*/action`, `${ML}/*/delete`, `${ML}/*/write`],
      notActions: [
        `${ML}/delete`,
        `${ML}/write`,
        `${ML}/computes/*/write`,
        `${ML}/computes/*/delete`,
        `${ML}/computes/listKeys/action`,
        `${ML}/listKeys/action`,
        `${ML}/hubs/write`,
        `${ML}/hubs/delete`,
        `${ML}/featurestores/write`,
        `${ML}/featurestores/delete`,
      ],
    },
  ),
  role('e503ece1-11d0-4e8e-8e2c-7a6c3bf38815', 'AzureML Compute Operator', 'Makes, changes and deletes computes.', {
    actions: [`${ML}/computes/*`, `${ML}/notebooks/vm/*`],
  }),
  role('7f951dda-4ed3-4680-a7ca-43fe172d538d', 'AcrPull', 'Pulls images.', {
    actions: ['Microsoft.ContainerRegistry/registries/pull/read'],
  }),
  role('8311e382-0749-4cb8-b61a-304f252e45ec', 'AcrPush', 'Pulls and pushes images.', {
    actions: ['Microsoft.ContainerRegistry/registries/pull/read', 'Microsoft.ContainerRegistry/registries/push/write'],
  }),
];

const STORAGE = [
  role('17d1049b-9a84-46fb-8f53-869881c3d3ab', 'Storage Account Contributor', 'Manages accounts, keys included.', {
    actions: [
      ...AROUND,
      'Microsoft.Insights/diagnosticSettings/*',
      'Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action',
      'Microsoft.ResourceHealth/availabilityStatuses/read',
      'Microsoft.Storage/storageAccounts/*',
    ],
  }),
  role(
    '81a9662b-bebf-436f-a333-f67b29880f12',
    'Storage Account Key Operator Service Role',
    'Lists and regenerates keys.',
    {
      actions: [
        'Microsoft.Storage/storageAccounts/listkeys/action',
        'Microsoft.Storage/storageAccounts/regeneratekey/action',
      ],
    },
  ),
  role('b7e6dc6d-f1e8-4753-8033-0f276bb0955b', 'Storage Blob Data Owner', 'Everything with blobs.', {
    actions: [`${CONTAINERS}/*`, DELEGATION],
    dataActions: [`${CONTAINERS}/blobs/*`],
  }),
  role('ba92f5b4-2d11-453d-a403-e96b0029c9fe', 'Storage Blob Data Contributor', 'Reads, writes and deletes blobs.', {
    actions: [`${CONTAINERS}/delete`, `${CONTAINERS}/read`, `${CONTAINERS}/write`, DELEGATION],
    dataActions: ['delete', 'read', 'write', 'move/action', 'add/action'].map((one) => `${CONTAINERS}/blobs/${one}`),
  }),
  role('2a2b9908-6ea1-4ae2-8e65-a410df84e7d1', 'Storage Blob Data Reader', 'Reads and lists blobs.', {
    actions: [`${CONTAINERS}/read`, DELEGATION],
    dataActions: [`${CONTAINERS}/blobs/read`],
  }),
  role(
    '69566ab7-960f-475b-8e7c-b3118f30c6bd',
    'Storage File Data Privileged Contributor',
    'Reads, writes and deletes files, past their own permissions.',
    {
      dataActions: [
        ...['read', 'write', 'delete', 'modifypermissions/action'].map((one) => `${FILES}/${one}`),
        `${FILE_SERVICES}/readFileBackupSemantics/action`,
        `${FILE_SERVICES}/writeFileBackupSemantics/action`,
      ],
    },
  ),
];

const KEY_VAULT = [
  role('f25e0fa2-a7c8-4377-a976-54943a77a395', 'Key Vault Contributor', 'Manages vaults, reads no secret.', {
    actions: [...AROUND, 'Microsoft.KeyVault/*'],
    notActions: [
      'Microsoft.KeyVault/locations/deletedVaults/purge/action',
      'Microsoft.KeyVault/hsmPools/*',
      'Microsoft.KeyVault/managedHsms/*',
    ],
  }),
  role('00482a5a-887f-4fb3-b363-3b7fe8e74483', 'Key Vault Administrator', 'Everything within a vault.', {
    actions: AROUND_VAULTS,
    dataActions: [`${VAULTS}/*`],
  }),
  role('b86a8fe4-44ce-4948-aee5-eccb2c155cd7', 'Key Vault Secrets Officer', 'Everything with secrets.', {
    actions: AROUND_VAULTS,
    dataActions: [`${VAULTS}/secrets/*`],
  }),
  role('4633458b-17de-408a-b874-0445c86b69e6', 'Key Vault Secrets User', 'Reads secrets.', {
    dataActions: [`${VAULTS}/secrets/getSecret/action`, `${VAULTS}/secrets/readMetadata/action`],
  }),
  role('21090545-7ca7-4776-b22c-e363652d74d2', 'Key Vault Reader', 'Sees vaults and the names of secrets.', {
    actions: AROUND_VAULTS,
    dataActions: [`${VAULTS}/*/read`, `${VAULTS}/secrets/readMetadata/action`],
  }),
];

const ROLES = [...GENERAL, ...MACHINE_LEARNING, ...STORAGE, ...KEY_VAULT, ...ROLES_OF_SERVICES];
const BY_ID = new Map(ROLES.map((one) => [one.id, one]));

export function builtInRoles(): readonly BuiltInRole[] {
  return ROLES;
}

/** The built-in role of this id (a GUID in lower case). */
export function builtInRole(id: string): BuiltInRole | undefined {
  return BY_ID.get(id);
}

/** The built-in role of this name, whatever its case. */
export function builtInRoleNamed(name: string): BuiltInRole | undefined {
  return ROLES.find(({ roleName }) => roleName.toLowerCase() === name.toLowerCase());
}
