/** A store over another: what is written to it is seen in it, and the one below never changes. */

import { containerKey } from '../resource/ids.ts';
import type { ResourceStore, Stored } from '../contract/index.ts';

export class DraftStore implements ResourceStore {
  private readonly base: ResourceStore;
  /** What was written, and as `undefined` what was removed, by lower-case id. */
  private readonly written = new Map<string, Stored | undefined>();

  /** What was removed at any time: written again it stands after all others, as what is new. */
  private readonly moved = new Set<string>();

  constructor(base: ResourceStore) {
    this.base = base;
  }

  /** A copy, so that a row that changes in place what it finds changes nothing outside. */
  get(id: string): Stored | undefined {
    const key = id.toLowerCase();
    return this.written.has(key) ? this.written.get(key) : structuredClone(this.base.get(id));
  }

  put(stored: Stored): void {
    const key = stored.resource.id.toLowerCase();
    if (this.written.has(key) && this.written.get(key) === undefined) this.written.delete(key);
    this.written.set(key, stored);
  }

  remove(id: string): Stored[] {
    const own = this.get(id);
    const removed = [...this.below(id), ...(own ? [own] : [])];
    for (const { resource } of removed) {
      this.written.set(resource.id.toLowerCase(), undefined);
      this.moved.add(resource.id.toLowerCase());
    }
    return removed;
  }

  children(parent: string, type: string): Stored[] {
    const container = parent.toLowerCase();
    return this.merged(
      this.base.children(parent, type),
      (key, { resource }) => containerKey(key) === container && isOf(resource.type, type),
    );
  }

  ofType(type: string): Stored[] {
    return this.merged(this.base.ofType(type), (_key, { resource }) => isOf(resource.type, type));
  }

  below(id: string): Stored[] {
    const top = id.toLowerCase();
    return this.merged(this.base.below(id), (key) => isBelow(key, top)).toSorted((a, b) => depthOf(b) - depthOf(a));
  }

  /** In order of creation: what was there keeps its place, with what was written over it. */
  private merged(there: Stored[], belongs: (key: string, stored: Stored) => boolean): Stored[] {
    const found = new Map(there.map((stored) => [stored.resource.id.toLowerCase(), stored]));
    for (const key of this.moved) found.delete(key);
    for (const [key, stored] of this.written) {
      if (stored !== undefined && belongs(key, stored)) found.set(key, stored);
    }
    return [...found.values()];
  }
}

function isOf(type: string, asked: string): boolean {
  return type.toLowerCase() === asked.toLowerCase();
}

function isBelow(key: string, top: string): boolean {
  for (let above = containerKey(key); above !== ''; above = containerKey(above)) if (above === top) return true;
  return false;
}

function depthOf({ resource }: Stored): number {
  return resource.id.split('/').length;
}
