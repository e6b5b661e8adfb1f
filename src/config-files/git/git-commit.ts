import type { GitWorkingCopy } from './git.ts';
import type { GitTarget } from '../outcome.ts';

/** Trailers in our commit messages, by which a later call finds the commits. */
export const trailer = { run: 'Understudy-Run', files: 'Understudy-Files', undo: 'Understudy-Undo' } as const;

/** Returns the commits of the current branch with a trailer, newest first, each with the lines of its message. */
async function commitsWith(copy: GitWorkingCopy, line: string): Promise<{ commit: string; lines: string[] }[]> {
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
  // `--grep` finds the text anywhere, but only a whole line counts.
  return found.filter(({ lines }) => lines.includes(line));
}

/** Returns the trailer that identifies the target's files: two targets may be in one working copy. */
export function filesTrailer(target: GitTarget): string {
  return `${trailer.files}: ${JSON.stringify(target.files)}`;
}

/** Returns the commit that reverted another one, if the branch has one. */
export async function findUndoCommit(copy: GitWorkingCopy, commit: string): Promise<string | undefined> {
  return (await commitsWith(copy, `${trailer.undo}: ${commit}`))[0]?.commit;
}

/** Returns the commit that this run already made for this target and that was not reverted, if the branch has one. */
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
 * Commits these files and nothing else that may be staged. Returns the commit. The author is Git's own (configuration,
 * `GIT_AUTHOR_*`), or Understudy if there is none.
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
