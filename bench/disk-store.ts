/**
 * A control store on files: as strict as the real one, and none of its documents is held in memory. For one process.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonical, type ControlStore } from '../src/control-store/store.ts';
import { UnderstudyError } from '../src/errors/error.ts';

export function diskStore(folder: string): ControlStore {
  const made = new Set<string>();
  const readText = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const put = async (name: string, content: string | Buffer): Promise<void> => {
    const file = join(folder, name);
    if (!made.has(dirname(file))) made.add((await mkdir(dirname(file), { recursive: true }), dirname(file)));
    await writeFile(file, content);
  };
  const etagOf = (text: string) => createHash('sha256').update(text).digest('hex');
  return {
    async read(name) {
      const text = await readText(name);
      return text === undefined ? undefined : { value: JSON.parse(text) as never, etag: etagOf(text) };
    },
    async swap(name, value, etag) {
      const text = canonical(value);
      const there = await readText(name);
      const held = there === undefined ? undefined : etagOf(there);
      if (held !== etag) return there === text;
      await put(name, text);
      return true;
    },
    write: (name, content) => put(name, content),
    async seal(into, value) {
      const text = canonical(value);
      await put(`${into}/${etagOf(text)}.json`, text);
      return etagOf(text);
    },
    async open<T>(into: string, digest: string) {
      const text = await readText(`${into}/${digest}.json`);
      if (text !== undefined && etagOf(text) === digest) return JSON.parse(text) as T;
      throw new UnderstudyError('ControlStoreError', `${into}/${digest}.json is missing or altered`);
    },
    readText,
    async *list(prefix) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
      for (const name of names.toSorted()) if (name.startsWith(prefix)) yield name;
    },
    async *folders(prefix) {
      let last: string | undefined;
      for await (const name of this.list(prefix)) {
        const end = name.indexOf('/', prefix.length);
        const folder = end < 0 ? undefined : name.slice(0, end + 1);
        if (folder === undefined || folder === last) continue;
        last = folder;
        yield folder;
      }
    },
  };
}
