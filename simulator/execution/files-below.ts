import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files below a folder, at any depth, as paths relative to it; none where there is no folder. Links are not followed. Folders may
 * be made and removed meanwhile.
 */
export async function filesBelow(folder: string, at = ''): Promise<string[]> {
  const entries = await readdir(join(folder, at), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const found: string[] = [];
  for (const entry of entries) {
    const name = at === '' ? entry.name : `${at}/${entry.name}`;
    if (entry.isFile()) found.push(name);
    else if (entry.isDirectory()) found.push(...(await filesBelow(folder, name)));
  }
  return found.sort();
}
