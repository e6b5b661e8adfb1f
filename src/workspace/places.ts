/**
 * Finds the blobs that a resource needs: every reference in its JSON to a datastore or a storage account of the
 * workspace. Pure: references to job outputs are returned as such, and the caller looks up the job.
 */
import type { Json } from '../azure/azure.ts';
import { placeInAccount } from '../azure/storage/blob-url.ts';
import { parseAzureMlUri, sameName, sameWorkspace } from '../azure/ids.ts';
import type { AzureMlUri } from '../azure/azureml-uri.ts';
import type { DatastorePlace } from './datastores.ts';
import { isCopied, type SourceAccount } from './source-account.ts';
import type { SourceWorkspace } from './workspace.ts';

/** The storage that references of a workspace can point to. */
export interface SourceStores {
  workspace: SourceWorkspace;
  datastores: DatastorePlace[];
  /** Accounts that are copied. */
  accounts: SourceAccount[];
  /** Accounts outside the region, which the standby reads in place. */
  shared: string[];
}

/** A blob, or a folder of blobs. */
export interface BlobRoot {
  account: string;
  container: string;
  /** Without leading and trailing slashes. */
  path: string;
}

/** The blobs that a resource needs. */
export interface Needs {
  roots: BlobRoot[];
  /** On storage that the standby reads in place. */
  shared: BlobRoot[];
  /** For MLflow's `runs:/`, `output` is `artifacts`. */
  jobOutputs: { job: string; output: string; path: string }[];
  /** References to blobs that are not copied. */
  unreachable: { value: string; reason: string }[];
}

/** Returns what a resource's JSON refers to. */
export function needsOf(json: Json, stores: SourceStores): Needs {
  const needs: Needs = { roots: [], shared: [], jobOutputs: [], unreachable: [] };
  const walk = (value: Json): void => {
    if (typeof value === 'string') readReference(value, stores, needs);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
  };
  walk(json);
  return needs;
}

function readReference(value: string, stores: SourceStores, needs: Needs): void {
  const uri = parseAzureMlUri(value);
  if (uri) {
    if (!isOf(uri, stores.workspace)) return;
    if (uri.target.kind === 'datastore') addDatastorePath(uri.target.datastore, uri.target.path, value, stores, needs);
    if (uri.target.kind === 'job-output') needs.jobOutputs.push({ ...pick(uri.target), path: trim(uri.target.path) });
    if (uri.target.kind === 'run') {
      needs.jobOutputs.push({ job: uri.target.run, output: 'artifacts', path: trim(uri.target.path) });
    }
    return;
  }
  for (const account of stores.accounts) {
    const place = placeInAccount(value, account.endpoint);
    if (!place) continue;
    const root = { account: account.name, container: place.container, path: trim(decode(place.path)) };
    (isCopied(stores.accounts, root) ? needs.roots : needs.shared).push(root);
  }
}

function pick({ job, output }: { job: string; output: string }): { job: string; output: string } {
  return { job, output };
}

/** Adds the root that a datastore path refers to, or the reason why it is not copied. */
export function addDatastorePath(
  datastore: string,
  path: string,
  value: string,
  stores: SourceStores,
  needs: Pick<Needs, 'roots' | 'shared' | 'unreachable'>,
): void {
  const found = stores.datastores.find(({ name }) => sameName(name, datastore));
  const blob = found?.blob;
  if (!found || !blob) {
    const reason = found ? `datastore "${datastore}" is ${found.unsupported}` : `there is no datastore "${datastore}"`;
    needs.unreachable.push({ value, reason });
  } else if (stores.shared.some((name) => sameName(name, blob.account))) {
    needs.shared.push({ ...blob, path: trim(path) });
  } else if (!stores.accounts.some(({ name }) => sameName(name, blob.account))) {
    needs.unreachable.push({ value, reason: `storage account "${blob.account}" is not copied` });
  } else {
    (isCopied(stores.accounts, blob) ? needs.roots : needs.shared).push({ ...blob, path: trim(path) });
  }
}

function isOf({ scope }: AzureMlUri, workspace: SourceWorkspace): boolean {
  if (scope.kind === 'current') return true;
  if (scope.kind === 'workspace') return sameWorkspace(scope.workspace, workspace);
  return scope.kind === 'located' && sameName(scope.guid, workspace.guid);
}

/** Removes slashes at both ends. A path with a pattern refers to the folder before the first pattern. */
function trim(path: string): string {
  const segments = path.replace(/^\/+|\/+$/g, '').split('/');
  const pattern = segments.findIndex((segment) => segment.includes('*'));
  return (pattern < 0 ? segments : segments.slice(0, pattern)).join('/');
}

/** Addresses are percent-encoded, blob names are not. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a stray '%' is then part of the name
  }
}
