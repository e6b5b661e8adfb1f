/** Writes a file completely or not at all. */
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, refusing, type ConfigFile } from './config-file.ts';
import { ConfigError } from './error.ts';

const temporaryEnd = '.understudy.tmp';

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Deletes what killed processes left next to a file: temporary files whose process is gone. */
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
    // In a container every process may have our pid: a file older than this process is not ours.
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

/**
 * Writes a file completely or not at all: to a temporary file next to it, flushed, then renamed, then the folder is
 * flushed.
 */
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
 * Replaces a file's content in one step, and keeps its mode and owner. Throws ConfigError, and leaves the file
 * unchanged, if its content is no longer what was read.
 */
export async function replaceFile(file: ConfigFile, bytes: Uint8Array): Promise<void> {
  await refusing(file.file, async () => {
    const info = await stat(file.realPath);
    await writeWhole(file.realPath, bytes, info, async () => {
      const current = await readFile(file.realPath);
      // A second attempt may run at the same time, and have written it already.
      if (current.equals(file.bytes) || current.equals(bytes)) return;
      throw new ConfigError(
        { file: file.file },
        {
          found: 'someone wrote the file while it was being rewritten: nothing changed in it',
          expected: 'the content that was read',
          next: 'Wait until nobody writes it.',
        },
      );
    });
  });
}
