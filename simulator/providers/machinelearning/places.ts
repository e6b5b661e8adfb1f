/** From an address in a datastore to the blobs behind it. */

import type { Cloud } from '../../provider.ts';
import { objectOf, textOf } from './fields.ts';

/** A place in blob storage. `path` ends with '/', unless it is empty. */
export interface Place {
  account: string;
  container: string;
  path: string;
}

/** The folder behind an `azureml://…datastores/…` address, if its datastore (by default of this workspace) is one of blobs. */
export function locateFolder(cloud: Cloud, workspaceId: string, uri: string): Place | undefined {
  const match =
    /^azureml:\/\/(?:subscriptions\/([^/]+)\/resource[gG]roups\/([^/]+)\/workspaces\/([^/]+)\/)?datastores\/([^/]+)\/(?:paths\/)?(.*)$/.exec(
      uri,
    );
  if (!match) return undefined;
  const [, subscription, group, workspace, datastore, path = ''] = match;
  const owner = subscription
    ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`
    : workspaceId;
  const { properties } = cloud.store.get(`${owner}/datastores/${datastore}`)?.resource ?? { properties: {} };
  const account = textOf(objectOf(properties).accountName);
  const container = textOf(objectOf(properties).containerName);
  if (account === undefined || container === undefined) return undefined;
  return { account, container, path: path === '' || path.endsWith('/') ? path : `${path}/` };
}
