/**
 * The product's own documents: each is parsed where it is read, and says which version of its form it has and which release
 * wrote it. What cannot be read is named: the document, the place in it, what is there, who wrote it, and what to do.
 *
 *     const pointers = documentKind('region pointer', 2, RegionPointer);
 *     const found = await pointers.read(store, 'pointer.json');
 */
import type { z } from 'zod';
import { UnderstudyError } from '../errors/error.ts';
import { release } from '../release.ts';
import { digestOf } from './digest.ts';
import { canonical, type ControlStore, type Versioned } from './store.ts';

export interface DocumentKind<T> {
  /** Undefined where there is none. ControlStoreError where it is not such a document. */
  read(store: ControlStore, name: string): Promise<Versioned<T> | undefined>;
  /** See `ControlStore.swap`. */
  swap(store: ControlStore, name: string, value: T, etag: string | undefined): Promise<boolean>;
  /** In place of whatever is there: for what is worth nothing once it cannot be read. */
  begin(store: ControlStore, name: string, value: T): Promise<void>;
  /** See `ControlStore.seal`. */
  seal(store: ControlStore, folder: string, value: T): Promise<string>;
  open(store: ControlStore, folder: string, digest: string): Promise<T>;
  /** The digest that sealing would give. */
  digest(value: T): string;
  /** `place`: its name in the control store, for messages. ControlStoreError. */
  parse(value: unknown, place: string): T;
}

export function documentKind<T extends object>(
  what: string,
  version: number,
  schema: z.ZodType<T>,
): DocumentKind<T> {
  /** What could not be read again is not written: types let through what the form does not have. */
  const stamped = (value: T, place: string) => {
    const issue = schema.safeParse(value).error?.issues[0];
    if (issue) throw unwritable(what, place, issue);
    return { ...value, version, release };
  };
  const parse = (value: unknown, place: string): T => {
    const { version: found, release: by, ...rest } = asObject(value, what, place);
    if (found !== version) throw otherVersion({ what, place, version, found, by });
    const parsed = schema.safeParse(rest);
    if (parsed.success) return parsed.data;
    throw malformed({ what, place, by, issue: parsed.error.issues[0] });
  };
  return {
    async read(store, name) {
      const found = await store.read<unknown>(name);
      return found && { value: parse(found.value, name), etag: found.etag };
    },
    swap: async (store, name, value, etag) => store.swap(name, stamped(value, name), etag),
    async begin(store, name, value) {
      await store.write(name, JSON.stringify(stamped(value, name)), 'application/json');
    },
    seal: async (store, folder, value) => store.seal(folder, stamped(value, folder)),
    async open(store, folder, digest) {
      return parse(await store.open<unknown>(folder, digest), `${folder}/${digest}.json`);
    },
    digest: (value) => digestOf(canonical(stamped(value, what))),
    parse,
  };
}

function asObject(value: unknown, what: string, place: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    return value as Record<string, unknown>;
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  throw new UnderstudyError('ControlStoreError', `${what} "${place}": expected an object, got ${got}`, {
    place,
    next: 'Somebody else than Understudy has written there: put it back from a backup of the control store.',
  });
}

interface Unreadable {
  what: string;
  place: string;
  by: unknown;
}

/** The form of a document may change while a release is made: its builds are not alike. */
function writerOf(by: unknown): { says: string; use: 'build' | 'release' } {
  if (typeof by !== 'string') return { says: 'names no release', use: 'release' };
  if (by === release) return { says: `was written by another build of release ${by}`, use: 'build' };
  return { says: `was written by release ${by}`, use: 'release' };
}

function otherVersion({
  what,
  place,
  by,
  version,
  found,
}: Unreadable & { version: number; found: unknown }): UnderstudyError {
  const is = typeof found === 'number' ? `version ${found}` : 'no version';
  const { says, use } = writerOf(by);
  return new UnderstudyError(
    'ControlStoreError',
    `${what} "${place}": expected version ${version}, which release ${release} reads; it has ${is} and ${says}`,
    {
      place,
      next: `Use the ${use} that wrote it, or a new container: controlStore.container in the topology.`,
    },
  );
}

function unwritable(what: string, place: string, issue: z.core.$ZodIssue): UnderstudyError {
  const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  return new UnderstudyError(
    'ControlStoreError',
    `${what} "${place}" was not written, since it could not be read again: ${where}${issue.message}`,
    { place, next: 'This is a defect of Understudy: please report it with this line.' },
  );
}

function malformed({
  what,
  place,
  by,
  issue,
}: Unreadable & { issue: z.core.$ZodIssue | undefined }): UnderstudyError {
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  const who = typeof by === 'string' ? `written by release ${by}` : 'which names no release';
  return new UnderstudyError(
    'ControlStoreError',
    `${what} "${place}", ${who}: ${where}${issue?.message ?? 'not as expected'}`,
    {
      place,
      next: 'It was altered since: put it back from a backup of the control store, or see "Damaged documents" in docs/operations.md.',
    },
  );
}
