import { join } from 'node:path';
import { assertReplaceable, readConfigFile, type ConfigFile } from '../config-file.ts';
import { ConfigError } from '../error.ts';
import type { ConfigUndo, ConfigUndoOutcome, UndoStatus } from '../outcome.ts';
import { replaceFile } from '../write.ts';
import { GitWorkingCopy } from './git.ts';
import { checkedOutBranch, patienceMs, requireUnlocked, requireWorkingCopy } from './git-checks.ts';
import { commitFiles, findUndoCommit, trailer } from './git-commit.ts';
import { hiddenFiles } from './git-files.ts';
import { holdRepository, type Waiting } from './git-lock.ts';
import { orPutBack, putBack } from './git-put-back.ts';

type GitUndo = ConfigUndo & { kind: 'git' };

interface UndoPlan {
  current: ConfigFile;
  before: Buffer;
}

/**
 * Reverts a run's commit with another commit, if it is still the last change of each of its files. Otherwise no file is
 * changed, and the outcome names those that prevent it. Idempotent.
 */
export async function undoGit(undo: GitUndo, waiting?: Waiting): Promise<ConfigUndoOutcome> {
  const copy = new GitWorkingCopy(undo.git);
  try {
    await requireWorkingCopy(copy);
    return await holdRepository(copy, () => undoHeld(copy, undo), waiting);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return same(undo, 'failed', error.message);
  }
}

/** As `undoGit`, for a caller that holds the repository. Throws ConfigError if Git or a file prevents it. */
export async function undoHeld(copy: GitWorkingCopy, undo: GitUndo): Promise<ConfigUndoOutcome> {
  await checkedOutBranch(copy, undo.branch);
  const done = await findUndoCommit(copy, undo.commit);
  if (done) return { ...same(undo, 'already-restored'), commit: done };
  const contained = await copy.ask(['merge-base', '--is-ancestor', undo.commit, 'HEAD']);
  if (contained.exitCode !== 0) {
    return same(undo, 'changed-since', `branch "${undo.branch}" no longer has commit ${undo.commit}`);
  }
  return undoCommit(copy, undo);
}

function same(undo: GitUndo, status: UndoStatus, reason?: string): ConfigUndoOutcome {
  return { files: undo.files.map((file) => ({ file, status, ...(reason === undefined ? {} : { reason }) })) };
}

async function undoCommit(copy: GitWorkingCopy, undo: GitUndo): Promise<ConfigUndoOutcome> {
  // A Git that a killed worker has left may still change the files that are compared here.
  await requireUnlocked(copy, undo.branch, patienceMs);
  const plans: UndoPlan[] = [];
  const inTheWay = new Map<string, string>();
  const hidden = await hiddenFiles(copy, undo.files);
  for (const file of undo.files) {
    const mark = hidden.get(file)?.hidden;
    const plan = mark === undefined ? await planUndo(copy, undo, file) : `the file is marked "${mark}"`;
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
  return { ...same(undo, 'restored'), commit: await revert(copy, undo, plans) };
}

/** Writes and commits. If anything is refused, the files are left as the first commit has them. */
async function revert(copy: GitWorkingCopy, undo: GitUndo, plans: readonly UndoPlan[]): Promise<string> {
  const message = [
    `Take back commit ${undo.commit.slice(0, 12)}`,
    `${trailer.run}: ${undo.runId}\n${trailer.undo}: ${undo.commit}`,
  ];
  const written = plans.map(({ current, before }) => ({ path: current.file, before: current.bytes, after: before }));
  let isCommitting = false;
  return orPutBack(
    async () => {
      for (const { current, before } of plans) {
        if (!current.bytes.equals(before)) await replaceFile(current, before);
      }
      isCommitting = true;
      return commitFiles(copy, {
        paths: undo.files,
        message,
        find: () => findUndoCommit(copy, undo.commit),
      });
    },
    () => putBack(copy, undo.branch, written, isCommitting),
  );
}

/** Returns what to restore a file to, or why that is impossible: someone has changed it since, committed or not. */
async function planUndo(copy: GitWorkingCopy, undo: GitUndo, file: string): Promise<UndoPlan | string> {
  const before = await copy.idAt(`${undo.commit}^`, file);
  const ours = await copy.idAt(undo.commit, file);
  const head = await copy.idAt('HEAD', file);
  const index = await copy.idAt('', file);
  if (!before || !ours || !head || !index) return 'the file is gone from the branch';
  if (head !== ours) return `the file was committed again after ${undo.commit.slice(0, 12)}`;
  const read = { ...(await readConfigFile(join(copy.path, file), copy.path)), file };
  const stored = await copy.storedId(file, read.bytes);
  // An interrupted undo may have restored some files without committing them: those changes are ours too.
  const isKnown = (id: string): boolean => id === ours || id === before;
  if (!isKnown(stored) || !isKnown(index)) return 'the file has uncommitted changes';
  if (stored === before) return { current: read, before: read.bytes };
  return { current: read, before: await formLike(copy, undo, read) };
}

/** Returns the content to restore, with line endings as the file has them now if Git would write others. */
async function formLike(copy: GitWorkingCopy, undo: GitUndo, { file, bytes }: ConfigFile): Promise<Buffer> {
  const before = await copy.formsAt(`${undo.commit}^`, file);
  const ours = await copy.formsAt(undo.commit, file);
  const form = before[ours.findIndex((each) => each.equals(bytes))] ?? before[0];
  if (form) return form;
  throw new TypeError(`commit ${undo.commit} has no parent with "${file}"`);
}
