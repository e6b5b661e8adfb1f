/** A control store that counts what is asked of it: what an operation costs, however fast the machine is. */
import type { ControlStore } from '../../src/control-store/store.ts';

export interface Asked {
  /** Documents read, whatever they hold. */
  reads: number;
  /** Names and folders that listings gave. */
  names: number;
}

export function counting(store: ControlStore): { store: ControlStore; asked: Asked } {
  const asked: Asked = { reads: 0, names: 0 };
  const read = <A extends unknown[], R>(method: (...args: A) => R) =>
    ((...args: A) => {
      asked.reads += 1;
      return method(...args);
    }) as (...args: A) => R;
  const counted = async function* (names: AsyncIterable<string>): AsyncIterable<string> {
    for await (const name of names) {
      asked.names += 1;
      yield name;
    }
  };
  return {
    asked,
    store: {
      ...store,
      read: read((name: string) => store.read(name)),
      readText: read((name: string) => store.readText(name)),
      open: read((folder: string, digest: string) => store.open(folder, digest)),
      list: (prefix: string) => counted(store.list(prefix)),
      folders: (prefix: string) => counted(store.folders(prefix)),
    },
  };
}
