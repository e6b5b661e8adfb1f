/** Lets one rewriting at a time work in a Git repository, in whichever process it runs. */
import { constants } from 'node:fs';
import { access, chmod, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { showDuration } from '../../topology/duration.ts';
import { refusing } from '../config-file.ts';
import { ConfigError } from '../error.ts';
import type { GitWorkingCopy } from './git.ts';

/** How long to wait for another rewriting, whose hooks may take their time. */
const longestWaitMs = 5 * 60_000;
const pollMs = 50;
const tellMs = 1000;

/** Called about once a second while another rewriting is at work. If it throws, the wait ends. */
export type Waiting = () => void | Promise<void>;

/**
 * Runs `work` while no other rewriting works in the same repository, however its path is written. Throws ConfigError if
 * the repository cannot be written, or if another one is at work in it for too long.
 */
export async function holdRepository<Result>(
  copy: GitWorkingCopy,
  work: () => Promise<Result>,
  waiting: Waiting = () => {},
): Promise<Result> {
  const held = await takeLock(await lockPath(copy), waiting);
  try {
    return await work();
  } finally {
    held.close();
  }
}

/** Throws ConfigError if the worker cannot write in the repository. */
export async function requireWritableRepository(copy: GitWorkingCopy): Promise<void> {
  const folder = await commonFolder(copy);
  await refusing(folder, () => access(folder, constants.W_OK | constants.X_OK));
}

/** The working copies of one repository share this folder. */
async function commonFolder(copy: GitWorkingCopy): Promise<string> {
  return realpath(resolve(copy.path, await copy.line(['rev-parse', '--git-common-dir'])));
}

async function lockPath(copy: GitWorkingCopy): Promise<string> {
  return join(await commonFolder(copy), 'understudy.lock');
}

/**
 * SQLite locks a file by the operating system, which ends the lock with its process: a killed worker leaves none. The
 * file stays, and is empty.
 */
async function takeLock(path: string, waiting: Waiting): Promise<DatabaseSync> {
  // Loaded only here: the first releases of Node 24 print a warning when it is.
  const { DatabaseSync: Database } = await import('node:sqlite');
  const began = performance.now();
  for (let told = began; ; await delay(pollMs)) {
    const database = await openLock(path, Database);
    if (isTaken(database, path)) return database;
    database.close();
    const now = performance.now();
    if (now - began > longestWaitMs) throw new ConfigError({ file: path }, otherAtWork());
    if (now - told < tellMs) continue;
    told = now;
    await waiting();
  }
}

async function openLock(path: string, Database: typeof DatabaseSync): Promise<DatabaseSync> {
  const isNew = await stat(path).then(
    () => false,
    () => true,
  );
  try {
    const database = new Database(path, { timeout: 0 });
    // Anyone who may commit here may lock here.
    if (isNew) await chmod(path, (await stat(join(path, '..'))).mode & 0o666).catch(() => {});
    return database;
  } catch (cause) {
    throw new ConfigError({ file: path }, noLock(cause), { cause });
  }
}

/** The lower byte of SQLite's code for "locked by another connection". */
const busy = 5;

function isTaken(database: DatabaseSync, path: string): boolean {
  try {
    // Nothing is written, so there is no need for a journal next to it.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return true;
  } catch (cause) {
    const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) : undefined;
    if (code !== undefined && (code & 0xff) === busy) return false;
    database.close();
    throw new ConfigError({ file: path }, noLock(cause), { cause });
  }
}

function noLock(cause: unknown) {
  return {
    found: `the file cannot be locked: ${cause instanceof Error ? cause.message : String(cause)}`,
    expected: 'a repository that the worker can write, on a file system that can lock files',
    next: 'Give the user that runs the worker the right to write this file and its folder.',
  };
}

function otherAtWork() {
  return {
    found: `another rewriting has been at work in the repository for ${showDuration(longestWaitMs)}`,
    expected: 'one that ends',
    next: 'See whether a hook of the repository hangs, and end it.',
  };
}
