/** Undoes a rewriting of which only is known that it was begun: finds what it did, and commits nothing forward. */
import { join } from 'node:path';
import { assertReplaceable, readConfigFile, type ConfigFile } from '../config-file.ts';
import { collectRefusals, ConfigError } from '../error.ts';
import type { BegunRequest, ConfigUndoOutcome, GitTarget } from '../outcome.ts';
import { isPartlyOurs, type Rewriting } from '../rewrite-file.ts';
import { GitWorkingCopy } from './git.ts';
import { patienceMs, requireUnlocked, requireWorkingCopy } from './git-checks.ts';
import { filesOfCommit, findRunCommit } from './git-commit.ts';
import { trackedFiles } from './git-files.ts';
import { holdRepository, type Waiting } from './git-lock.ts';
import { putBack } from './git-put-back.ts';
import { baseOfOurs, uncommitted } from './git-state.ts';
import { undoHeld } from './git-undo.ts';

type GitBegun = BegunRequest & { target: GitTarget };

/** A file with uncommitted changes. */
interface Uncommitted {
  current: ConfigFile;
  /** Its content before the run, if the changes are ours. */
  before?: Buffer;
}

/**
 * Reverts the commit of the run if there is one, and restores files that were written for it but not committed. Returns
 * no file if nothing was changed. Idempotent.
 */
export async function undoBegunGit(request: GitBegun, waiting?: Waiting): Promise<ConfigUndoOutcome> {
  const copy = new GitWorkingCopy(request.target.git);
  try {
    await requireWorkingCopy(copy);
    return await holdRepository(copy, () => undoFound(copy, request), waiting);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { files: [{ file: copy.path, status: 'failed', reason: error.message }] };
  }
}

async function undoFound(copy: GitWorkingCopy, request: GitBegun): Promise<ConfigUndoOutcome> {
  const branch = await branchOf(copy);
  // The Git of a killed worker may still be about to commit what was written.
  if ((await leftUncommitted(copy, request)).length > 0) await requireUnlocked(copy, branch, patienceMs);
  const commit = await findRunCommit(copy, request, ['--branches', 'HEAD']);
  if (commit !== undefined) {
    const { runId } = request;
    const files = await filesOfCommit(copy, commit);
    const owner = await branchWith(copy, commit, branch);
    return undoHeld(copy, { kind: 'git', runId, git: copy.path, branch: owner, commit, files });
  }
  return restoreUncommitted(copy, branch, await leftUncommitted(copy, request));
}

async function restoreUncommitted(
  copy: GitWorkingCopy,
  branch: string,
  left: readonly Uncommitted[],
): Promise<ConfigUndoOutcome> {
  const ours = left.flatMap(({ current, before }) =>
    before ? [{ current, path: current.file, before, after: current.bytes }] : [],
  );
  for (const { current } of ours) await assertReplaceable(current);
  if (ours.length > 0) await putBack(copy, branch, ours, false);
  return {
    files: left.map(({ current: { file }, before }) => ({
      file,
      ...(before
        ? { status: 'restored' }
        : { status: 'changed-since', reason: 'the file has uncommitted changes of somebody else too' }),
    })),
  };
}

/** Returns the files that the run wrote without a commit. A file with a person's changes only is none of them. */
async function leftUncommitted(copy: GitWorkingCopy, request: GitBegun): Promise<Uncommitted[]> {
  const dirty = await uncommitted(copy);
  const tracked = await trackedFiles(copy, request.target.files, []);
  const files = tracked.filter(({ path }) => dirty.has(path));
  if (files.length === 0) return [];
  const known = { ...request, mapping: await request.mapping() };
  const found: Uncommitted[] = [];
  for (const { path } of files) {
    // What cannot be read was not written by this run, or has been replaced since.
    await collectRefusals([], async () => {
      const current = { ...(await readConfigFile(join(copy.path, path), copy.path)), file: path };
      const before = await baseOfOurs(copy, current, known);
      if (before) found.push({ current, before });
      else if (await isPartOfIt(copy, current, known)) found.push({ current });
    });
  }
  return found;
}

async function isPartOfIt(copy: GitWorkingCopy, { file, bytes }: ConfigFile, known: Rewriting): Promise<boolean> {
  const before = await copy.fileAt('HEAD', file);
  return before !== undefined && isPartlyOurs(file, { before, now: bytes }, known);
}

/** Returns the branch that is checked out; `HEAD` if there is none. */
async function branchOf(copy: GitWorkingCopy): Promise<string> {
  const head = await copy.ask(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  return head.exitCode === 0 ? head.stdout.toString('utf8').trim() : 'HEAD';
}

/** Returns a branch that has the commit: the one that is checked out, if it does. */
async function branchWith(copy: GitWorkingCopy, commit: string, current: string): Promise<string> {
  const asked = ['for-each-ref', `--contains=${commit}`, '--format=%(refname:lstrip=2)', 'refs/heads'];
  const branches = (await copy.line(asked)).split('\n').filter(Boolean);
  return branches.includes(current) ? current : (branches[0] ?? current);
}
