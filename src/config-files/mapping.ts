/** One workspace as its users name it. */
export interface WorkspaceRef {
  subscriptionId: string;
  resourceGroup: string;
  name: string;
  /** Azure's short region name, such as `eastus`. */
  location: string;
}

/** One old value and the new one in its place. */
export interface Replacement {
  from: string;
  to: string;
}

/**
 * What is to become what, from the topology and the inventory. No `to` may itself be something the mapping changes:
 * `rewriteConfig` refuses a file where a second run would change the first one's result.
 */
export interface WorkspaceMapping {
  from: WorkspaceRef;
  to: WorkspaceRef;
  /** Names of computes, old to new; looked up without regard to case, as Azure does. */
  compute: Readonly<Record<string, string>>;
  /** Addresses by origin and path prefix: scoring URIs, blob endpoints, tracking and discovery URLs. */
  urls: readonly Replacement[];
  /** ARM ids of the workspace's associated resources (storage, vault, identities), with all that is below them. */
  resources?: readonly Replacement[];
  /** The workspace's own GUID (`workspaceId`), as in `azureml://locations/…/workspaces/{guid}`. */
  workspaceId?: Replacement;
}

/** Azure's names are compared without regard to case. */
export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** `East US` and `eastus` are one place. */
export function sameLocation(left: string, right: string): boolean {
  return sameName(left.replaceAll(' ', ''), right.replaceAll(' ', ''));
}

/** The new name of a compute, or undefined when it keeps its name or is not mapped. */
export function mappedCompute(name: string, mapping: WorkspaceMapping): string | undefined {
  const found = Object.entries(mapping.compute).find(([from]) => sameName(from, name));
  return found && found[1] !== name ? found[1] : undefined;
}

/**
 * Storage accounts of both sides, read from ARM ids and from `https://{account}.blob.{suffix}` addresses. Their names
 * are unique in the whole of Azure, so a name alone says which account is meant.
 */
export function storageAccounts(mapping: WorkspaceMapping): Replacement[] {
  const accountOf = (address: string): string | undefined =>
    /^https?:\/\/([a-z0-9]{3,24})\.(?:blob|dfs|file|queue|table)\./i.exec(address)?.[1] ??
    /\/providers\/Microsoft\.Storage\/storageAccounts\/([^/]+)$/i.exec(address)?.[1];
  const pairs: Replacement[] = [];
  for (const pair of [...(mapping.resources ?? []), ...mapping.urls]) {
    const from = accountOf(pair.from);
    const to = accountOf(pair.to);
    if (from && to && !sameName(from, to)) pairs.push({ from, to });
  }
  return pairs;
}
