import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files below a folder, at any depth, as paths relative to it; none where there is no folder. A link to a file is
 * that file, a link to a folder is nothing. Folders may be made and removed meanwhile.
 */
export async function filesBelow(folder: string, at = ''): Promise<string[]> {
  const entries = await readdir(join(folder, at), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found: string[] = [];
  for (const entry of entries) {
    const name = at === '' ? entry.name : `${at}/${entry.name}`;
    const isLink = entry.isSymbolicLink();
    if (entry.isFile() || (isLink && (await isFile(join(folder, name))))) found.push(name);
    else if (entry.isDirectory()) found.push(...(await filesBelow(folder, name)));
  }
  return found.sort();
}

/** False also for a link to what is not there. */
async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true;
}
