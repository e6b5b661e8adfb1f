/** From an address in a datastore to the blobs behind it. */

import type { Cloud, Stored } from '../../provider.ts';
import { textOf } from './fields.ts';

/** A place in blob storage. `path` ends with '/', unless it is empty. */
export interface Place {
  account: string;
  container: string;
  path: string;
}

/** The datastore of an `azureml://…datastores/…` address (by default of this workspace), and the path in it. */
export function datastoreOf(
  cloud: Cloud,
  workspaceId: string,
  uri: string,
): { datastore: Stored; path: string } | undefined {
  const match =
    /^azureml:\/\/(?:subscriptions\/([^/]+)\/resource[gG]roups\/([^/]+)\/workspaces\/([^/]+)\/)?datastores\/([^/]+)\/(?:paths\/)?(.*)$/.exec(
      uri,
    );
  if (!match) return undefined;
  const [, subscription, group, workspace, name, path = ''] = match;
  const owner = subscription
    ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`
    : workspaceId;
  const datastore = cloud.store.get(`${owner}/datastores/${name}`);
  return datastore && { datastore, path };
}

/** The folder behind such an address, if its datastore is one of blobs. */
export function locateFolder(cloud: Cloud, workspaceId: string, uri: string): Place | undefined {
  const found = datastoreOf(cloud, workspaceId, uri);
  const { accountName, containerName } = found?.datastore.resource.properties ?? {};
  const account = textOf(accountName);
  const container = textOf(containerName);
  if (!found || account === undefined || container === undefined) return undefined;
  const { path } = found;
  return { account, container, path: path === '' || path.endsWith('/') ? path : `${path}/` };
}
