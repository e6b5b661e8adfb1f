/**
 * Blobs as files of this machine, streamed past the regions' fronts: what runs in a region goes on while nobody can
 * reach it.
 */

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { STORAGE_VERSION } from '../../../storage-protocol/shared-key.ts';
import type { BlobAccounts } from '../../../contract/index.ts';
import { RunFailure } from './run-failure.ts';

/** A folder or a blob in a container: `path` without '/' at its end; empty: the container whole. */
export interface BlobPlace {
  account: string;
  container: string;
  path: string;
  /** The id of the datastore that it was named by, with whose credentials it is reached. */
  datastore?: string;
}

/** Writes the blob to a file. False: there is no such blob. Errors: any other answer than 200 and 404. */
export async function downloadBlob(blobs: BlobAccounts, blob: BlobPlace, file: string): Promise<boolean> {
  const response = await send(blobs, 'GET', blob);
  if (response.statusCode === 404) {
    response.resume();
    return false;
  }
  await requireStatus(response, 200, blob);
  await mkdir(dirname(file), { recursive: true });
  await pipeline(response, createWriteStream(file));
  return true;
}

/**
 * Writes all blobs below a place to a folder, which is made. Answers how many. Errors: RunFailure for a name that would
 * lead out of the folder.
 */
export async function downloadFolder(blobs: BlobAccounts, place: BlobPlace, folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const prefix = place.path === '' ? '' : `${place.path}/`;
  const names = await blobs.listBlobs(place.account, place.container, prefix);
  const files = names.filter((name) => !name.endsWith('/') && !isFolderMarker(name, names));
  for (const name of files)
    await downloadBlob(blobs, { ...place, path: name }, fileBelow(folder, name.slice(prefix.length)));
  return files.length;
}

/** Some clients leave an empty blob where a folder is. */
function isFolderMarker(name: string, names: readonly string[]): boolean {
  return names.some((other) => other.startsWith(`${name}/`));
}

function fileBelow(folder: string, name: string): string {
  const file = resolve(folder, name);
  if (!file.startsWith(resolve(folder) + sep))
    throw new RunFailure('UserError', `The blob '${name}' has a name that is no path below its folder.`);
  return file;
}

/**
 * Writes a file as it is now to a blob. Errors: no such account or container, or a file that became shorter meanwhile.
 */
export async function uploadFile(blobs: BlobAccounts, file: string, blob: BlobPlace): Promise<void> {
  const { size } = await stat(file);
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-length': String(size) };
  const request = open(blobs, 'PUT', blob, headers);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  if (size === 0) request.end();
  else {
    const content = createReadStream(file, { end: size - 1 });
    const sent = pipeline(content, request).then(() => {
      // Azurite would wait for the rest.
      if (content.bytesRead < size) request.destroy(new Error(`file '${file}' became shorter`));
    });
    sent.catch(() => undefined); // An answer that comes before all is sent decides.
    await Promise.race([sent, answered]);
  }
  const [response] = await answered;
  await requireStatus(response, 201, blob);
  response.resume();
}

/** Copies the blob at a place, or all that are below it, to another place. Returns how many. */
export async function copyBelow(blobs: BlobAccounts, from: BlobPlace, to: BlobPlace): Promise<number> {
  let count = 0;
  for (const name of await blobs.listBlobs(from.account, from.container, from.path)) {
    const rest = name.slice(from.path.length);
    if (rest !== '' && !rest.startsWith('/')) continue; // Of another place whose name begins so.
    const content = await send(blobs, 'GET', { ...from, path: name });
    await requireStatus(content, 200, { ...from, path: name });
    const headers = {
      'x-ms-blob-type': 'BlockBlob',
      'content-length': content.headers['content-length'] ?? '0',
    };
    const request = open(blobs, 'PUT', { ...to, path: `${to.path}${rest}` }, headers);
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    await pipeline(content, request);
    const [response] = await answered;
    await requireStatus(response, 201, to);
    response.resume();
    count += 1;
  }
  return count;
}

/** Removes a blob, which need not be there. */
export async function deleteBlob(blobs: BlobAccounts, blob: BlobPlace): Promise<void> {
  const response = await send(blobs, 'DELETE', blob);
  if (response.statusCode !== 404) await requireStatus(response, 202, blob);
  response.resume();
}

/** The blob `name` below a place. */
export function below(place: BlobPlace, name: string): BlobPlace {
  return { ...place, path: join(place.path, name) };
}

async function send(blobs: BlobAccounts, method: string, blob: BlobPlace): Promise<IncomingMessage> {
  const request = open(blobs, method, blob, { 'content-length': '0' });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end();
  return (await answered)[0];
}

function open(
  blobs: BlobAccounts,
  method: string,
  { account, container, path }: BlobPlace,
  headers: Record<string, string>,
): ReturnType<BlobAccounts['open']> {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const own = { 'x-ms-version': STORAGE_VERSION, 'x-ms-date': new Date().toUTCString() };
  return blobs.open(method, `/${account}/${container}/${encoded}`, { ...own, ...headers }, true);
}

async function requireStatus(response: IncomingMessage, expected: number, blob: BlobPlace): Promise<void> {
  if (response.statusCode === expected) return;
  let body = '';
  for await (const chunk of response) body += String(chunk);
  const { account, container, path } = blob;
  throw new Error(`blob '${account}/${container}/${path}': ${response.statusCode} ${body}`);
}
