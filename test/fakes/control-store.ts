/** A control store in memory, as strict as the real one about etags and digests; tests reach into `documents`. */
import { createHash } from 'node:crypto';
import { canonical, type ControlStore } from '../../src/control-store/store.ts';
import { UnderstudyError } from '../../src/errors/error.ts';

export interface FakeControlStore extends ControlStore {
  /** Name → text and etag, as they now are. */
  documents: Map<string, { text: string; etag: string }>;
}

export function fakeControlStore(): FakeControlStore {
  const documents = new Map<string, { text: string; etag: string }>();
  let writes = 0;
  const put = (name: string, text: string) => documents.set(name, { text, etag: `"${++writes}"` });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  return {
    documents,
    async read(name) {
      const found = documents.get(name);
      return found && { value: parse(name, found.text) as never, etag: found.etag };
    },
    swap(name, value, etag) {
      const text = canonical(value);
      const there = documents.get(name);
      if (there?.etag !== etag) return Promise.resolve(there?.text === text);
      put(name, text);
      return Promise.resolve(true);
    },
    write(name, content) {
      put(name, content.toString());
      return Promise.resolve();
    },
    seal(folder, value) {
      const text = canonical(value);
      const digest = sha256(text);
      if (!documents.has(`${folder}/${digest}.json`)) put(`${folder}/${digest}.json`, text);
      return Promise.resolve(digest);
    },
    open<T>(folder: string, digest: string) {
      const name = `${folder}/${digest}.json`;
      const text = documents.get(name)?.text;
      if (text === undefined || sha256(text) !== digest) {
        return Promise.reject(
          new UnderstudyError('ControlStoreError', `${name} is ${text === undefined ? 'missing' : 'altered'}`),
        );
      }
      return Promise.resolve(JSON.parse(text) as T);
    },
    readText: (name) => Promise.resolve(documents.get(name)?.text),
    async *list(prefix) {
      for (const name of [...documents.keys()].toSorted()) if (name.startsWith(prefix)) yield name;
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

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnderstudyError('ControlStoreError', `${name} is not JSON`, { cause });
  }
}
