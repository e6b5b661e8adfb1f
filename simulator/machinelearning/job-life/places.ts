/** From an address in a datastore to the blobs behind it. */

import type { Cloud, Stored } from '../../contract/index.ts';
import { objectOf, textOf } from '../bodies/fields.ts';
import { jobOutputUri, longUri } from './job-outputs.ts';
import { notFound } from '../bodies/refusals.ts';

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

/**
 * The address on a datastore that stands for `azureml://jobs/{job}/outputs/{output}/paths/{path}` or
 * `runs:/{job}/{path}`, as Azure writes it when an asset is registered by such a one; undefined for any other address,
 * and for a job that is not there: whether that can be read is settled when it is read.
 *
 * Errors: 404 UserError for a job without such an output.
 */
export function addressOfOutput(
  cloud: Cloud,
  workspaceId: string,
  uri: string,
): { uri: string; job: string } | undefined {
  const [, name, named = '', below = ''] =
    /^azureml:\/\/jobs\/([^/]+)\/outputs\/([^/]+)(?:\/(?:paths\/)?(.*))?$/.exec(uri) ?? [];
  const [, run, artifact = ''] = /^runs:\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  const job = name ?? run;
  if (job === undefined) return undefined;
  const stored = cloud.store.get(`${workspaceId}/jobs/${job}`);
  if (!stored) return undefined;
  const output = run !== undefined || named === 'artifacts' ? 'default' : named;
  if (output !== 'default' && !(output in objectOf(stored.resource.properties.outputs)))
    throw notFound(`'${uri}': the job '${job}' has no output '${output}'.`);
  const root = longUri(workspaceId, jobOutputUri(stored.resource, output)).replace(/\/$/, '');
  // Azure's own folder of a run's artifacts has no `paths` where clients look it up, and has it in an asset.
  const place = root.replace(/\/datastores\/([^/]+)\/(?!paths\/)/, '/datastores/$1/paths/');
  return { uri: `${place}/${name === undefined ? artifact : below}`, job: stored.resource.name };
}
