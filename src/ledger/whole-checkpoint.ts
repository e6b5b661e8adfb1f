/**
 * Finds the last complete checkpoint of a folder. A job may write while its folder is copied, so the newest may be
 * incomplete. A successor that got it would fail, or resume from garbage. Only names, times and changes seen while
 * copying are used. Pure.
 *
 * A checkpoint is an entry of the folder whose name has a number: a folder (`checkpoint-500/…`), or the files of one
 * name (`ckpt-7.index`, `ckpt-7.data-00000-of-00001`). If there are several families of such names, the one with the
 * most bytes counts. Other entries are copied with whichever checkpoint is chosen. If no entry has a number, the whole
 * folder is one checkpoint that is overwritten each time.
 */
import { posix } from 'node:path';
import { z } from 'zod';

/** How to tell that a checkpoint is complete. */
export interface CheckpointRules {
  /** Glob over paths below the folder, for the file that is written last. */
  complete?: string | undefined;
  /**
   * Used without `complete`: a checkpoint of several files is complete if it was last written before this time (ISO
   * 8601).
   */
  quietSince: string;
}

/** A file of a checkpoint folder. */
export interface ScannedFile {
  /** Path below the folder. */
  path: string;
  sizeBytes: number;
  /** ISO 8601. */
  writtenAt?: string | undefined;
}

/** A complete checkpoint. */
export interface WholeCheckpoint {
  /** Name of its entry. '' if the whole folder is the checkpoint. */
  name: string;
  /** When its last file was written (ISO 8601). */
  writtenAt: string;
  /** Path of that file below the folder. */
  lastFile: string;
  /** How many files of the folder are copied with it: all except those of the entries in `leave`. */
  files: number;
  /** Entries of the folder that are incomplete and not copied. */
  leave: string[];
}

/** A newer checkpoint that was not chosen. */
export const PassedOver = z.strictObject({
  /** Name of the newest incomplete one. */
  name: z.string(),
  why: z.string(),
});
export type PassedOver = z.infer<typeof PassedOver>;

/** The chosen checkpoint, if there is a complete one. */
export interface Chosen {
  whole?: WholeCheckpoint;
  /** Present if there is a newer, incomplete one. */
  passedOver?: PassedOver;
}

interface Entry {
  name: string;
  files: number;
  bytes: number;
  first: string;
  last: string;
  lastFile: string;
  /** How many files it has of each name, without numbers: `#/model-0-of-0.bin`. */
  shape: Map<string, number>;
  /** When a file that matches `complete` was written. */
  marked: string | undefined;
  /**
   * What was seen while the folder was copied. `changed`: files changed, but one version of each is copied completely.
   * `more`: there are more files than were copied.
   */
  unsteady: 'changed' | 'more' | undefined;
}

/** Collects the files of one folder, in any order. Memory depends on the number of entries, not of files. */
export class CheckpointScan {
  readonly #rules: CheckpointRules;
  readonly #entries = new Map<string, Entry>();
  /**
   * When a file next to the checkpoints that matches `complete` was written: everything written before it is complete.
   */
  #markedAll: string | undefined;

  constructor(rules: CheckpointRules) {
    this.#rules = rules;
  }

  add(file: ScannedFile): void {
    const name = entryOf(file.path);
    const writtenAt = file.writtenAt ?? '';
    const entry = this.#entry(name);
    if (entry.files === 0 || writtenAt < entry.first) entry.first = writtenAt;
    if (entry.files === 0 || isLater([writtenAt, file.path], [entry.last, entry.lastFile])) {
      entry.last = writtenAt;
      entry.lastFile = file.path;
    }
    entry.files += 1;
    entry.bytes += file.sizeBytes;
    const shape = plain(file.path.replace(name, '#'));
    entry.shape.set(shape, (entry.shape.get(shape) ?? 0) + 1);
    const { complete } = this.#rules;
    if (complete === undefined || !posix.matchesGlob(file.path, complete)) return;
    if (!file.path.includes('/') && !hasNumber(name)) this.#markedAll = later(this.#markedAll, writtenAt);
    else entry.marked = later(entry.marked, writtenAt);
  }

  /**
   * Records that this file changed, appeared or disappeared during the copying. `copied`: some version of it is copied.
   */
  unsteady(path: string, copied: boolean): void {
    const entry = this.#entry(entryOf(path));
    entry.unsteady = copied ? (entry.unsteady ?? 'changed') : 'more';
  }

