/** Finds the content that a file had before an earlier run rewrote it. Only reads. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readBackup } from './backup.ts';
import { refusing, sha256, type ConfigFile } from './config-file.ts';
import { ConfigError } from './error.ts';
import { GitWorkingCopy } from './git/git.ts';
import type { ConfigUndo, EarlierRun } from './outcome.ts';

/** The original content of a file, or why the file does not get it. */
export type Original = { bytes: Buffer } | { reason: string };

/**
 * Returns the content of a file before the run, if the file is still exactly as the run wrote it, or is as before
 * already. Undefined if the run did not write the file.
 */
export async function findOriginal(
  file: Pick<ConfigFile, 'realPath' | 'bytes'>,
  { runId, undos }: EarlierRun,
): Promise<Original | undefined> {
  for (const undo of undos) {
    try {
      const found = await originalIn(undo, file, runId);
      if (found) return found;
    } catch (error) {
      // Without its original, the file is rewritten as any other.
      if (!(error instanceof ConfigError)) throw error;
      return { reason: error.diagnosis.found };
    }
  }
  return undefined;
}

async function originalIn(
  undo: ConfigUndo,
  file: Pick<ConfigFile, 'realPath' | 'bytes'>,
  runId: string,
): Promise<Original | undefined> {
  switch (undo.kind) {
    case 'none':
      return undefined;
    case 'files':
      return fromBackup(undo, file, runId);
    case 'git':
      return fromCommit(undo, file, runId);
    default:
      throw new TypeError(`unknown undo: ${JSON.stringify(undo satisfies never)}`);
  }
}

async function fromBackup(
  { files }: ConfigUndo & { kind: 'files' },
  { realPath, bytes }: Pick<ConfigFile, 'realPath' | 'bytes'>,
  runId: string,
): Promise<Original | undefined> {
  const backup = files.find((each) => each.realPath === realPath);
  if (!backup) return undefined;
  const digest = sha256(bytes);
  if (digest === backup.before) return { bytes };
  if (digest !== backup.after) return { reason: editedAfter(runId) };
  return { bytes: await refusing(backup.backup, () => readBackup(backup)) };
}

/** The commit itself is the record: a later one with the run's trailers may have a person's edits too. */
async function fromCommit(
  { git, commit, files }: ConfigUndo & { kind: 'git' },
  { realPath, bytes }: Pick<ConfigFile, 'realPath' | 'bytes'>,
  runId: string,
): Promise<Original | undefined> {
  const folder = await realpath(git).catch(() => git);
  const path = files.find((each) => join(folder, each) === realPath);
  if (path === undefined) return undefined;
  const copy = new GitWorkingCopy(git);
  const before = await copy.formsAt(`${commit}^`, path);
  const after = await copy.formsAt(commit, path);
  if (before.some((form) => form.equals(bytes))) return { bytes };
  if (before.length === 0 || after.length === 0)
    return { reason: `commit ${commit.slice(0, 12)} of run ${runId} is gone` };
  // With the line endings that the file has now.
  const form = after.findIndex((each) => each.equals(bytes));
  const original = form < 0 ? undefined : (before[form] ?? before[0]);
  return original ? { bytes: original } : { reason: editedAfter(runId) };
}

function editedAfter(runId: string): string {
  return `edited after run ${runId}`;
}
