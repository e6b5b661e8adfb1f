import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { ConfigError } from './error.ts';

/** More than this is no config file. */
const maxSizeBytes = 16 * 1024 * 1024;
const temporaryEnd = '.understudy.tmp';

export interface ConfigFile {
  /** As declared. */
  file: string;
  /** With symbolic links followed: the link stays, the file it points to is rewritten. */
  realPath: string;
  bytes: Buffer;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The operating system's word for what went wrong (`ENOENT`), when it was the one to say so. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What the operating system refuses because of how the file or its folder is: trying again does not help. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the operating system does not permit it',
  EROFS: 'the file system is read-only',
  EBUSY: 'the file is a mount point and cannot be replaced',
  ENOENT: 'the file does not exist',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'its symbolic links go round in a circle',
};

async function refusing<Result>(file: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    const reason = refusals[errorCode(cause) ?? ''];
    if (reason === undefined) throw cause;
    throw new ConfigError({ file }, reason, { cause });
  }
}

/** Reads a config file by an absolute path. Throws ConfigError when it is missing, no regular file, or too large. */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  if (!isAbsolute(file)) throw new ConfigError({ file }, 'expected an absolute path');
  return refusing(file, async () => {
    const link = await lstat(file);
    const realPath = await realpath(file).catch((cause: unknown) => {
      if (!link.isSymbolicLink() || errorCode(cause) !== 'ENOENT') throw cause;
      throw new ConfigError({ file }, 'the symbolic link points to a file that does not exist', { cause });
    });
    const info = await stat(realPath);
    if (!info.isFile()) throw new ConfigError({ file }, 'expected a regular file');
    if (info.size > maxSizeBytes) {
      throw new ConfigError({ file }, `the file has ${info.size} bytes; expected at most ${maxSizeBytes}`);
    }
    return { file, realPath, bytes: await readFile(realPath) };
  });
}

/**
 * Throws ConfigError when the file could not be replaced: no write bit in its mode (root is held to it too), its
 * folder closed to us, or other hard links, which a replacement would part from it.
 */
export async function assertWritable({ file, realPath }: ConfigFile): Promise<void> {
  await refusing(file, async () => {
    const info = await stat(realPath);
    if ((info.mode & 0o222) === 0) {
      const mode = (info.mode & 0o7777).toString(8).padStart(4, '0');
      throw new ConfigError({ file }, `the file is read-only (mode ${mode})`);
    }
    if (info.nlink > 1) {
      throw new ConfigError(
        { file },
        `the file has ${info.nlink} hard links; expected 1, since replacing parts them`,
      );
    }
    await access(realPath, constants.W_OK);
    await access(dirname(realPath), constants.W_OK);
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Takes away what killed processes left beside a file: temporary files whose process is gone. */
async function sweepTemporaries(path: string): Promise<void> {
  const start = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(start) || !name.endsWith(temporaryEnd)) continue;
    const temporary = join(dirname(path), name);
    const pid = Number(/^(\d+)-[0-9a-f]+$/.exec(name.slice(start.length, -temporaryEnd.length))?.[1]);
    const isStale = Number.isInteger(pid) && (await isLeftBehind(temporary, pid));
    if (isStale) await rm(temporary, { force: true });
  }
}

async function isLeftBehind(temporary: string, pid: number): Promise<boolean> {
  if (pid === process.pid) {
    // In a container every process may have our id: a file older than we are is not ours.
    const info = await stat(temporary).catch(() => undefined);
    return info !== undefined && info.mtimeMs < Date.now() - process.uptime() * 1000;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** Writes a whole file or nothing of it: a temporary file beside it, flushed, then renamed, then the folder flushed. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  like?: { mode: number; uid: number; gid: number },
  beforeRename: () => Promise<void> = async () => {},
): Promise<void> {
  await sweepTemporaries(path);
  const unique = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const temporary = join(dirname(path), `.${basename(path)}.${unique}${temporaryEnd}`);
  try {
    await writeFlushed(temporary, bytes, like);
    await beforeRename();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeFlushed(
  path: string,
  bytes: Uint8Array,
  like: { mode: number; uid: number; gid: number } | undefined,
): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    if (like) {
      const made = await handle.stat();
      if (made.uid !== like.uid || made.gid !== like.gid) await handle.chown(like.uid, like.gid);
      await handle.chmod(like.mode & 0o7777);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file's content in one step, with its mode and owner. Throws ConfigError, and leaves it as it is, when its
 * content is no longer what was read.
 */
export async function replaceFile(file: ConfigFile, bytes: Uint8Array): Promise<void> {
  await refusing(file.file, async () => {
    const info = await stat(file.realPath);
    await writeWhole(file.realPath, bytes, info, async () => {
      const current = await readFile(file.realPath);
      // A second try of the same work may run beside the first one, and have written it already.
      if (current.equals(file.bytes) || current.equals(bytes)) return;
      throw new ConfigError(
        { file: file.file },
        'someone wrote the file while it was being rewritten: nothing changed in it',
      );
    });
  });
}
