/** What a key says about its value. `docs/config-files.md` has this table for users. */
export type KeyRole = 'subscription' | 'resourceGroup' | 'workspace' | 'location' | 'compute' | 'storageAccount';

/** The part of a key after its prefix. */
const roles: Readonly<Record<string, KeyRole>> = {
  SUBSCRIPTION_ID: 'subscription',
  SUBSCRIPTION: 'subscription',
  RESOURCE_GROUP: 'resourceGroup',
  RESOURCE_GROUP_NAME: 'resourceGroup',
  RESOURCEGROUP: 'resourceGroup',
  RESOURCEGROUP_NAME: 'resourceGroup',
  WORKSPACE_NAME: 'workspace',
  WORKSPACE: 'workspace',
  LOCATION: 'location',
  REGION: 'location',
  COMPUTE: 'compute',
  COMPUTE_ID: 'compute',
  COMPUTE_NAME: 'compute',
  COMPUTE_TARGET: 'compute',
  DEFAULT_COMPUTE: 'compute',
  COMPUTE_CLUSTER: 'compute',
  COMPUTE_CLUSTER_NAME: 'compute',
  ACCOUNT_NAME: 'storageAccount',
  STORAGE_ACCOUNT: 'storageAccount',
  STORAGE_ACCOUNT_NAME: 'storageAccount',
};

/** Longest first, so that `AZUREML_ARM_` is not read as `AZUREML_` with an unknown rest. */
const prefixes = ['AZUREML_ARM_', 'AZURE_ML_', 'AZUREML_', 'AZURE_', 'AML_', 'ARM_', 'ML_', ''] as const;

/** Keys that are used only for Azure: a different value for one means another workspace. */
const unmistakable = /(?:SUBSCRIPTION_ID|RESOURCE_?GROUP(?:_NAME)?|WORKSPACE_NAME)$/;

/** Maps whose keys users invent: these keys mean nothing to Azure ML. */
const freeMaps = new Set(['TAGS', 'PROPERTIES', 'INPUTS', 'OUTPUTS', 'PARAMETERS', 'METADATA']);

/** What the value of a key names. */
export interface KeyMeaning {
  role: KeyRole;
  /** The key's prefix. Keys with the same prefix belong together. */
  family: string;
  unmistakable: boolean;
}

/** `subscriptionId`, `subscription-id` and `SUBSCRIPTION_ID` are the same key. */
function normalKey(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[-. ]/g, '_')
    .toUpperCase();
}

/** Returns what a key means. Undefined if it is not in the table. */
export function keyMeaning(key: string): KeyMeaning | undefined {
  const normal = normalKey(key);
  for (const family of prefixes) {
    const role = normal.startsWith(family) ? roles[normal.slice(family.length)] : undefined;
    if (role) return { role, family, unmistakable: unmistakable.test(normal) };
  }
  return undefined;
}

/** Whether users invent the keys of the map under this key. */
export function isFreeMap(key: string): boolean {
  return freeMaps.has(normalKey(key));
}

/**
 * Returns what a short key means in its block: in `workspace: { name }` the name of a workspace, in `compute: { name }`
 * or `compute: { target }` that of a compute.
 */
export function nestedMeaning(key: string, blockKey: string): KeyMeaning | undefined {
  const role = keyMeaning(blockKey)?.role;
  const normal = normalKey(key);
  const names = role === 'workspace' ? ['NAME'] : role === 'compute' ? ['NAME', 'TARGET'] : [];
  return role && names.includes(normal) ? { role, family: '', unmistakable: false } : undefined;
}
