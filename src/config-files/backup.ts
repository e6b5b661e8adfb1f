import { constants } from 'node:fs';
import { access, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './error.ts';
import type { FileBackup } from './outcome.ts';
import { errorCode, refusing, sha256, type ConfigFile } from './config-file.ts';
import { writeWhole } from './write.ts';

const BackupRecord = z.strictObject({
  file: z.string(),
  realPath: z.string(),
  before: z.string(),
  after: z.string(),
});

/** A backup and its content. */
export interface Backup extends FileBackup {
  /** The file's content before the run. */
  bytes: Buffer;
}

function backupFolder(file: ConfigFile, backupDirectory: string | undefined): string {
  return backupDirectory ?? join(dirname(file.realPath), '.understudy-backup');
}

/** Returns the path of the backups of one file in one run. The run's name cannot lead elsewhere. */
function backupPath(file: ConfigFile, runId: string, backupDirectory: string | undefined): string {
  const folder = backupFolder(file, backupDirectory);
  const run = sha256(Buffer.from(runId)).slice(0, 16);
  const id = sha256(Buffer.from(file.realPath)).slice(0, 16);
  return join(folder, run, `${id}-${basename(file.realPath)}`);
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Throws ConfigError if the backup folder is not a folder, or is not writable. */
export async function assertBackupFolder(file: ConfigFile, backupDirectory: string | undefined): Promise<void> {
  const folder = backupFolder(file, backupDirectory);
  await refusing(folder, async () => {
    const info = await stat(folder).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (!info) return;
    if (info.isDirectory()) return access(folder, constants.W_OK | constants.X_OK);
    throw new ConfigError(
      { file: file.file },
      {
        found: `"${folder}", where its backup would go, is no folder`,
        expected: 'a folder, or nothing of that name',
        next: 'Move it to another place.',
      },
    );
  });
}

/** Finds the backup that this run already made of a file. Throws ConfigError if it is damaged. */
export async function findBackup(
  file: ConfigFile,
  runId: string,
  backupDirectory: string | undefined,
): Promise<Backup | undefined> {
  const backup = backupPath(file, runId, backupDirectory);
  const recorded = await refusing(backup, () => readIfThere(`${backup}.json`));
  if (!recorded) return undefined;
  const record = BackupRecord.parse(JSON.parse(recorded.toString('utf8')));
  const bytes = await readBackup({ ...record, backup });
  return { ...record, backup, bytes };
}

/** Returns a backup's content after checking its digest. Throws ConfigError if it is gone or damaged. */
export async function readBackup(backup: FileBackup): Promise<Buffer> {
  const bytes = await readIfThere(backup.backup);
  if (bytes && sha256(bytes) === backup.before) return bytes;
  const what = bytes ? 'is damaged (another digest)' : 'is gone';
  throw new ConfigError(
    { file: backup.file },
    {
      found: `its backup "${backup.backup}" ${what}`,
      expected: 'the file as it was before the run',
      next: 'Put the file back by hand, from where you keep it.',
    },
  );
}

/**
 * Backs a file up before it is rewritten to `after`. The record is written last: if it exists, the backup is complete
 * and was made before the file was changed.
 */
export async function makeBackup(
  file: ConfigFile,
  after: Uint8Array,
  run: { runId: string; backupDirectory: string | undefined },
): Promise<FileBackup> {
  const backup = backupPath(file, run.runId, run.backupDirectory);
  const record: z.infer<typeof BackupRecord> = {
    file: file.file,
    realPath: file.realPath,
    before: sha256(file.bytes),
    after: sha256(after),
  };
  await mkdir(dirname(backup), { recursive: true, mode: 0o700 });
  await writeWhole(backup, file.bytes);
  await writeWhole(`${backup}.json`, Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return { ...record, backup };
}
