import { join } from 'node:path';
import { assertReplaceable, readConfigFile, type ConfigFile } from '../config-file.ts';
import { ConfigError } from '../error.ts';
import { GitWorkingCopy } from './git.ts';
import { checkedOutBranch, requireUnlocked, requireWorkingCopy } from './git-checks.ts';
import { commitFiles, findUndoCommit, trailer } from './git-commit.ts';
import type { ConfigUndo, ConfigUndoOutcome, UndoStatus } from '../outcome.ts';
import { replaceFile } from '../write.ts';

type GitUndo = ConfigUndo & { kind: 'git' };

interface UndoPlan {
  current: ConfigFile;
  before: Buffer;
}

/**
 * Reverts a run's commit with another commit, if it is still the last change of each of its files. Otherwise no file is
 * changed, and the outcome names those that prevent it. Idempotent.
 */
export async function undoGit(undo: GitUndo): Promise<ConfigUndoOutcome> {
  const copy = new GitWorkingCopy(undo.git);
  try {
    await requireWorkingCopy(copy);
    await checkedOutBranch(copy, undo.branch);
    const done = await findUndoCommit(copy, undo.commit);
    if (done) return { ...same(undo, 'already-restored'), commit: done };
    const contained = await copy.ask(['merge-base', '--is-ancestor', undo.commit, 'HEAD']);
    if (contained.exitCode !== 0) {
      return same(undo, 'changed-since', `branch "${undo.branch}" no longer has commit ${undo.commit}`);
    }
    return await undoCommit(copy, undo);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return same(undo, 'failed', error.message);
  }
}

function same(undo: GitUndo, status: UndoStatus, reason?: string): ConfigUndoOutcome {
  return { files: undo.files.map((file) => ({ file, status, ...(reason === undefined ? {} : { reason }) })) };
}

async function undoCommit(copy: GitWorkingCopy, undo: GitUndo): Promise<ConfigUndoOutcome> {
  const plans: UndoPlan[] = [];
  const inTheWay = new Map<string, string>();
  for (const file of undo.files) {
    const plan = await planUndo(copy, undo, file);
    if (typeof plan === 'string') inTheWay.set(file, plan);
    else plans.push(plan);
  }
  if (inTheWay.size > 0) {
    const other = 'left as it is, since another file of the commit was changed after it';
    const files = undo.files.map((file) => ({
      file,
      status: 'changed-since' as const,
      reason: inTheWay.get(file) ?? other,
    }));
    return { files };
  }
  for (const { current } of plans) await assertReplaceable(current);
  await requireUnlocked(copy, undo.branch);
  for (const { current, before } of plans) {
    if (!current.bytes.equals(before)) await replaceFile(current, before);
  }
  const message = [
    `Take back commit ${undo.commit.slice(0, 12)}`,
    `${trailer.run}: ${undo.runId}\n${trailer.undo}: ${undo.commit}`,
  ];
  const commit = await commitFiles(copy, undo.files, message);
  return { ...same(undo, 'restored'), commit };
}

/** Returns what to restore a file to, or why that is impossible: someone has changed it since, committed or not. */
async function planUndo(copy: GitWorkingCopy, undo: GitUndo, file: string): Promise<UndoPlan | string> {
  const before = await copy.fileAt(`${undo.commit}^`, file);
  const ours = await copy.fileAt(undo.commit, file);
  const head = await copy.fileAt('HEAD', file);
  const index = await copy.fileAt('', file);
  if (!before || !ours || !head || !index) return 'the file is gone from the branch';
  if (!head.equals(ours)) return `the file was committed again after ${undo.commit.slice(0, 12)}`;
  const read = await readConfigFile(join(copy.path, file), copy.path);
  // An interrupted undo may have restored some files without committing them: those changes are ours too.
  const isKnown = (bytes: Buffer): boolean => bytes.equals(ours) || bytes.equals(before);
  if (!isKnown(read.bytes) || !isKnown(index)) return 'the file has uncommitted changes';
  return { current: { ...read, file }, before };
}
