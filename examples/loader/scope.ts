/** One workspace: the ARM ids of what is in it, and the uris of what its datastores hold. */
export interface WorkspaceScope {
  subscriptionId: string;
  resourceGroup: string;
  workspace: string;
}

export const ML_API = '2024-04-01';

export type AssetKind = 'models' | 'data' | 'environments' | 'components' | 'codes';

export function workspaceId(scope: WorkspaceScope): string {
  return (
    `/subscriptions/${scope.subscriptionId}/resourceGroups/${scope.resourceGroup}` +
    `/providers/Microsoft.MachineLearningServices/workspaces/${scope.workspace}`
  );
}

export function childId(scope: WorkspaceScope, type: string, name: string): string {
  return `${workspaceId(scope)}/${type}/${name}`;
}

export function versionId(scope: WorkspaceScope, kind: AssetKind, name: string, version: string): string {
  return `${workspaceId(scope)}/${kind}/${name}/versions/${version}`;
}

/** The long form of a datastore uri, which names its workspace: what Azure's own client registers assets with. */
export function datastoreUri(scope: WorkspaceScope, datastore: string, path: string): string {
  return (
    `azureml://subscriptions/${scope.subscriptionId}/resourcegroups/${scope.resourceGroup}` +
    `/workspaces/${scope.workspace}/datastores/${datastore}/paths/${path}`
  );
}

/** The short form is made long; anything else stays as it is. */
export function longUri(scope: WorkspaceScope, uri: string): string {
  const short = /^azureml:\/\/datastores\/([^/]+)\/paths\/(.*)$/u.exec(uri);
  return short === null ? uri : datastoreUri(scope, short[1] ?? '', short[2] ?? '');
}

/** `azureml:name:version`, `azureml:name@label`, `azureml:name`: a reference as Azure ML YAML writes it. */
export function parseReference(text: string): { name: string; version?: string; label?: string } | undefined {
  const match = /^azureml:(?!\/)([^:@/]+)(?::([^:@/]+)|@([^:@/]+))?$/u.exec(text);
  if (match === null) return undefined;
  return {
    name: match[1] ?? '',
    ...(match[2] === undefined ? {} : { version: match[2] }),
    ...(match[3] === undefined ? {} : { label: match[3] }),
  };
}

/** Is it an ARM id, or a reference to a registry, which no workspace binds? Such a value goes into a request as it is. */
export function isResolved(text: string): boolean {
  return /^(azureml:)?\/subscriptions\//iu.test(text) || /^azureml:\/\/registries\//iu.test(text);
}

export function withoutPrefix(text: string): string {
  return text.replace(/^azureml:(?=\/subscriptions\/)/iu, '');
}
