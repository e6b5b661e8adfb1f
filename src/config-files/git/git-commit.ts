import { ConfigError } from '../error.ts';
import type { GitTarget } from '../outcome.ts';
import { failure, nulList, type GitWorkingCopy } from './git.ts';
import { commitHooks } from './git-hooks.ts';

/** Trailers in our commit messages, by which a later call finds the commits. */
export const trailer = {
  run: 'Understudy-Run',
  files: 'Understudy-Files',
  step: 'Understudy-Step',
  undo: 'Understudy-Undo',
} as const;

/** Whose commit it is: the run, and which of its targets. */
export interface CommitOwner {
  runId: string;
  target: GitTarget;
  /** The step of the run. Two steps may have targets that look the same. */
  stepId?: string;
}

/** Returns the commits of `revisions` with a trailer, newest first, each with the lines of its message. */
async function commitsWith(
  copy: GitWorkingCopy,
  line: string,
  revisions: readonly string[],
): Promise<{ commit: string; lines: string[] }[]> {
  const output = await copy.run([
    'log',
    '-z',
    '--no-show-signature',
    '--fixed-strings',
    `--grep=${line}`,
    '--format=%H%n%B',
    ...revisions,
    '--',
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

/** Returns the trailers that identify the commit of a target: several may be in one working copy. */
export function trailersOf({ runId, target, stepId }: CommitOwner): string[] {
  return [
    `${trailer.run}: ${runId}`,
    `${trailer.files}: ${JSON.stringify(target.files)}`,
    ...(stepId === undefined ? [] : [`${trailer.step}: ${stepId}`]),
  ];
}

/** Returns the commit that reverted another one, if the branch has one. */
export async function findUndoCommit(
  copy: GitWorkingCopy,
  commit: string,
  revisions: readonly string[] = ['HEAD'],
): Promise<string | undefined> {
  return (await commitsWith(copy, `${trailer.undo}: ${commit}`, revisions))[0]?.commit;
}

/** Returns the commit that this run already made for this target and that was not reverted, if `revisions` have one. */
export async function findRunCommit(
  copy: GitWorkingCopy,
  owner: CommitOwner,
  revisions: readonly string[] = ['HEAD'],
): Promise<string | undefined> {
  const [run = '', ...others] = trailersOf(owner);
  for (const { commit, lines } of await commitsWith(copy, run, revisions)) {
    // Commits of release 0.3.0 and before name no step.
    const namesStep = lines.some((line) => line.startsWith(`${trailer.step}: `));
    const wanted = others.filter((line) => namesStep || !line.startsWith(`${trailer.step}: `));
    if (!wanted.every((line) => lines.includes(line))) continue;
    // Targets in two folders of a repository may have the same globs.
    if ((await filesOfCommit(copy, commit)).length === 0) continue;
    if (!(await findUndoCommit(copy, commit, revisions))) return commit;
  }
  return undefined;
}

/** Returns the files below the folder of the working copy that a commit changed. */
export async function filesOfCommit(copy: GitWorkingCopy, commit: string): Promise<string[]> {
  const changed = ['diff-tree', '-r', '--no-commit-id', '--name-only', '--no-renames', '--relative', '-z'];
  return nulList(await copy.run([...changed, commit]));
}

/** What to commit, and how to find the commit afterwards. */
export interface CommitRequest {
  paths: readonly string[];
  /** Paragraphs of the message. */
  message: readonly string[];
  /** Returns the commit once it is made, by its trailers. */
  find: () => Promise<string | undefined>;
  staged?: () => void | Promise<void>;
}

/**
 * Commits these files and nothing else that may be staged. Returns the commit itself, whatever was committed after it.
 * The author is Git's own (configuration, `GIT_AUTHOR_*`), or Understudy if there is none.
 */
export async function commitFiles(copy: GitWorkingCopy, request: CommitRequest): Promise<string> {
  const { paths, message, find, staged } = request;
  const identity = await identityOf(copy);
  const parent = await copy.line(['rev-parse', 'HEAD']);
  await copy.runOn(paths, ['add']);
  await staged?.();
  const paragraphs = message.flatMap((paragraph) => ['-m', paragraph]);
  const args = ['commit', '--quiet', '--only', '--cleanup=whitespace', ...paragraphs];
  const answer = await copy.askOn(paths, args, identity);
  const made = await find();
  if (made !== undefined) return made;
  const found = failure(args, answer.exitCode, answer.stderr);
  if (answer.exitCode !== 0) throw await refusedCommit(copy, found);
  // A hook may have written another message.
  const [first] = (await copy.line(['rev-list', '--reverse', '--first-parent', `${parent}..HEAD`])).split('\n');
  if (first) return first;
  throw await refusedCommit(copy, '"git commit" made no commit on the branch');
}

async function refusedCommit(copy: GitWorkingCopy, found: string): Promise<ConfigError> {
  const hooks = (await commitHooks(copy)).map((name) => `"${name}"`).join(', ');
  return new ConfigError(
    { file: copy.path },
    {
      found: hooks === '' ? found : `a hook (${hooks}) may have refused the commit: ${found}`,
      expected: 'a commit',
      next:
        hooks === ''
          ? 'Do what Git says, in the working copy.'
          : 'Do what Git or the hook says, in the working copy, or let the hook accept the commit.',
    },
  );
}

async function identityOf(copy: GitWorkingCopy): Promise<Record<string, string>> {
  const known = await copy.ask(['var', 'GIT_COMMITTER_IDENT']);
  const author = await copy.ask(['var', 'GIT_AUTHOR_IDENT']);
  if (known.exitCode === 0 && author.exitCode === 0) return {};
  return {
    GIT_AUTHOR_NAME: 'Understudy',
    GIT_AUTHOR_EMAIL: 'understudy@localhost',
    GIT_COMMITTER_NAME: 'Understudy',
    GIT_COMMITTER_EMAIL: 'understudy@localhost',
  };
}
