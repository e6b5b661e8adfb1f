/** The files of a working copy that a target names. Only reads. */
import { collectRefusals, ConfigError } from '../error.ts';
import { nulList, type GitWorkingCopy } from './git.ts';

/** A file that Git tracks. */
export interface TrackedFile {
  /** Relative to the folder of the working copy. */
  path: string;
  /** A mark in the index by which Git does not see changes of the file. */
  hidden?: 'assume-unchanged' | 'skip-worktree';
}

/**
 * Returns the files that Git tracks and that match the globs, sorted. Problems with a glob or a file are added to
 * `refused`.
 */
export async function trackedFiles(
  copy: GitWorkingCopy,
  globs: readonly string[],
  refused: ConfigError[],
): Promise<TrackedFile[]> {
  const found = new Map<string, TrackedFile>();
  for (const glob of globs)
    await collectRefusals(refused, async () => {
      for (const entry of await entriesOf(copy, glob)) {
        const file = await collectRefusals(refused, () => Promise.resolve(fileOf(entry)));
        if (file !== undefined) found.set(file.path, file);
      }
    });
  return [...found.keys()].sort().flatMap((path) => found.get(path) ?? []);
}

/** Throws ConfigError if Git does not see changes of the file: a person's would get into the commit. */
export function requireSeen({ path, hidden }: TrackedFile): void {
  if (hidden === undefined) return;
  throw new ConfigError(
    { file: path },
    {
      found: `the file is marked "${hidden}", so that Git does not see what a person changes in it`,
      expected: 'a file whose changes Git sees, since all of it would get into the commit',
      next: `Take the mark away ("git update-index --no-${hidden} ${path}"), and commit or put away what changes.`,
    },
  );
}

/** Returns the marked ones of these files. */
export async function hiddenFiles(copy: GitWorkingCopy, paths: readonly string[]): Promise<Map<string, TrackedFile>> {
  const literal = paths.map((path) => `:(literal)${path}`);
  const entries = nulList(await copy.run(['ls-files', '-v', '--stage', '-z', '--', ...literal]));
  const files = entries.map(partsOf).filter(({ hidden }) => hidden !== undefined);
  return new Map(files.map((file) => [file.path, file]));
}

/** Returns the entries of `git ls-files`. Throws ConfigError if nothing matches the glob. */
async function entriesOf(copy: GitWorkingCopy, glob: string): Promise<string[]> {
  const pathspec = `:(glob)${glob}`;
  const entries = nulList(await copy.run(['ls-files', '-v', '--stage', '-z', '--', pathspec]));
  if (entries.length > 0) return entries;
  const [other] = nulList(await copy.run(['ls-files', '--others', '-z', '--', pathspec]));
  throw new ConfigError(
    { file: copy.path },
    {
      found:
        `no file that Git tracks matches "${glob}"` + (other === undefined ? '' : `, only others such as "${other}"`),
      expected: 'at least one',
      next:
        other === undefined
          ? 'Correct the glob in the topology, or check out the branch that has the files.'
          : `Commit the file ("git add ${other}"), or correct the glob in the topology.`,
    },
  );
}

interface Entry extends TrackedFile {
  mode: string;
  stage: string;
}

/** The letter before an entry is `S` for skip-worktree, and a small letter for assume-unchanged. */
function partsOf(entry: string): Entry {
  const [, letter = '', mode = '', stage = '', path = ''] = /^(\S) (\d+) [0-9a-f]+ (\d)\t(.*)$/s.exec(entry) ?? [];
  const isHidden = letter.toUpperCase() === 'S' || letter !== letter.toUpperCase();
  if (!isHidden) return { path, mode, stage };
  return { path, mode, stage, hidden: letter.toUpperCase() === 'S' ? 'skip-worktree' : 'assume-unchanged' };
}

/** Undefined for a submodule. Throws ConfigError for a symbolic link, and for a file with a merge conflict. */
function fileOf(entry: string): TrackedFile | undefined {
  const { path, mode, stage, hidden } = partsOf(entry);
  if (path === '' || mode === '160000') return undefined;
  if (stage !== '0') {
    const diagnosis = {
      found: 'the file has a merge conflict',
      expected: 'none',
      next: 'Resolve it, and commit.',
    };
    throw new ConfigError({ file: path }, diagnosis);
  }
  if (mode === '120000') {
    const diagnosis = {
      found: 'the file is a symbolic link',
      expected: 'a regular file',
      next: 'Name the file that it points to in the topology.',
    };
    throw new ConfigError({ file: path }, diagnosis);
  }
  return { path, ...(hidden === undefined ? {} : { hidden }) };
}
