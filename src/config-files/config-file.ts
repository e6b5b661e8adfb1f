/** A config file as it is on disk, and everything that must be true before it is replaced. */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { ConfigError, type Diagnosis } from './error.ts';

/** A larger file is not a config file. */
const maxSizeBytes = 16 * 1024 * 1024;

/** A config file that was read. */
export interface ConfigFile {
  /** Path as declared. */
  file: string;
  /** With symbolic links followed: the link stays, and the file it points to is rewritten. */
  realPath: string;
  bytes: Buffer;
}

/** The digest of some bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Returns the operating system's code of an error (`ENOENT`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const ordinary = 'a file that the worker can read, in a folder where it can replace it';
const giveRights = 'Give the user that runs the worker the right to read and write the file and to write its folder.';

/** Errors of the operating system that a retry does not resolve, because of how the file or its folder is. */
const refusals: Readonly<Record<string, Diagnosis>> = {
  EACCES: { found: 'permission denied', expected: ordinary, next: giveRights },
  EPERM: { found: 'the operating system does not permit it', expected: ordinary, next: giveRights },
  EROFS: {
    found: 'the file system is read-only',
    expected: 'a file system that can be written',
    next: 'Mount it with write access, or declare the file that this one is made from.',
  },
  EBUSY: {
    found: 'the file is a mount point and cannot be replaced',
    expected: 'a file that can be replaced by a rename',
    next: 'Mount its folder rather than the file, or declare the file on the machine that mounts it.',
  },
  ENOENT: {
    found: 'the file does not exist',
    expected: 'a config file',
    next: 'Put it there, or correct the path in the topology.',
  },
  ENOTDIR: {
    found: 'a part of the path is not a folder',
    expected: 'a path of folders that ends in a config file',
    next: 'Correct the path in the topology.',
  },
  ELOOP: {
    found: 'its symbolic links lead round in a circle',
    expected: 'a link that ends at a file',
    next: 'Correct the link, or declare the file itself in the topology.',
  },
};

/** Runs `work` on a file. A permanent error of the operating system becomes a ConfigError. */
export async function refusing<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const diagnosis = refusals[errorCode(cause) ?? ''];
    if (diagnosis === undefined) throw cause;
    throw new ConfigError({ file }, diagnosis, { cause });
  }
}

/**
 * Reads a config file by an absolute path. Throws ConfigError if it is missing, not a regular file, too large, or a
 * symbolic link out of the folder `root`.
 */
export async function readConfigFile(file: string, root: string): Promise<ConfigFile> {
  if (!isAbsolute(file)) {
    throw new ConfigError(
      { file },
      {
        found: 'the path is relative',
        expected: 'an absolute path',
        next: 'Write the whole path in the topology.',
      },
    );
  }
  return refusing(file, async () => {
    const realPath = await followLinks(file);
    const realRoot = await realpath(root);
    if (!isWithin(realRoot, realPath)) throw new ConfigError({ file }, leadsOut(realPath, realRoot));
    const info = await stat(realPath);
    if (!info.isFile()) throw new ConfigError({ file }, notAFile(info));
    if (info.size > maxSizeBytes) throw new ConfigError({ file }, tooLarge(info));
    return { file, realPath, bytes: await readFile(realPath) };
  });
}

async function followLinks(file: string): Promise<string> {
  const link = await lstat(file);
  try {
    return await realpath(file);
  } catch (cause) {
    if (!link.isSymbolicLink() || errorCode(cause) !== 'ENOENT') throw cause;
    throw new ConfigError(
      { file },
      {
        found: 'the symbolic link points to a file that does not exist',
        expected: 'a link that ends at a file',
        next: 'Put the file there, or correct the link.',
      },
      { cause },
    );
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function leadsOut(realPath: string, root: string): Diagnosis {
  return {
    found: `a symbolic link leads out of the target, to "${realPath}"`,
    expected: `a file in "${root}"`,
    next: 'Declare the file that the link leads to, or put a file in the place of the link.',
  };
}

function notAFile(info: Stats): Diagnosis {
  return {
    found: info.isDirectory() ? 'it is a folder' : 'it is a device, a pipe or a socket',
    expected: 'a regular file',
    next: 'Name the config file itself in the topology.',
  };
}

function tooLarge({ size }: Stats): Diagnosis {
  return {
    found: `the file has ${size} bytes`,
    expected: `at most ${maxSizeBytes}`,
    next: 'Name the config file itself in the topology: this is something else.',
  };
}

/**
 * Throws ConfigError if the file could not be replaced: no write bit in its mode or its folder's (checked for root
 * too), no access to either, an owner that a replacement could not keep, or other hard links, which a replacement would
 * separate from it.
 */
export async function assertReplaceable({ file, realPath }: ConfigFile): Promise<void> {
  await refusing(file, async () => {
    const info = await stat(realPath);
    const folder = dirname(realPath);
    const folderInfo = await stat(folder);
    const wrong =
      closed('the file', info) ?? manyNames(info) ?? closed(`its folder "${folder}"`, folderInfo) ?? foreign(info);
    if (wrong) throw new ConfigError({ file }, wrong);
    await access(realPath, constants.W_OK);
    await access(folder, constants.W_OK | constants.X_OK);
  });
}

function closed(what: string, { mode }: Stats): Diagnosis | undefined {
  if ((mode & 0o222) !== 0) return undefined;
  const shown = (mode & 0o7777).toString(8).padStart(4, '0');
  if ((mode & 0o444) === 0)
    return {
      found: `${what} is unreadable (mode ${shown})`,
      expected: 'one that may be read and written',
      next: 'Let its owner read and write it ("chmod u+rw").',
    };
  return {
    found: `${what} is read-only (mode ${shown})`,
    expected: 'one that may be written, since the file is replaced by a rename',
    next: 'Let its owner write it ("chmod u+w").',
  };
}

function manyNames({ nlink }: Stats): Diagnosis | undefined {
  if (nlink <= 1) return undefined;
  return {
    found: `the file has ${nlink} hard links`,
    expected: '1, since a replacement parts them',
    next: 'Make a copy of it, or use a symbolic link within its folder.',
  };
}

/** Only root can give a file to another user, or to a group that the process is not in. */
function foreign({ uid, gid }: Stats): Diagnosis | undefined {
  const own = process.geteuid?.();
  if (own === undefined || own === 0) return undefined;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (uid === own && groups.includes(gid)) return undefined;
  return {
    found: `the file belongs to user ${uid}, group ${gid}`,
    expected: `one of the worker's own user ${own} and its groups, since a replacement keeps its owner`,
    next: `Give it to user ${own} ("chown"), or run the worker as user ${uid}.`,
  };
}
