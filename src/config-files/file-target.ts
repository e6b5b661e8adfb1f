/** Files on a host: all checked, all backed up, then each replaced in one step. */
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { assertBackupFolder, findBackup, makeBackup, readBackup, type Backup } from './backup.ts';
import { assertReplaceable, readConfigFile, refusing, sha256, type ConfigFile } from './config-file.ts';
import { collectRefusals, ConfigError, throwRefusals } from './error.ts';
import { failing, namesNothing, warningsOf } from './findings.ts';
import type {
  BegunRequest,
  ConfigLook,
  ConfigOutcome,
  ConfigRequest,
  ConfigUndo,
  ConfigUndoOutcome,
  FileBackup,
  FileTarget,
  LookRequest,
} from './outcome.ts';
import { isPartlyOurs, outcomeOf, rewriteFile, type RewrittenFile } from './rewrite-file.ts';
import { replaceFile } from './write.ts';

interface PlannedFile {
  current: ConfigFile;
  /** Its state: nothing to change, still to be written, or already written by this run. */
  state: 'unchanged' | 'to-write' | 'written';
  rewritten: RewrittenFile;
  backup?: FileBackup;
}

type FileRequest = ConfigRequest & { target: FileTarget };
type FileLookRequest = LookRequest & { target: FileTarget };

/** Rewrites the files of a target. All are checked, then all are backed up, then each is replaced in one step. */
export async function applyFiles(request: FileRequest): Promise<ConfigOutcome> {
  const { planned, refused } = await checkFiles(request);
  throwRefusals(refused);
  await request.observe?.({ kind: 'checked' });
  for (const plan of planned) {
    if (plan.state !== 'to-write') continue;
    const run = { runId: request.runId, backupDirectory: request.backupDirectory };
    plan.backup = await makeBackup(plan.current, Buffer.from(plan.rewritten.content), run);
    await request.observe?.({ kind: 'backed-up', file: plan.current.file });
  }
  for (const plan of planned) {
    if (plan.state !== 'to-write') continue;
    await replaceFile(plan.current, Buffer.from(plan.rewritten.content));
    await request.observe?.({ kind: 'written', file: plan.current.file });
  }
  const files = planned.flatMap(({ backup }) => (backup ? [backup] : []));
  const undo: ConfigUndo = files.length > 0 ? { kind: 'files', runId: request.runId, files } : { kind: 'none' };
  return { files: planned.map(({ current, rewritten }) => outcomeOf(current.file, rewritten, request)), undo };
}

/** Returns what `applyFiles` would do, and everything that would make it fail. Writes nothing. */
export async function lookAtFiles(request: FileLookRequest): Promise<ConfigLook> {
  const { planned, refused } = await checkFiles(request);
  const files = planned.map(({ current, rewritten }) => outcomeOf(current.file, rewritten, request));
  const idle = files.filter(({ status, warnings }) => status === 'unchanged' && warnings.length === 0);
  return {
    files,
    findings: [
      ...refused.map(failing),
      ...idle.map(({ file }) => namesNothing({ file }, request.mapping)),
      ...files.flatMap(warningsOf),
    ],
  };
}

/** Returns the files that can be rewritten, and the problems with the others. */
async function checkFiles(request: FileLookRequest): Promise<{ planned: PlannedFile[]; refused: ConfigError[] }> {
  const { file } = request.target;
  const planned: PlannedFile[] = [];
  const refused: ConfigError[] = [];
  for (const path of typeof file === 'string' ? [file] : file) {
    await collectRefusals(refused, async () => {
      const current = await readConfigFile(path, dirname(path));
      // Two names of one file: it is rewritten once, under the first name.
      if (planned.some((other) => other.current.realPath === current.realPath)) return;
      planned.push(await planFile(current, request));
    });
  }
  return { planned, refused };
}

async function planFile(current: ConfigFile, request: FileLookRequest): Promise<PlannedFile> {
  const { runId, backupDirectory } = request;
  const backup = runId === undefined ? undefined : await findBackup(current, runId, backupDirectory);
  if (backup && sha256(current.bytes) !== backup.before) return planWritten(current, backup, request);
  const rewritten = await rewriteFile(current, request);
  if (rewritten.changes.length === 0) return { current, state: 'unchanged', rewritten };
  await assertReplaceable(current);
  await assertBackupFolder(current, backupDirectory);
  return { current, state: 'to-write', rewritten };
}

