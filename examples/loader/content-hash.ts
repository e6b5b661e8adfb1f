/**
 * The two fingerprints that Azure's Python client gives local content: one names the folder of an upload
 * (`LocalUpload/<hash>/…`), so that the same content is uploaded once; the other identifies a code snapshot.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { type Ignored, readIgnoreFile } from './ignore-file.ts';

export interface LocalFile {
  path: string;
  /** Below the folder, with slashes; of a single file its name. */
  relativePath: string;
  sizeBytes: number;
}

/** The files of a folder that an upload takes, sorted by path; a single file stands for itself. */
export async function localFiles(path: string): Promise<LocalFile[]> {
  const info = await stat(path);
  if (!info.isDirectory()) return [{ path, relativePath: basename(path), sizeBytes: info.size }];
  const ignored = await readIgnoreFile(path);
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files: LocalFile[] = [];
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    const relativePath = relative(path, file).split(sep).join('/');
    const fileInfo = await stat(file);
    if (fileInfo.isFile() && !ignored(relativePath))
      files.push({ path: file, relativePath, sizeBytes: fileInfo.size });
  }
  return files.sort((one, other) => (one.relativePath < other.relativePath ? -1 : 1));
}

/** The name of an upload's folder: SHA-256 over names and contents, depth first, names in order of their lower case. */
export async function uploadHash(path: string): Promise<string> {
  const hash = createHash('sha256').update('Initialize for october 2021 AML CLI version');
  const info = await stat(path);
  if (info.isDirectory()) await addFolder(hash, path, path, await readIgnoreFile(path));
  else await addFile(hash, path);
  return hash.digest('hex');
}

async function addFolder(hash: Hash, root: string, folder: string, ignored: Ignored): Promise<void> {
  const names = await readdir(folder);
  const sorted = names.sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
  for (const name of sorted) {
    const path = join(folder, name);
    if (ignored(relative(root, path).split(sep).join('/'))) continue;
    hash.update(name);
    const info = await stat(path);
    if (info.isDirectory()) await addFolder(hash, root, path, ignored);
    else if (info.isFile()) await addFile(hash, path);
  }
}

/** The fingerprint of a code snapshot: its number of files, their names and sizes, then their contents. */
export async function snapshotHash(path: string): Promise<string> {
  const files = (await localFiles(path)).sort((one, other) =>
    one.relativePath.toLowerCase() < other.relativePath.toLowerCase() ? -1 : 1,
  );
  const hash = createHash('sha256').update(String(files.length));
  for (const file of files) hash.update(`#${file.relativePath}#${file.sizeBytes}`);
  for (const file of files) await addFile(hash, file.path);
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
}

/** A hash in the shape of a GUID, for names that must be the same each time. */
export function guidOf(hash: string): string {
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}
