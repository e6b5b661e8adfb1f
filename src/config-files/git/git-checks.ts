/** Checks a Git working copy before its files are rewritten. Only reads. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { showDuration } from '../../topology/duration.ts';
import { errorCode } from '../config-file.ts';
import { ConfigError } from '../error.ts';
import { wordsOf, type GitWorkingCopy } from './git.ts';

/** Throws ConfigError if the folder is missing, or is not a Git working copy. */
export async function requireWorkingCopy(copy: GitWorkingCopy): Promise<void> {
  const inside = await copy.ask(['rev-parse', '--is-inside-work-tree']);
  if (inside.exitCode === 0 && inside.stdout.toString('utf8').trim() === 'true') return;
  const words = wordsOf(inside.stderr).split('; ')[0] ?? '';
  throw new ConfigError(
    { file: copy.path },
    {
      found: `the folder is no Git working copy${words ? `: ${words}` : ''}`,
      expected: 'a Git working copy that the user of the worker owns',
      next: 'Clone the repository there, or correct the path in the topology.',
    },
  );
}

const unfinished: Readonly<Record<string, string>> = {
  MERGE_HEAD: 'a merge',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  REVERT_HEAD: 'a revert',
  REBASE_HEAD: 'a rebase',
};

/**
 * Returns the branch that is checked out. Throws ConfigError if there is none, if it is not `branch`, if it has no
 * commit, or if a merge or similar is in progress.
 */
export async function checkedOutBranch(copy: GitWorkingCopy, branch: string | undefined): Promise<string> {
  const place = { file: copy.path };
  const expected = branch === undefined ? 'a branch' : `"${branch}"`;
  const head = await copy.ask(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  const current = head.stdout.toString('utf8').trim();
  if (head.exitCode !== 0) {
    const found = 'no branch is checked out (detached HEAD)';
    throw new ConfigError(place, { found, expected, next: 'Check a branch out: "git switch".' });
  }
  if (branch !== undefined && branch !== current) {
    const found = `branch "${current}" is checked out`;
    const next = `Check the other out ("git switch ${branch}"), or correct "branch" in the topology.`;
    throw new ConfigError(place, { found, expected, next });
  }
  if (!(await copy.has('HEAD'))) {
    const found = `branch "${current}" has no commit yet`;
    throw new ConfigError(place, { found, expected: 'one with the files in it', next: 'Commit them.' });
  }
  for (const [ref, what] of Object.entries(unfinished)) {
    if (!(await copy.has(ref))) continue;
    const found = `${what} is under way in the working copy`;
    throw new ConfigError(place, { found, expected: 'none', next: 'Finish it, or abort it.' });
  }
  return current;
}

/** Git holds its locks only for moments. One that lasts longer was left behind, or a hook runs. */
const lockMs = 2000;

/** How old a lock may become before a rewriting gives up: a killed worker's Git may still commit, with its hooks. */
export const patienceMs = 30_000;

/**
 * Throws ConfigError if a lock of Git prevents commits on the branch, does not go away, and is older than `oldMs`.
 */
export async function requireUnlocked(copy: GitWorkingCopy, branch: string, oldMs = 0): Promise<void> {
  const names = ['index.lock', 'HEAD.lock', `refs/heads/${branch}.lock`];
  const asked = names.flatMap((name) => ['--git-path', name]);
  const locks = (await copy.line(['rev-parse', ...asked])).split('\n').map((path) => resolve(copy.path, path));
  for (const until = Date.now() + lockMs; ; await delay(200)) {
    const [lock] = (await Promise.all(locks.map(ageOf))).filter((each) => each !== undefined);
    if (!lock) return;
    if (Date.now() < until || lock.ageMs < oldMs) continue;
    throw new ConfigError(
      { file: lock.path },
      {
        found: `a lock of Git, ${showDuration(lock.ageMs)} old: Git is at work there, or was killed`,
        expected: 'no lock in the working copy',
        next: 'See that no Git runs there, then delete that file.',
      },
    );
  }
}

async function ageOf(path: string): Promise<{ path: string; ageMs: number } | undefined> {
  try {
    return { path, ageMs: Math.max(0, Date.now() - (await stat(path)).mtimeMs) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