/** This run wrote the file before it was interrupted: its result is computed again from the backup. */
async function planWritten(
  current: ConfigFile,
  { bytes, ...backup }: Backup,
  request: FileLookRequest,
): Promise<PlannedFile> {
  const { file } = current;
  const rewritten = await rewriteFile({ ...current, bytes }, request);
  if (sha256(Buffer.from(rewritten.content)) !== backup.after) {
    throw new ConfigError(
      { file },
      {
        found: 'this run already rewrote the file by another mapping',
        expected: 'the mapping that it began with',
        next: 'Cancel the run, so that the file is put back, and start another.',
      },
    );
  }
  const isOurs = sha256(current.bytes) === backup.after;
  const left = isOurs ? [] : (await rewriteFile(current, request)).changes;
  if (left.length === 0) return { current, state: 'written', rewritten, backup };
  throw new ConfigError(
    { file, ...(left[0] ? { line: left[0].line } : {}) },
    {
      found: 'someone wrote the file after this run backed it up, and it names the source workspace again',
      expected: 'the file as this run wrote it, or an edit that names the new workspace only',
      next: `Correct the edit, or put the backup "${backup.backup}" in its place.`,
    },
  );
}

/**
 * Undoes a rewriting of which only is known that it was begun: restores the files of which this run has a backup, since
 * each is backed up before it is written. Returns no file if none was written. Idempotent.
 */
export async function undoBegunFiles(request: BegunRequest & { target: FileTarget }): Promise<ConfigUndoOutcome> {
  const { target, runId, backupDirectory } = request;
  const files: ConfigUndoOutcome['files'] = [];
  const seen = new Set<string>();
  for (const file of typeof target.file === 'string' ? [target.file] : target.file) {
    const refused: ConfigError[] = [];
    await collectRefusals(refused, async () => {
      const place = await whereItWas(file);
      const backup = await findBackup(place, runId, backupDirectory);
      if (!backup || seen.has(place.realPath)) return;
      seen.add(place.realPath);
      if (await isSomebodysOnly(backup, request)) return;
      files.push({ file: backup.file, ...(await undoFile(backup)) });
    });
    for (const { message } of refused) files.push({ file, status: 'failed', reason: message });
  }
  return { files };
}

/** Returns the place of a file, by which its backup is found, also if the file is gone or cannot be read. */
async function whereItWas(file: string): Promise<ConfigFile> {
  return refusing(file, async () => {
    const realPath = await realpath(file).catch(async () => join(await realpath(dirname(file)), basename(file)));
    return { file, realPath, bytes: Buffer.alloc(0) };
  });
}

/** Whether a file that was backed up was then written by somebody, and not by this run. */
async function isSomebodysOnly(backup: Backup, { target, mapping }: BegunRequest): Promise<boolean> {
  const now = await readFile(backup.realPath).catch(() => undefined);
  if (!now || [backup.before, backup.after].includes(sha256(now))) return false;
  const known = { target, mapping: await mapping() };
  return !(await isPartlyOurs(backup.file, { before: backup.bytes, now }, known));
}

/** Restores each file from its backup, unless someone has changed it since. Idempotent. */
export async function undoFiles(undo: ConfigUndo & { kind: 'files' }): Promise<ConfigUndoOutcome> {
  const files: ConfigUndoOutcome['files'] = [];
  for (const backup of undo.files) {
    files.push({ file: backup.file, ...(await undoFile(backup)) });
  }
  return { files };
}

async function undoFile(backup: FileBackup): Promise<Omit<ConfigUndoOutcome['files'][number], 'file'>> {
  try {
    const current = await readConfigFile(backup.realPath, dirname(backup.realPath));
    const digest = sha256(current.bytes);
    if (digest === backup.before) return { status: 'already-restored' };
    if (digest !== backup.after) {
      return {
        status: 'changed-since',
        reason: `someone wrote the file after this run; its backup is "${backup.backup}"`,
      };
    }
    const bytes = await readBackup(backup);
    await assertReplaceable(current);
    await replaceFile(current, bytes);
    return { status: 'restored' };
  } catch (error) {
    // A file that cannot be restored does not affect the others. The outcome names it.
    if (!(error instanceof ConfigError)) throw error;
    return { status: 'failed', reason: error.message };
  }
}
