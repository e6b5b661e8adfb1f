/** How files of a working copy stand to what Git has of them. Only reads. */
import type { ConfigFile } from '../config-file.ts';
import { ConfigError } from '../error.ts';
import type { LookRequest, GitTarget } from '../outcome.ts';
import { rewriteFile, type Rewriting } from '../rewrite-file.ts';
import { nulList, type GitWorkingCopy } from './git.ts';

export type GitLookRequest = LookRequest & { target: GitTarget };

/** Returns the files that differ from the last commit, staged or not. */
export async function uncommitted(copy: GitWorkingCopy): Promise<Set<string>> {
  const changed = ['diff', '--name-only', '--relative', '-z', '--no-renames', '--no-ext-diff', '--ignore-submodules'];
  return new Set([
    ...nulList(await copy.run([...changed, 'HEAD'])),
    ...nulList(await copy.run([...changed, '--cached', 'HEAD'])),
  ]);
}

/**
 * Returns a file's content as in the last commit if its uncommitted changes are exactly those of this rewriting (an
 * attempt was interrupted before its commit). Undefined for any other change: that one belongs to a person.
 */
export async function baseOfOurs(
  copy: GitWorkingCopy,
  current: ConfigFile,
  request: Rewriting,
): Promise<Buffer | undefined> {
  const path = current.file;
  const [head, index] = [await copy.idAt('HEAD', path), await copy.idAt('', path)];
  if (head === undefined || index === undefined) return undefined;
  const stored = await copy.storedId(path, current.bytes);
  let likely: Buffer | undefined;
  for (const base of await copy.formsAt('HEAD', path)) {
    const after = Buffer.from((await rewriteFile({ ...current, bytes: base }, request)).content);
    const ours = await copy.storedId(path, after);
    // Compared as Git stores them: line endings may differ from a checkout's, and Git sees no change in that.
    const isKnown = [stored, index].every((id) => id === head || id === ours);
    if (!isKnown || ours === head || (stored !== ours && index !== ours)) continue;
    if (current.bytes.equals(after) || current.bytes.equals(base)) return base;
    likely ??= base;
  }
  return likely;
}

/** As `baseOfOurs`, but throws ConfigError for a change of a person's. */
export async function interruptedBase(
  copy: GitWorkingCopy,
  current: ConfigFile,
  request: GitLookRequest,
): Promise<Buffer> {
  const base = await baseOfOurs(copy, current, request);
  if (base) return base;
  throw new ConfigError(
    { file: current.file },
    {
      found: `the file has uncommitted changes in "${copy.path}"`,
      expected: 'none, since they would get into the commit',
      next: 'Commit them, or put them away ("git stash").',
    },
  );
}
