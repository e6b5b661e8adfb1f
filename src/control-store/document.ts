/**
 * Understudy's own documents. Each is parsed where it is read, and has the version of its schema and the release that
 * wrote it. If it cannot be read, the error names the document, the field, its value, who wrote it, and what to do.
 *
 *     const pointers = documentKind('region pointer', 2, RegionPointer);
 *     const found = await pointers.read(store, 'pointer.json');
 */
import type { z } from 'zod';
import { UnderstudyError } from '../errors/error.ts';
import { release } from '../release.ts';
import { digestOf } from './digest.ts';
import { canonical, type ControlStore, type Versioned } from './store.ts';

/** Reads and writes documents of one kind. */
export interface DocumentKind<T> {
  /**
   * Reads a document. Undefined if it does not exist.
   * Errors: ControlStoreError if it is not of this kind.
   */
  read(store: ControlStore, name: string): Promise<Versioned<T> | undefined>;
  /** See `ControlStore.swap`. */
  swap(store: ControlStore, name: string, value: T, etag: string | undefined): Promise<boolean>;
  /** Replaces whatever is there. For documents that are worthless once they cannot be read. */
  begin(store: ControlStore, name: string, value: T): Promise<void>;
  /** See `ControlStore.seal`. */
  seal(store: ControlStore, folder: string, value: T): Promise<string>;
  open(store: ControlStore, folder: string, digest: string): Promise<T>;
  /** Returns the digest that sealing would give. */
  digest(value: T): string;
  /**
   * Parses a document. `place`: its name in the control store, for messages.
   * Errors: ControlStoreError.
   */
  parse(value: unknown, place: string): T;
}

/** Defines a kind of document. `what` names it in messages. */
export function documentKind<T extends object>(what: string, version: number, schema: z.ZodType<T>): DocumentKind<T> {
  /** Never write what could not be read again: types permit values that the schema does not. */
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
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  throw new UnderstudyError('ControlStoreError', `${what} "${place}": expected an object, got ${got}`, {
    place,
    next: 'Something other than Understudy has written there: put it back from a backup of the control store.',
  });
}

interface Unreadable {
  what: string;
  place: string;
  by: unknown;
}

/** A document's schema may change during development of a release, so two builds of it may differ. */
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

function malformed({ what, place, by, issue }: Unreadable & { issue: z.core.$ZodIssue | undefined }): UnderstudyError {
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
