/** From the addresses in a job to the blobs behind them. */

import { blobAddress } from '../../../storage-protocol/address.ts';
import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { isObject, objectOf, textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { jobOutputUri } from '../../job-life/job-outputs.ts';
import { datastoreOf, locateFolder } from '../../job-life/places.ts';
import { resolveAsset, type AssetKind } from '../../bodies/references.ts';
import { findAccount } from '../../../storage/places.ts';
import type { BlobPlace } from './blob-files.ts';
import { requireAccess } from './data-access.ts';
import { RunFailure } from './run-failure.ts';

/** An asset refers to a place, or at most to an output of a job, which has a place. */
const LONGEST_CHAIN = 4;

/**
 * The blobs that an address in a job of this workspace names.
 *
 * Errors: RunFailure for what is not there, is no storage of this cloud, or is in another region that does not answer.
 */
export function locateData(cloud: Cloud, job: Stored, address: string, kind: AssetKind = 'data'): BlobPlace {
  const workspaceId = workspaceIdOf(job.resource.id);
  let uri = address;
  for (let hop = 0; hop < LONGEST_CHAIN; hop += 1) {
    const place = placeOf(cloud, workspaceId, uri);
    if (place) return reachable(cloud, job, place, address);
    const next = outputUri(cloud, workspaceId, uri) ?? assetUri(cloud, workspaceId, uri, kind);
    if (next === undefined || next === uri) break;
    uri = next;
  }
  throw new RunFailure('UserError', `'${address}' names no blobs that a job of this workspace can reach.`);
}

/**
 * The address in storage that an input stands for which a job opens itself: that of an asset is the one it was
 * registered with.
 */
export function addressOf(cloud: Cloud, job: Stored, address: string, kind: AssetKind): string {
  return assetUri(cloud, workspaceIdOf(job.resource.id), address, kind) ?? address;
}

/** Where an output of a job goes; undefined: its datastore is not one of blobs. */
export function locateOutput(cloud: Cloud, job: Stored, name: string): BlobPlace | undefined {
  return placeOf(cloud, workspaceIdOf(job.resource.id), jobOutputUri(job.resource, name));
}

/** May the job write where it is to write? Its own artifacts, too. Errors: AccessRefused. */
export function requireOutputs(cloud: Cloud, job: Stored): void {
  for (const name of ['default', ...Object.keys(objectOf(job.resource.properties.outputs))]) {
    const place = locateOutput(cloud, job, name);
    if (place) requireAccess(cloud, place, job);
  }
}

/** Is the place where an output of a job of the same workspace goes? */
export function isOutput(cloud: Cloud, job: Stored, place: BlobPlace): boolean {
  const jobs = cloud.store.children(workspaceIdOf(job.resource.id), job.resource.type);
  return jobs.some((other) =>
    Object.keys(objectOf(other.resource.properties.outputs)).some((name) => {
      const found = locateOutput(cloud, other, name);
      return found?.account === place.account && found.container === place.container && found.path === place.path;
    }),
  );
}

function placeOf(cloud: Cloud, workspaceId: string, uri: string): BlobPlace | undefined {
  const found = locateFolder(cloud, workspaceId, uri);
  const datastore = datastoreOf(cloud, workspaceId, uri)?.datastore.resource.id;
  if (found && datastore) return { ...found, path: found.path.replace(/\/$/, ''), datastore };
  if (!/^https?:/i.test(uri) || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  const { account, container, blob } = blobAddress(url.host, url.pathname);
  if (!findAccount(cloud, account) || container === '') return undefined;
  return { account, container, path: decodeURIComponent(blob).replace(/\/$/, '') };
}

/** A job in a dark region reaches its own storage, and no other region reaches it. */
function reachable(cloud: Cloud, job: Stored, place: BlobPlace, address: string): BlobPlace {
  const region = findAccount(cloud, place.account)?.region;
  if (region === undefined || region === null)
    throw new RunFailure('UserError', `'${address}': there is no storage account '${place.account}' any more.`);
  const isCut = region !== job.region && (cloud.isStorageOut(region) || cloud.isDark(job.region ?? ''));
  if (isCut)
    throw new RunFailure(
      'SystemError',
      `'${address}': the storage account '${place.account}' in ${region} does not answer.`,
    );
  requireAccess(cloud, place, job);
  return place;
}

/** The place of `azureml://jobs/{job}/outputs/{output}/paths/{path}` or `runs:/{job}/{path}`. */
function outputUri(cloud: Cloud, workspaceId: string, uri: string): string | undefined {
  const [, job, output = 'default', path = ''] =
    /^azureml:\/\/jobs\/([^/]+)\/outputs\/([^/]+)(?:\/(?:paths\/)?(.*))?$/.exec(uri) ?? [];
  const [, run, artifact = ''] = /^runs:\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  const stored = cloud.store.get(`${workspaceId}/jobs/${job ?? run}`);
  if (!stored) return undefined;
  const root = jobOutputUri(stored.resource, output === 'artifacts' ? 'default' : output);
  return `${root.replace(/\/$/, '')}/${job === undefined ? artifact : path}`;
}

/** What a data asset, a model or a snapshot of code is registered with. */
function assetUri(cloud: Cloud, workspaceId: string, uri: string, kind: AssetKind): string | undefined {
  const asset = resolveAsset(cloud, workspaceId, kind, uri);
  const properties: JsonObject = asset?.resource.properties ?? {};
  return textOf(properties.dataUri) ?? textOf(properties.modelUri) ?? textOf(properties.codeUri);
}

/** The kind of asset that an input of this type names by its id. */
export function assetKindOf(input: JsonObject): AssetKind {
  return textOf(input.jobInputType)?.endsWith('_model') || /\/models\//i.test(textOf(input.uri) ?? '')
    ? 'models'
    : 'data';
}

/** The inputs of a job that are given. Errors: RunFailure for a name that is none. */
export function inputsOf(job: Stored): [string, JsonObject][] {
  return entriesOf(job.resource.properties.inputs);
}

/** The outputs that a job declares; one without fields has all defaults. Errors: RunFailure for a name that is none. */
export function outputsOf(job: Stored): [string, JsonObject][] {
  return Object.entries(objectOf(job.resource.properties.outputs))
    .filter(([name]) => name !== 'default')
    .map(([name, output]) => [requireName(name), objectOf(output)]);
}

function entriesOf(value: JsonObject[string] | undefined): [string, JsonObject][] {
  return Object.entries(objectOf(value)).flatMap(([name, entry]) =>
    isObject(entry) ? [[requireName(name), entry]] : [],
  );
}

/** Folders are called so. */
function requireName(name: string): string {
  if (!/^[A-Za-z_][\w.]{0,200}$/.test(name))
    throw new RunFailure(
      'UserError',
      `'${name}' is no name of an input or output: expected letters, digits, underscores and dots.`,
    );
  return name;
}
