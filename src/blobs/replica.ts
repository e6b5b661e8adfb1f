/**
 * Replicas: copies in the standby's own account that are never changed once written. The name contains the epoch, the
 * source and the source's etag, so a late writer of an old epoch or an old version cannot overwrite anything in use.
 */
import { createHash } from 'node:crypto';
import type { BlobAccount } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import { UnderstudyError } from '../errors/error.ts';
import {
  hashBlob,
  listBlobs,
  quoted,
  showAddress,
  type BlobAddress,
  type Digests,
  type ListedBlob,
} from '../azure/storage/blobs.ts';
import { copyBlob } from './copy-blob.ts';
import { replicaContainer } from '../recovery-point/manifest.ts';

/** Azure's limit is 1024 characters. */
const longestName = 1000;

/** `epochs/{n}/blobs/{account}/{container}/{path}/{hash of etag}`: all versions of a blob share a folder. */
export function replicaName(
  epoch: number,
  blob: { account: string; container: string; path: string; etag: string },
): string {
  const version = createHash('sha256').update(blob.etag).digest('hex').slice(0, 16);
  const name = `${replicaFolder(epoch, blob)}/${version}`;
  if (name.length <= longestName) return name;
  const hash = createHash('sha256').update(`${blob.account}/${blob.container}/${blob.path}`).digest('hex');
  return `epochs/${epoch}/blobs/long-names/${hash}/${version}`;
}

/** The folder of all versions of a blob's replica in an epoch. */
export function replicaFolder(
  epoch: number,
  { account, container, path }: { account: string; container: string; path: string },
): string {
  return [`epochs/${epoch}/blobs`, account, container, ...(path === '' ? [] : [path])].join('/');
}

/** Returns the folder that has all versions of a replica of this epoch. */
export function versionsFolder(replica: string): string {
  return replica.slice(0, replica.lastIndexOf('/'));
}

/** A replica that is in the standby. */
export interface PresentReplica {
  /** Path of the blob that it is a version of. */
  path: string;
  name: string;
  sizeBytes: number;
  /** Base64, if the service has one. An overwritten replica has another. */
  md5?: string;
}

/** Lists the replicas below a folder that `replicaFolder` returned. */
export async function* listReplicas(
  account: BlobAccount,
  folder: string,
  signal: AbortSignal,
): AsyncIterable<PresentReplica> {
  for await (const { path: name, sizeBytes, md5 } of listBlobs(account, replicaContainer, folder, signal)) {
    // `epochs/{n}/blobs/{account}/{container}/…/{version}`
    const path = name.split('/').slice(5, -1).join('/');
    yield { path, name, sizeBytes, ...(md5 === undefined ? {} : { md5 }) };
  }
}

/** One replica to make. */
export interface MakeReplica {
  source: BlobAddress;
  listed: ListedBlob;
  account: BlobAccount;
  name: string;
  /** An earlier attempt that was cut short has copied it: only its digest is missing. */
  present: boolean;
  signal: AbortSignal;
  beat: () => Promise<void>;
}

/**
 * Copies one blob at its listed etag, reads the copy, and compares it with the source's MD5 if the service has one,
 * otherwise with the source itself. Returns `changed` if the source is no longer what was listed.
 * Errors: ReconciliationError if the copy differs from the source. The copy is then removed, so that the next attempt
 * starts again.
 */
export async function makeReplica(request: MakeReplica): Promise<Digests | 'changed'> {
  const { source, listed, account, name, signal, beat } = request;
  const target: BlobAddress = { account, container: replicaContainer, path: name };
  if (!request.present) {
    const copied = await copyBlob({ source, listed, target, signal, onBlock: beat });
    if (copied === 'changed') return 'changed';
  }
  await beat();
  const copy = await hashBlob(target, { signal, onChunk: beat });
  if (copy === 'gone' || copy === 'changed') {
    throw new UnderstudyError('AzureUnavailable', `reading ${showAddress(target)}: it is gone since it was copied`);
  }
  const original = await digestOfSource(request);
  if (original === 'changed') return 'changed';
  if (copy.sizeBytes === listed.sizeBytes && (original.md5 === copy.md5 || original.sha256 === copy.sha256))
    return copy;
  await removeReplica(target, signal);
  throw new UnderstudyError(
    'ReconciliationError',
    `${showAddress(target)} is not equal to ${showAddress(source)} at etag ${listed.etag}: ${copy.sizeBytes} bytes with sha256 ${copy.sha256}, ` +
      `expected ${listed.sizeBytes} bytes with ${original.sha256 ? `sha256 ${original.sha256}` : `md5 ${original.md5}`}`,
    { next: 'The damaged copy was removed: run "understudy replicate" again.', place: showAddress(target) },
  );
}

async function digestOfSource({
  source,
  listed,
  signal,
  beat,
}: MakeReplica): Promise<{ md5?: string; sha256?: string } | 'changed'> {
  if (listed.md5 !== undefined) return { md5: listed.md5 };
  if (listed.sizeBytes === 0) return { sha256: createHash('sha256').digest('hex') };
  const original = await hashBlob(source, { signal, etag: listed.etag, onChunk: beat });
  return original === 'gone' || original === 'changed' ? 'changed' : original;
}

async function removeReplica({ account, container, path }: BlobAddress, signal: AbortSignal): Promise<void> {
  try {
    const client = account.container(container).getBlobClient(path);
    const { etag } = await client.getProperties({ abortSignal: signal });
    await client.deleteIfExists({ abortSignal: signal, conditions: { ifMatch: quoted(etag ?? '') } });
  } catch (error) {
    throw azureError(`removing the damaged copy ${path}`, error, signal.aborted);
  }
}
