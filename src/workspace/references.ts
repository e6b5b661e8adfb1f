/** Finds the asset versions that a resource refers to. Pure. */
import type { Json } from '../azure/azure.ts';
import { parseArmId, parseAzureMlUri, sameName, sameWorkspace } from '../azure/ids.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { isAssetType, type AssetType } from './asset-types.ts';

/** A reference to an asset version. */
export interface AssetReference {
  /** Absent for `azureml:name:version`, whose type depends on the field. */
  type?: AssetType;
  name: string;
  version: string;
}

/** Returns references to versions in `workspace`. Labels (`@latest`) and registries are ignored. */
export function assetReferences(json: Json, workspace: WorkspaceRef): AssetReference[] {
  const found: AssetReference[] = [];
  const walk = (value: Json): void => {
    if (typeof value === 'string') {
      const reference = assetReference(value, workspace);
      if (reference) found.push(reference);
    } else if (Array.isArray(value)) value.forEach(walk);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
  };
  walk(json);
  return found;
}

/** Parses one reference. Undefined if it is not one to a version in `workspace`. */
export function assetReference(value: string, workspace: WorkspaceRef): AssetReference | undefined {
  const id = parseArmId(value.replace(/^azureml:(?=\/)/i, ''));
  if (id) {
    const [parent, container, version] = id.path;
    const named = {
      subscriptionId: id.subscriptionId,
      resourceGroup: id.resourceGroup ?? '',
      name: parent?.name ?? '',
    };
    if (!sameName(parent?.type, 'workspaces') || !sameWorkspace(named, workspace)) return undefined;
    if (!container || !sameName(version?.type, 'versions') || !version) return undefined;
    const type = container.type.toLowerCase();
    return isAssetType(type) ? { type, name: container.name, version: version.name } : undefined;
  }
  const uri = parseAzureMlUri(value);
  if (uri?.target.kind !== 'asset' || uri.target.version === undefined) return undefined;
  if (uri.scope.kind === 'registry') return undefined;
  if (uri.scope.kind === 'workspace' && !sameWorkspace(uri.scope.workspace, workspace)) return undefined;
  const { type, name, version } = uri.target;
  if (type === undefined) return { name, version };
  const known = type.toLowerCase();
  return isAssetType(known) ? { type: known, name, version } : undefined;
}
