/**
 * Within the Azurite process: the copy of an account that its secondary region has. Azurite never changes written
 * bytes, so a copy of an account's *records* is a copy of its state. From the moment an account is tracked, each change
 * of a record is also kept as pending, with its time on the cloud's clock, and is applied to the replica when the
 * parent says how far the secondary has come.
 *
 * Replica, pending changes and the list of tracked accounts are in Azurite's own database: saved, and read again, with
 * it.
 */

/** As much of a LokiJS collection as is used here. */
interface Collection {
  find(query: object): Row[];
  insert(row: object): unknown;
  remove(row: object): unknown;
  findAndRemove(query: object): unknown;
  on(event: 'insert' | 'update' | 'delete', listener: (row: Row) => void): unknown;
  events: Record<string, unknown[]>;
}
interface Row {
  $loki?: number;
  meta?: unknown;
  accountName: string;
  containerName?: string;
  name: string;
  snapshot?: string;
  [field: string]: unknown;
}
interface Database {
  getCollection(name: string): Collection | null;
  addCollection(name: string, options: { indices: string[] }): Collection;
}
/** A change that the secondary has not had yet. */
interface Pending {
  $loki?: number;
  accountName: string;
  /** The collection that the row is of. */
  of: string;
  at: number;
  isGone: boolean;
  row: Row;
}

const CONTAINERS = '$CONTAINERS_COLLECTION$';
const BLOBS = '$BLOBS_COLLECTION$';
/** Blocks that are not committed yet: nobody reads them, so no replica has them. */
const BLOCKS = '$BLOCKS_COLLECTION$';
const REPLICATED = [CONTAINERS, BLOBS] as const;
const PENDING = '$LOCAL_AZURE_PENDING$';
const TRACKED = '$LOCAL_AZURE_TRACKED$';

/** The account name under which the replica's rows are kept: no account can be called so. */
export function replicaName(account: string): string {
  return `${account}-secondary`;
}

export class Replicas {
  private readonly database: Database;
  private readonly now: () => number;
  private readonly tracked: Set<string>;

  /** `database` is Azurite's, loaded; `now` is the cloud's clock. */
  constructor(database: Database, now: () => number) {
    this.database = database;
    this.now = now;
    for (const name of [PENDING, TRACKED])
      if (!database.getCollection(name)) database.addCollection(name, { indices: ['accountName'] });
    this.tracked = new Set(
      this.rows(TRACKED)
        .find({})
        .map(({ accountName }) => accountName),
    );
    for (const name of REPLICATED) this.listen(name);
  }

  isTracked(account: string): boolean {
    return this.tracked.has(account);
  }

  /** The replica begins as the account is now. Asked again, it changes nothing. */
  track(account: string): void {
    if (this.tracked.has(account)) return;
    for (const name of REPLICATED) {
      for (const row of this.rows(name).find({ accountName: account }))
        this.rows(name).insert(copyOf(row, replicaName(account)));
    }
    this.rows(TRACKED).insert({ accountName: account });
    this.tracked.add(account);
  }

  /** Applies what had changed up to `to`, in its order. */
  sync(account: string, to: number): void {
    const due = this.pending(account).filter(({ at }) => at <= to);
    for (const change of due) {
      this.apply(account, change);
      this.rows(PENDING).remove(change);
    }
  }

  /** The replica becomes the account. What was pending, and what was staged and not committed, is lost. */
  failOver(account: string): void {
    if (!this.tracked.delete(account)) return;
    for (const name of [...REPLICATED, BLOCKS]) this.rows(name).findAndRemove({ accountName: account });
    for (const name of REPLICATED) {
      for (const row of this.rows(name).find({ accountName: replicaName(account) }))
        this.rows(name).insert(copyOf(row, account));
    }
    this.drop(account);
  }

  /** No replica any more: the secondary is the account itself. */
  forget(account: string): void {
    this.tracked.delete(account);
    this.drop(account);
  }

  /** Rows whose bytes must be kept though Azurite does not know them. */
  pendingBlobs(): Row[] {
    return this.rows(PENDING)
      .find({ of: BLOBS, isGone: false })
      .map((change) => (change as unknown as Pending).row);
  }

  private drop(account: string): void {
    for (const name of REPLICATED) this.rows(name).findAndRemove({ accountName: replicaName(account) });
    for (const name of [PENDING, TRACKED]) this.rows(name).findAndRemove({ accountName: account });
  }

  private pending(account: string): Pending[] {
    const found = this.rows(PENDING).find({ accountName: account }) as unknown as Pending[];
    return found.sort((a, b) => (a.$loki ?? 0) - (b.$loki ?? 0));
  }

  private apply(account: string, { of, isGone, row }: Pending): void {
    const accountName = replicaName(account);
    const { containerName, name, snapshot } = row;
    const place = of === BLOBS ? { accountName, containerName, name, snapshot } : { accountName, name };
    this.rows(of).findAndRemove(place);
    if (!isGone) this.rows(of).insert(copyOf(row, accountName));
  }

  private listen(name: string): void {
    const collection = this.rows(name);
    const keep = (row: Row, isGone: boolean): void => {
      if (!this.tracked.has(row.accountName)) return;
      const change: Pending = {
        accountName: row.accountName,
        of: name,
        at: this.now(),
        isGone,
        row: copyOf(row, row.accountName),
      };
      this.rows(PENDING).insert(change);
    };
    collection.on('insert', (row) => keep(row, false));
    collection.on('update', (row) => keep(row, false));
    collection.on('delete', (row) => keep(row, true));
    // LokiJS tells of rows that are removed in one go only if it has more than one listener.
    while ((collection.events.delete?.length ?? 0) < 2) collection.on('delete', () => undefined);
  }

  private rows(name: string): Collection {
    const collection = this.database.getCollection(name);
    if (!collection) throw new Error(`this version of Azurite has no collection '${name}' to build on`);
    return collection;
  }
}

function copyOf(row: Row, accountName: string): Row {
  const { $loki: _, meta: __, ...fields } = row;
  return { ...structuredClone(fields), accountName };
}
