/**
 * Parses ARM ids by segment. Azure compares ids without regard to case and writes key words in any spelling
 * (`resourcegroups`, `resourceGroups`), so ids are never compared or replaced as text.
 */
import type { WorkspaceRef } from '../topology/topology.ts';

/** The parts of an ARM id. */
export interface ArmId {
  subscriptionId: string;
  resourceGroup?: string;
  /** Example: `Microsoft.MachineLearningServices`, in the original spelling. */
  provider: string;
  /** Example: `[{ type: 'workspaces', name: 'fraud' }, { type: 'models', name: 'm' }]`. */
  path: { type: string; name: string }[];
}

const machineLearning = 'microsoft.machinelearningservices';

/** Compares names without regard to case, as Azure does. */
export function sameName(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && left.toLowerCase() === right.toLowerCase();
}

/** Parses an ARM id. Undefined for anything else, including a path that ends in the middle of a pair. */
export function parseArmId(id: string): ArmId | undefined {
  if (!id.startsWith('/') || /\s/.test(id)) return undefined;
  const segments = id.slice(1).split('/');
  if (!sameName(segments[0], 'subscriptions') || !segments[1]) return undefined;
  const grouped = sameName(segments[2], 'resourceGroups');
  const providersAt = grouped ? 4 : 2;
  const provider = segments[providersAt + 1];
  if (!sameName(segments[providersAt], 'providers') || !provider) return undefined;
  const rest = segments.slice(providersAt + 2);
  if (rest.length === 0 || rest.length % 2 === 1 || rest.includes('')) return undefined;
  const path: ArmId['path'] = [];
  for (let at = 0; at < rest.length; at += 2) path.push({ type: rest[at] ?? '', name: rest[at + 1] ?? '' });
  const group = grouped ? segments[3] : undefined;
  return { subscriptionId: segments[1], ...(group ? { resourceGroup: group } : {}), provider, path };
}

/** Formats the parts of an ARM id. */
export function formatArmId({ subscriptionId, resourceGroup, provider, path }: ArmId): string {
  const group = resourceGroup === undefined ? '' : `/resourceGroups/${resourceGroup}`;
  const names = path.map(({ type, name }) => `/${type}/${name}`).join('');
  return `/subscriptions/${subscriptionId}${group}/providers/${provider}${names}`;
}

/** Whether both refer to the same workspace, without regard to case. */
export function sameWorkspace(left: WorkspaceRef, right: WorkspaceRef): boolean {
  return (
    sameName(left.subscriptionId, right.subscriptionId) &&
    sameName(left.resourceGroup, right.resourceGroup) &&
    sameName(left.name, right.name)
  );
}

/** Where a path's segments name a workspace. */
export interface WorkspacePlace {
  workspace: WorkspaceRef;
  subscriptionAt: number;
  resourceGroupAt: number;
  nameAt: number;
}

/**
 * The workspace that `segments` names from `start` on: `subscriptions/{s}/resourceGroups/{rg}` and then
 * `providers/Microsoft.MachineLearningServices/workspaces/{ws}` or, as in azureml:// URIs, `workspaces/{ws}`.
 */
export function locateWorkspace(segments: readonly string[], start: number): WorkspacePlace | undefined {
  const is = (offset: number, word: string) => sameName(segments[start + offset], word);
  if (!is(0, 'subscriptions') || !is(2, 'resourceGroups')) return undefined;
  const long = is(4, 'providers') && is(5, machineLearning) && is(6, 'workspaces');
  if (!long && !is(4, 'workspaces')) return undefined;
  const nameAt = start + (long ? 7 : 5);
  const [subscriptionId, resourceGroup, name] = [segments[start + 1], segments[start + 3], segments[nameAt]];
  if (!subscriptionId || !resourceGroup || !name) return undefined;
  return {
    workspace: { subscriptionId, resourceGroup, name },
    subscriptionAt: start + 1,
    resourceGroupAt: start + 3,
    nameAt,
  };
}
