/** All resources of the cloud, found by id, by parent and by type; kept in the journal. */

import type { ResourceStore, Stored } from '../contract/index.ts';
import { containerKey } from '../resource/ids.ts';
import type { Journal, Table } from './journal.ts';

/**
 * An index entry whose array is made when asked for and kept until the next change, so that the pages of a list are
 * cheap.
 */
class Group {
  private readonly members = new Map<string, Stored>();
  private listed: Stored[] | undefined;

  set(key: string, stored: Stored): void {
    this.members.set(key, stored);
    this.listed = undefined;
  }

  delete(key: string): void {
    this.members.delete(key);
    this.listed = undefined;
  }

  list(): Stored[] {
    return this.held().slice(); // A copy: callers sort and filter in place.
  }

  held(): readonly Stored[] {
    return (this.listed ??= [...this.members.values()]);
  }
}

export class JournaledStore implements ResourceStore {
  private readonly table: Table<Stored>;
  private readonly byType = new Map<string, Group>();
  private readonly byContainer = new Map<string, Group>();
  private readonly byContainerAndType = new Map<string, Group>();

  constructor(journal: Journal) {
    this.table = journal.table<Stored>('resources');
    for (const stored of this.table.values()) this.index(stored);
  }

  get(id: string): Stored | undefined {
    return this.table.get(id.toLowerCase());
  }

  put(stored: Stored): void {
    this.table.set(stored.resource.id.toLowerCase(), stored);
    this.index(stored);
  }

  /** Told of everything that is removed. */
  onRemoved: (removed: readonly Stored[]) => void = () => undefined;

  remove(id: string): Stored[] {
    const own = this.get(id);
    const removed = [...this.below(id), ...(own ? [own] : [])];
    for (const stored of removed) {
      const key = stored.resource.id.toLowerCase();
      this.table.delete(key);
      for (const [index, name] of this.groupsOf(key, stored.resource.type)) index.get(name)?.delete(key);
    }
    this.onRemoved(removed);
    return removed;
  }

  children(parent: string, type: string): Stored[] {
    return this.byContainerAndType.get(`${parent.toLowerCase()}|${type.toLowerCase()}`)?.list() ?? [];
  }

  /** As `children`, and the same array until one of them changes. */
  heldChildren(parent: string, type: string): readonly Stored[] {
    return this.byContainerAndType.get(`${parent.toLowerCase()}|${type.toLowerCase()}`)?.held() ?? [];
  }

  ofType(type: string): Stored[] {
    return this.byType.get(type.toLowerCase())?.list() ?? [];
  }

  /** Everything below, the deepest first within each branch, so that what is removed never outlives its parent. */
  below(id: string): Stored[] {
    const direct = this.byContainer.get(id.toLowerCase())?.list() ?? [];
    return direct.flatMap((stored) => [...this.below(stored.resource.id), stored]);
  }

  get size(): number {
    return this.table.size;
  }

  private index(stored: Stored): void {
    const key = stored.resource.id.toLowerCase();
    for (const [index, name] of this.groupsOf(key, stored.resource.type)) {
      let group = index.get(name);
      if (!group) index.set(name, (group = new Group()));
      group.set(key, stored);
    }
  }

  private groupsOf(key: string, type: string): [Map<string, Group>, string][] {
    const container = containerKey(key);
    return [
      [this.byType, type.toLowerCase()],
      [this.byContainer, container],
      [this.byContainerAndType, `${container}|${type.toLowerCase()}`],
    ];
  }
}
