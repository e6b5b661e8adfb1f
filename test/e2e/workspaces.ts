/**
 * Reads a workspace whole, and says what the same workspace must look like in the other region: not with the product's
 * own rewriter.
 */
import type { BlobServiceClient } from '@azure/storage-blob';
import { digestsBelow, type AzureReader, type Resource } from './azure-reader.ts';

const assetTypes = ['codes', 'environments', 'models', 'data', 'components'] as const;

export interface Workspace {
  group: string;
  name: string;
  id: string;
  storageId: string;
  blobs: BlobServiceClient;
  /** By `models/fraud-classifier/4`. */
  versions: Map<string, Resource>;
  datastores: Map<string, Resource>;
  connections: Map<string, Resource>;
  schedules: Map<string, Resource>;
  computes: Map<string, Resource>;
  endpoints: Map<string, Resource>;
  jobs: Map<string, Resource>;
}

export async function readWorkspace(azure: AzureReader, group: string, name: string): Promise<Workspace> {
  const id = azure.workspace(group, name);
  const { properties } = await azure.get(id);
  const storageId = String(properties.storageAccount);
  const named = async (path: string) => new Map((await azure.list(`${id}/${path}`)).map((each) => [each.name, each]));
  const versions = new Map<string, Resource>();
  for (const type of assetTypes) {
    for (const container of await azure.list(`${id}/${type}?listViewType=All`)) {
      const found = await azure.list(`${id}/${type}/${container.name}/versions?listViewType=All`);
      for (const version of found) versions.set(`${type}/${container.name}/${version.name}`, version);
    }
  }
  return {
    group,
    name,
    id,
    storageId,
    blobs: await azure.blobs(storageId),
    versions,
    datastores: await named('datastores'),
    connections: await named('connections'),
    schedules: await named('schedules?listViewType=All'),
    computes: await named('computes'),
    endpoints: await named('onlineEndpoints'),
    jobs: await named('jobs?listViewType=All'),
  };
}

/** The default container of a workspace: its name holds the workspace's own guid. */
function containerOf({ datastores }: Workspace): string {
  return String(datastores.get('workspaceblobstore')?.properties.containerName);
}

/**
 * What is expected in `to` of a value seen in `from`: only what is a reference changes, and only where it names `from`.
 */
export function translate(value: unknown, from: Workspace, to: Workspace): unknown {
  if (Array.isArray(value)) return value.map((each) => translate(each, from, to));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, translate(each, from, to)]));
  if (typeof value !== 'string' || !/^(azureml:|https:|\/subscriptions\/)/.test(value)) return value;
  return value
    .replace(new RegExp(`(/resourcegroups/)${from.group}(/|$)`, 'gi'), `$1${to.group}$2`)
    .replace(new RegExp(`(/workspaces/)${from.name}(/|$)`, 'gi'), `$1${to.name}$2`)
    .replace(from.blobs.url, to.blobs.url)
    .replace(`/${containerOf(from)}/`, `/${containerOf(to)}/`);
}

/** Without what Azure sets, and without fields that say nothing. */
export function meant(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meant);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value)
    .filter(([key]) => !['provisioningState', 'systemData'].includes(key))
    .map(([key, each]) => [key, meant(each)] as const)
    .filter(([, each]) => each !== null && !(typeof each === 'object' && Object.keys(each).length === 0));
  return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Where an asset's files are: names below its place and their digests; undefined for what has none in the workspace's
 * storage.
 */
export async function filesOf(workspace: Workspace, asset: Resource): Promise<Record<string, string> | undefined> {
  const { codeUri, modelUri, dataUri, build } = asset.properties as Record<string, string> & {
    build?: { contextUri?: string };
  };
  const uri = codeUri ?? modelUri ?? dataUri ?? build?.contextUri;
  if (uri === undefined) return undefined;
  if (uri.startsWith(workspace.blobs.url)) {
    const [container = '', ...path] = uri.slice(workspace.blobs.url.length).split('/');
    return digestsBelow(workspace.blobs, container, path.join('/'));
  }
  const match = /\/datastores\/([^/]+)\/paths\/(.*)$/.exec(uri);
  if (!match) return undefined;
  const [, datastore = '', path = ''] = match;
  const container = workspace.datastores.get(datastore)?.properties.containerName;
  if (typeof container !== 'string') throw new Error(`${asset.id}: ${uri}: no datastore "${datastore}"`);
  return digestsBelow(workspace.blobs, container, path);
}