  choose(): Chosen {
    const entries = [...this.#entries.values()].filter(({ files }) => files > 0);
    const checkpoints = this.#checkpointsOf(entries);
    if (checkpoints.length === 0) return this.#asOne(entries);
    const order = checkpoints.toSorted((a, b) => (isLater([a.last, a.name], [b.last, b.name]) ? 1 : -1));
    const wrong = new Map(order.map((entry, at) => [entry.name, this.#wrongWith(entry, order, at)]));
    for (const { name } of entries) if (isTemporary(name)) wrong.set(name, 'by its name it is being written');
    const chosen = order.findLast(({ name }) => wrong.get(name) === undefined);
    const newest = order.at(-1);
    const why = newest && wrong.get(newest.name);
    const passedOver = newest && why !== undefined ? { passedOver: { name: newest.name, why } } : {};
    if (!chosen) return passedOver;
    const leave = [...wrong].flatMap(([name, what]) => (what === undefined ? [] : [name]));
    return { whole: wholeOf(chosen, chosen.name, entries, leave), ...passedOver };
  }

  /** Chooses everything. For a folder that is known to be complete. */
  all(): Chosen {
    const entries = [...this.#entries.values()].filter(({ files }) => files > 0);
    const newest = newestOf(entries);
    return newest ? { whole: wholeOf(newest, '', entries, []) } : {};
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const none = { files: 0, bytes: 0, first: '', last: '', lastFile: '', marked: undefined };
    const made: Entry = { ...none, name, shape: new Map(), unsteady: undefined };
    this.#entries.set(name, made);
    return made;
  }

  #checkpointsOf(entries: readonly Entry[]): Entry[] {
    const numbered = entries.filter(({ name }) => hasNumber(name) && !isTemporary(name));
    const families = Map.groupBy(numbered, ({ name }) => plain(name));
    const marked = entries.filter(({ marked: at, name }) => at !== undefined && !isTemporary(name));
    if (marked.length > 0) {
      const found = new Set([...marked, ...marked.flatMap(({ name }) => families.get(plain(name)) ?? [])]);
      return [...found];
    }
    const bytesOf = (family: readonly Entry[]) => family.reduce((sum, { bytes }) => sum + bytes, 0);
    return [...families.values()].toSorted((a, b) => bytesOf(b) - bytesOf(a))[0] ?? [];
  }

  /** Returns why an entry is incomplete. Undefined if it is complete. `order`: all entries by age. */
  #wrongWith(entry: Entry, order: readonly Entry[], at: number): string | undefined {
    const { complete, quietSince } = this.#rules;
    if (isUnsteady(entry)) return beingWritten;
    if (complete !== undefined) {
      const mark = entry.marked ?? this.#markedAll;
      if (mark !== undefined && entry.last <= mark) return undefined;
      return mark === undefined || entry.marked === undefined
        ? `no file "${complete}" says that it is complete`
        : `files of it were written after "${complete}"`;
    }
    const family = (each: Entry) => plain(each.name) === plain(entry.name);
    const before = order.slice(0, at).findLast(family);
    const less = before && lacking(entry, before);
    if (less !== undefined) return `it lacks files that "${before?.name}" has (${less})`;
    // Azure shows a blob only once all of it is committed.
    if (entry.files === 1 || entry.last <= quietSince) return undefined;
    const next = order.slice(at + 1).find(family);
    if (next && entry.last <= next.first) return undefined;
    return 'it had just been written, and nothing says that it is complete';
  }

  #asOne(entries: readonly Entry[]): Chosen {
    const newest = newestOf(entries);
    if (!newest) return {};
    const { complete, quietSince } = this.#rules;
    const files = entries.reduce((sum, each) => sum + each.files, 0);
    const calm = files === 1 || newest.last <= quietSince;
    const steady = ![...this.#entries.values()].some((each) => each.unsteady && (files > 1 || isUnsteady(each)));
    const isWhole = complete === undefined ? calm : this.#markedAll !== undefined && newest.last <= this.#markedAll;
    if (steady && isWhole) return { whole: wholeOf(newest, '', entries, []) };
    const why =
      complete === undefined
        ? 'it had just been written, and nothing says that it is complete'
        : `no file "${complete}" says that it is complete`;
    return {
      passedOver: { name: newest.lastFile, why: steady ? why : beingWritten },
    };
  }
}

const beingWritten = 'it was being written while it was copied';

/** A single file that changed is still copied completely, as it was at one moment. */
function isUnsteady({ unsteady, files }: Entry): boolean {
  return unsteady === 'more' || (unsteady === 'changed' && files > 1);
}

function newestOf(entries: readonly Entry[]): Entry | undefined {
  const later = (a: Entry, b: Entry) => isLater([a.last, a.lastFile], [b.last, b.lastFile]);
  return entries.reduce<Entry | undefined>(
    (newest, each) => (newest && !later(each, newest) ? newest : each),
    undefined,
  );
}

function wholeOf(chosen: Entry, name: string, entries: readonly Entry[], leave: readonly string[]): WholeCheckpoint {
  const files = entries.filter((each) => !leave.includes(each.name)).reduce((sum, each) => sum + each.files, 0);
  return { name, writtenAt: chosen.last, lastFile: chosen.lastFile, files, leave: leave.toSorted() };
}

/**
 * Returns the entry of a folder that a path below it belongs to: its folder, or its name without the last extension.
 */
export function entryOf(path: string): string {
  const [head = '', ...rest] = path.split('/');
  return rest.length > 0 || isTemporary(head) ? head : head.replace(/(?<=.)\.[^.]*$/, '');
}

function lacking(entry: Entry, before: Entry): string | undefined {
  for (const [shape, count] of before.shape) {
    const has = entry.shape.get(shape) ?? 0;
    if (has < count) return `${count - has} like ${shape.replace('#', before.name)}`;
  }
  return undefined;
}

/** Within one second, `step-10` is later than `step-9`. */
function isLater([at, name]: [string, string], [than, other]: [string, string]): boolean {
  return at > than || (at === than && name.localeCompare(other, 'en', { numeric: true }) > 0);
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && a > b ? a : b;
}

function hasNumber(name: string): boolean {
  return /\d/.test(name);
}

function plain(name: string): string {
  return name.replaceAll(/\d+/g, '0');
}

/** Files and folders have such names while they are written, and are renamed afterwards. */
function isTemporary(name: string): boolean {
  return /(^|[._-])(tmp|temp|partial|incomplete)([._-]|$)/i.test(name);
}
