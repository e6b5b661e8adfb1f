/** The versioned assets of Azure Machine Learning: what each is called in ARM, and what can change after creation. */
import type { JsonObject } from '../azure/azure.ts';
import type { assetKinds, ResourceClass } from '../topology/words.ts';

/** Facts about an asset type. */
export interface AssetTypeFacts {
  /** The resource class it belongs to. */
  class: ResourceClass;
  /** Whether lists support `listViewType`. Without it, archived assets are not listed. */
  listViewType: boolean;
  /** Fields of `properties` that Azure sets, and refuses or ignores in a PUT. */
  readOnly: readonly string[];
  /** Fields of a version's `properties` that define its content. They are compared after a failover. */
  content: readonly string[];
}

/** In order of dependency: components name environments and codes, and pipeline components name components. */
export const assetTypes = {
  codes: { class: 'platform', listViewType: false, readOnly: [], content: ['codeUri'] },
  environments: {
    class: 'platform',
    listViewType: true,
    readOnly: ['environmentType'],
    content: ['image', 'condaFile', 'build', 'osType', 'inferenceConfig'],
  },
  models: {
    class: 'inference',
    listViewType: true,
    readOnly: [],
    content: ['modelUri', 'modelType', 'flavors', 'jobName'],
  },
  data: {
    class: 'data',
    listViewType: true,
    readOnly: [],
    content: ['dataUri', 'dataType', 'referencedUris'],
  },
  components: { class: 'training', listViewType: true, readOnly: [], content: ['componentSpec'] },
} as const satisfies Record<(typeof assetKinds)[number], AssetTypeFacts>;

export type AssetType = keyof typeof assetTypes;
export const assetTypeNames = Object.keys(assetTypes) as AssetType[];

/** Fields that Azure sets for every asset. */
const readOnlyEverywhere = ['provisioningState', 'latestVersion', 'nextVersion', 'assetId'] as const;

/** What can change in an existing version. Everything else is fixed when it is created. */
export const mutable = ['description', 'tags', 'isArchived', 'stage', 'autoDeleteSetting', 'properties'] as const;

/** Whether the product knows this type of asset. */
export function isAssetType(value: string): value is AssetType {
  return Object.hasOwn(assetTypes, value);
}

/** Whether a key, such as `models/fraud/4`, is of an asset, and not of a job, an endpoint or a file. */
export function isAssetKey(key: string): boolean {
  return isAssetType(key.split('/')[0] ?? '');
}

/** What of an asset's properties can be written back. */
export function writableAsset(type: AssetType, properties: JsonObject): JsonObject {
  const dropped = new Set<string>([...readOnlyEverywhere, ...assetTypes[type].readOnly]);
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !dropped.has(key)));
}

/** ARM path of an asset. `workspace`: its ARM id. */
export function assetPath(
  workspace: string,
  { type, name, version }: { type: string; name: string; version?: string | undefined },
): string {
  const container = `${workspace}/${type}/${encodeURIComponent(name)}`;
  return version === undefined ? container : `${container}/versions/${encodeURIComponent(version)}`;
}

/** Example: `models/fraud/4`. Globs and reports name assets this way. */
export function assetKey(type: AssetType, name: string, version?: string): string {
  return version === undefined ? `${type}/${name}` : `${type}/${name}/${version}`;
}
