import { ConfigError } from '../error.ts';
import { nulList, type GitWorkingCopy } from './git.ts';
import type { GitTarget } from '../outcome.ts';

/** Lines at the end of our commits' messages, by which a later call finds them. */
export const trailer = { run: 'Understudy-Run', files: 'Understudy-Files', undo: 'Understudy-Undo' } as const;

const unfinished: Readonly<Record<string, string>> = {
  MERGE_HEAD: 'a merge',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  REVERT_HEAD: 'a revert',
  REBASE_HEAD: 'a rebase',
};

/**
 * The branch that is checked out. Throws ConfigError when the folder is no working copy, has no branch checked out or
 * another than `branch`, has no commit yet, or is in the middle of a merge or the like.
 */
export async function checkedOutBranch(copy: GitWorkingCopy, branch: string | undefined): Promise<string> {
  const place = { file: copy.path };
  const inside = await copy.ask(['rev-parse', '--is-inside-work-tree']);
  if (inside.exitCode !== 0 || inside.stdout.toString('utf8').trim() !== 'true') {
    const words = inside.stderr.trim().split('\n')[0] ?? '';
    throw new ConfigError(place, `the folder is no Git working copy${words ? `: ${words}` : ''}`);
  }
  const head = await copy.ask(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  const current = head.stdout.toString('utf8').trim();
  if (head.exitCode !== 0)
    throw new ConfigError(place, 'no branch is checked out (detached HEAD): check one out first');
  if (branch !== undefined && branch !== current) {
    throw new ConfigError(place, `branch "${current}" is checked out; expected "${branch}"`);
  }
  if (!(await copy.has('HEAD'))) throw new ConfigError(place, `branch "${current}" has no commit yet`);
  for (const [ref, what] of Object.entries(unfinished)) {
    if (await copy.has(ref))
      throw new ConfigError(place, `${what} is under way in the working copy: finish it first`);
  }
  return current;
}

/** The commits of the current branch with a trailer, newest first, each with its message's lines. */
async function commitsWith(
  copy: GitWorkingCopy,
  line: string,
): Promise<{ commit: string; lines: string[] }[]> {
  const output = await copy.run([
    'log',
    '-z',
    '--no-show-signature',
    '--fixed-strings',
    `--grep=${line}`,
    '--format=%H%n%B',
    'HEAD',
  ]);
  const found = output
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((entry) => {
      const [commit = '', ...lines] = entry.split('\n');
      return { commit, lines };
    });
  // `--grep` finds the text anywhere: only a whole line counts.
  return found.filter(({ lines }) => lines.includes(line));
}

export function filesTrailer(target: GitTarget): string {
  return `${trailer.files}: ${JSON.stringify(target.files)}`;
}

/** The commit that took another one back, if the branch has one. */
export async function findUndoCommit(copy: GitWorkingCopy, commit: string): Promise<string | undefined> {
  return (await commitsWith(copy, `${trailer.undo}: ${commit}`))[0]?.commit;
}

/** The commit this run already made for this target and that was not taken back, if the branch has one. */
export async function findRunCommit(
  copy: GitWorkingCopy,
  runId: string,
  target: GitTarget,
): Promise<string | undefined> {
  const files = filesTrailer(target);
  for (const { commit, lines } of await commitsWith(copy, `${trailer.run}: ${runId}`)) {
    if (lines.includes(files) && !(await findUndoCommit(copy, commit))) return commit;
  }
  return undefined;
}

/**
 * Commits these files and nothing else that may be staged, and answers the commit. The author is Git's own
 * (configuration, `GIT_AUTHOR_*`); where there is none, Understudy.
 */
export async function commitFiles(
  copy: GitWorkingCopy,
  paths: readonly string[],
  message: readonly string[],
  staged: () => void | Promise<void> = () => {},
): Promise<string> {
  const known = await copy.ask(['var', 'GIT_COMMITTER_IDENT']);
  const author = await copy.ask(['var', 'GIT_AUTHOR_IDENT']);
  const isKnown = known.exitCode === 0 && author.exitCode === 0;
  const identity: Record<string, string> = isKnown
    ? {}
    : {
        GIT_AUTHOR_NAME: 'Understudy',
        GIT_AUTHOR_EMAIL: 'understudy@localhost',
        GIT_COMMITTER_NAME: 'Understudy',
        GIT_COMMITTER_EMAIL: 'understudy@localhost',
      };
  await copy.runOn(paths, ['add']);
  await staged();
  const paragraphs = message.flatMap((paragraph) => ['-m', paragraph]);
  await copy.runOn(paths, ['commit', '--quiet', '--only', '--cleanup=whitespace', ...paragraphs], identity);
  return copy.line(['rev-parse', 'HEAD']);
}

/** The files Git tracks that each glob names, from the working copy's folder. Throws ConfigError for one that names none. */
export async function trackedFiles(copy: GitWorkingCopy, globs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const glob of globs) {
    const output = nulList(await copy.run(['ls-files', '--stage', '-z', '--', `:(glob)${glob}`]));
    if (output.length === 0) {
      throw new ConfigError({ file: copy.path }, `no file that Git tracks matches "${glob}"`);
    }
    for (const entry of output) {
      const [, mode, stage, path] = /^(\d+) [0-9a-f]+ (\d)\t(.*)$/s.exec(entry) ?? [];
      if (path === undefined) continue;
      if (stage !== '0') throw new ConfigError({ file: path }, 'the file has a merge conflict');
      if (mode === '160000') continue;
      if (mode === '120000') {
        throw new ConfigError({ file: path }, 'the file is a symbolic link: name the file it points to');
      }
      found.add(path);
    }
  }
  return [...found].sort();
}
