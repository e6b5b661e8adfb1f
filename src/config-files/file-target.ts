import { findBackup, makeBackup, readBackup } from './backup.ts';
import { diffConfig } from './diff.ts';
import { ConfigError } from './error.ts';
import type {
  ConfigFileOutcome,
  ConfigOutcome,
  ConfigRequest,
  ConfigUndo,
  ConfigUndoOutcome,
  FileBackup,
  FileTarget,
} from './outcome.ts';
import { decodeConfig, rewriteConfig, type RewrittenConfig } from './rewrite.ts';
import { assertWritable, readConfigFile, replaceFile, sha256, type ConfigFile } from './write.ts';

interface PlannedFile {
  current: ConfigFile;
  /** Where it stands: nothing to change, still to be written, or written by this run before. */
  state: 'unchanged' | 'to-write' | 'written';
  before: string;
  rewritten: RewrittenConfig;
  backup?: FileBackup;
}

type FileRequest = ConfigRequest & { target: FileTarget };

/** Rewrites the files of a target: all are checked, then all backed up, then each replaced in one step. */
export async function applyFiles(request: FileRequest): Promise<ConfigOutcome> {
  const planned = await planFiles(request);
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
  const undo: ConfigUndo =
    files.length > 0 ? { kind: 'files', runId: request.runId, files } : { kind: 'none' };
  return { files: planned.map((plan) => outcomeOf(plan, request.target)), undo };
}

/** What `applyFiles` would do; writes nothing. */
export async function previewFiles(request: FileRequest): Promise<ConfigOutcome> {
  const planned = await planFiles(request);
  return { files: planned.map((plan) => outcomeOf(plan, request.target)), undo: { kind: 'none' } };
}

async function planFiles(request: FileRequest): Promise<PlannedFile[]> {
  const { file } = request.target;
  const planned: PlannedFile[] = [];
  for (const path of typeof file === 'string' ? [file] : file) {
    const current = await readConfigFile(path);
    // Two names of one file: it is rewritten once, under the first.
    if (planned.some((other) => other.current.realPath === current.realPath)) continue;
    planned.push(await planFile(current, request));
  }
  return planned;
}

async function planFile(current: ConfigFile, request: FileRequest): Promise<PlannedFile> {
  const { runId, backupDirectory } = request;
  const backup = await findBackup(current, runId, backupDirectory);
  if (backup && sha256(current.bytes) !== backup.before) return planWritten(current, backup, request);
  const before = decodeConfig(current.file, current.bytes);
  const rewritten = rewriteContent(current.file, before, request);
  if (rewritten.changes.length === 0) return { current, state: 'unchanged', before, rewritten };
  await assertWritable(current);
  return { current, state: 'to-write', before, rewritten };
}

/** A file this run wrote before it was interrupted: what it did is worked out again from the backup. */
function planWritten(
  current: ConfigFile,
  { bytes, ...backup }: FileBackup & { bytes: Buffer },
  request: FileRequest,
): PlannedFile {
  const { file } = current;
  const before = decodeConfig(file, bytes);
  const rewritten = rewriteContent(file, before, request);
  if (sha256(Buffer.from(rewritten.content)) !== backup.after) {
    throw new ConfigError({ file }, 'this run already rewrote the file by another mapping; undo that first');
  }
  const isOurs = sha256(current.bytes) === backup.after;
  const left = isOurs ? [] : rewriteContent(file, decodeConfig(file, current.bytes), request).changes;
  if (left.length === 0) return { current, state: 'written', before, rewritten, backup };
  throw new ConfigError(
    { file, ...(left[0] ? { line: left[0].line } : {}) },
    'someone wrote the file after this run backed it up, and it names the source workspace again; ' +
      `put its backup "${backup.backup}" or the edit in order first`,
  );
}

function rewriteContent(file: string, content: string, { target, mapping }: FileRequest): RewrittenConfig {
  return rewriteConfig({ file, content, mapping, ...(target.format ? { format: target.format } : {}) });
}

function outcomeOf({ current, before, rewritten }: PlannedFile, { format }: FileTarget): ConfigFileOutcome {
  const { file } = current;
  const { changes, warnings, content } = rewritten;
  const diff = diffConfig({ file, before, after: content, ...(format ? { format } : {}) });
  return { file, status: changes.length > 0 ? 'changed' : 'unchanged', changes, warnings, diff };
}

/** Restores each file from its backup, unless someone wrote it after us. May be run again. */
export async function undoFiles(undo: ConfigUndo & { kind: 'files' }): Promise<ConfigUndoOutcome> {
  const files: ConfigUndoOutcome['files'] = [];
  for (const backup of undo.files) {
    files.push({ file: backup.file, ...(await undoFile(backup)) });
  }
  return { files };
}

async function undoFile(backup: FileBackup): Promise<Omit<ConfigUndoOutcome['files'][number], 'file'>> {
  try {
    const current = await readConfigFile(backup.realPath);
    const digest = sha256(current.bytes);
    if (digest === backup.before) return { status: 'already-restored' };
    if (digest !== backup.after) {
      return {
        status: 'changed-since',
        reason: `someone wrote the file after this run; its backup is "${backup.backup}"`,
      };
    }
    const bytes = await readBackup(backup);
    await assertWritable(current);
    await replaceFile(current, bytes);
    return { status: 'restored' };
  } catch (error) {
    // One file that cannot be restored does not keep the others from it; the outcome names it.
    if (!(error instanceof ConfigError)) throw error;
    return { status: 'failed', reason: error.message };
  }
}
