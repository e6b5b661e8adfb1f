/**
 * Finds what a resource names in its workspace besides asset versions and blob paths: by ARM id, or by name in fields
 * that only have a name. Pure.
 */
import type { Json } from '../azure/azure.ts';
import { parseArmId, parseAzureMlUri, sameName, sameWorkspace } from '../azure/ids.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { isAssetType, type AssetType } from '../workspace/asset-types.ts';

/** Something in a workspace that a resource names. */
export type NamedResource =
  | { kind: 'compute' | 'datastore' | 'job' | 'endpoint' | 'batch endpoint'; name: string }
  /** An asset without a version: by label (`latest`), or by name alone. `type` is absent if only the field tells it. */
  | { kind: 'asset'; type?: AssetType; name: string; label?: string };

/** Fields whose value is the name of a compute or a datastore, as Azure and its clients spell them. */
const namingFields: Record<string, 'compute' | 'datastore'> = {
  compute: 'compute',
  computeid: 'compute',
  default_compute: 'compute',
  defaultcompute: 'compute',
  datastoreid: 'datastore',
  default_datastore: 'datastore',
  defaultdatastore: 'datastore',
};

/** Keys directly below these are names that the owner chose: an input may be called `compute`. */
const ownNames = new Set(['inputs', 'outputs', 'jobs', 'environmentvariables', 'environment_variables']);

/** Every workspace has these, without a resource behind them. */
const builtInComputes = new Set(['serverless', 'local', 'automaticcompute']);

const kindsOfType: Record<string, Exclude<NamedResource['kind'], 'asset'>> = {
  computes: 'compute',
  datastores: 'datastore',
  jobs: 'job',
  onlineendpoints: 'endpoint',
  batchendpoints: 'batch endpoint',
};

/**
 * Returns what `json`, of a resource of `workspace`, names in that workspace. Expressions (`${{…}}`) are resolved by
 * the service and name nothing.
 */
export function namedResources(json: Json, workspace: WorkspaceRef): NamedResource[] {
  const found: NamedResource[] = [];
  const walk = (value: Json, key: string, parent: string): void => {
    if (typeof value === 'string') {
      const field = ownNames.has(parent) ? undefined : namingFields[key];
      const named = value.includes('${{') ? undefined : namedBy(value, field, workspace);
      if (named) found.push(named);
    } else if (Array.isArray(value)) {
      for (const each of value) walk(each, '', key);
    } else if (value !== null && typeof value === 'object') {
      for (const [name, each] of Object.entries(value)) walk(each, name.toLowerCase(), key);
    }
  };
  walk(json, '', '');
  return found;
}

function namedBy(
  value: string,
  field: 'compute' | 'datastore' | undefined,
  workspace: WorkspaceRef,
): NamedResource | undefined {
  const bare = value.replace(/^azureml:(?=\/)/i, '');
  if (bare.startsWith('/')) return byId(bare, workspace);
  if (field === undefined) return byLabel(value, workspace);
  const name = value.replace(/^azureml:/i, '');
  if (name === '' || /[/:@\s]/.test(name)) return undefined;
  if (field === 'compute' && builtInComputes.has(name.toLowerCase())) return undefined;
  return { kind: field, name };
}

function byId(id: string, workspace: WorkspaceRef): NamedResource | undefined {
  const parsed = parseArmId(id);
  const [parent, resource, below] = parsed?.path ?? [];
  if (!parsed || !resource || !sameName(parent?.type, 'workspaces')) return undefined;
  const { subscriptionId, resourceGroup = '' } = parsed;
  if (!sameWorkspace({ subscriptionId, resourceGroup, name: parent?.name ?? '' }, workspace)) return undefined;
  const type = resource.type.toLowerCase();
  const kind = kindsOfType[type];
  if (kind === 'compute' && builtInComputes.has(resource.name.toLowerCase())) return undefined;
  if (kind !== undefined) return { kind, name: resource.name };
  // A version is a reference that is carried, together with what it refers to.
  if (!isAssetType(type) || sameName(below?.type, 'versions')) return undefined;
  const label = sameName(below?.type, 'labels') && below ? { label: below.name } : {};
  return { kind: 'asset', type, name: resource.name, ...label };
}

function byLabel(value: string, workspace: WorkspaceRef): NamedResource | undefined {
  const uri = parseAzureMlUri(value);
  if (uri?.target.kind !== 'asset' || uri.target.label === undefined) return undefined;
  if (uri.scope.kind === 'registry' || uri.scope.kind === 'located') return undefined;
  if (uri.scope.kind === 'workspace' && !sameWorkspace(uri.scope.workspace, workspace)) return undefined;
  const { type, name, label } = uri.target;
  const known = type?.toLowerCase();
  if (known === undefined) return { kind: 'asset', name, label };
  return isAssetType(known) ? { kind: 'asset', type: known, name, label } : undefined;
}
