/** A workspace as its users name it. */
export interface NamedWorkspace {
  subscriptionId: string;
  resourceGroup: string;
  name: string;
  /** Azure's short region name, such as `eastus`. */
  location: string;
}

/** An old value and its replacement. */
export interface Replacement {
  from: string;
  to: string;
}

/**
 * Maps old values to new ones, from the topology and the inventory. No `to` may itself be mapped: `rewriteConfig`
 * refuses a file if a second run would change the result of the first.
 */
export interface WorkspaceMapping {
  from: NamedWorkspace;
  to: NamedWorkspace;
  /** Names of computes, old → new. Looked up without regard to case, as in Azure. */
  compute: Readonly<Record<string, string>>;
  /** Addresses by origin and path prefix: scoring URIs, blob endpoints, tracking and discovery URLs. */
  urls: readonly Replacement[];
  /**
   * ARM ids of the workspace's associated resources (storage, vault, identities). Applies to everything below them too.
   */
  resources?: readonly Replacement[];
  /** The workspace's own GUID (`workspaceId`), as in `azureml://locations/…/workspaces/{guid}`. */
  workspaceId?: Replacement;
}

/** Compares names without regard to case, as in Azure. */
export function sameText(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** `East US` and `eastus` are the same region. */
export function sameLocation(left: string, right: string): boolean {
  return sameText(left.replaceAll(' ', ''), right.replaceAll(' ', ''));
}

/** Returns the new name of a compute. Undefined if it keeps its name or is not mapped. */
export function mappedCompute(name: string, mapping: WorkspaceMapping): string | undefined {
  const found = Object.entries(mapping.compute).find(([from]) => sameText(from, name));
  return found && found[1] !== name ? found[1] : undefined;
}

/**
 * Returns the storage accounts of both sides, read from ARM ids and from `https://{account}.blob.{suffix}` addresses.
 * Account names are unique in all of Azure, so a name alone identifies an account.
 */
export function storageAccounts(mapping: WorkspaceMapping): Replacement[] {
  const accountOf = (address: string): string | undefined =>
    /^https?:\/\/([a-z0-9]{3,24})\.(?:blob|dfs|file|queue|table)\./i.exec(address)?.[1] ??
    /\/providers\/Microsoft\.Storage\/storageAccounts\/([^/]+)$/i.exec(address)?.[1];
  const pairs: Replacement[] = [];
  for (const pair of [...(mapping.resources ?? []), ...mapping.urls]) {
    const from = accountOf(pair.from);
    const to = accountOf(pair.to);
    if (from && to && !sameText(from, to)) pairs.push({ from, to });
  }
  return pairs;
}
