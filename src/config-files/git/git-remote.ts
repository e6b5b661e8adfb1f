/** Checks whether the commit of a rewriting can be pushed. People push it themselves, so nothing here fails a run. */
import type { ConfigFinding } from '../outcome.ts';
import { wordsOf, type GitWorkingCopy } from './git.ts';

/** How long to wait for a remote: a part of the default time for an inspection. */
const remoteMs = 3000;

/**
 * Asks the branch's remote whether it would accept a push (`git push --dry-run`, without hooks). Changes nothing on
 * either side. Without a remote there is nothing to report.
 */
export async function lookAtRemote(copy: GitWorkingCopy, branch: string): Promise<ConfigFinding[]> {
  const remotes = (await copy.line(['remote'])).split('\n').filter(Boolean);
  if (remotes.length === 0) return [];
  const remote = await remoteOf(copy, branch);
  const next = 'Nothing is pushed by a move: see that somebody can, or people who pull keep the old files.';
  if (remote === undefined) {
    const found = `branch "${branch}" follows no branch of a remote`;
    return [finding(copy, { found, expected: 'a branch that is pushed and pulled', next })];
  }
  const to = (await setting(copy, `branch.${branch}.merge`)) ?? `refs/heads/${branch}`;
  const push = ['push', '--dry-run', '--no-verify', '--recurse-submodules=no', '--porcelain'];
  const answer = await copy.askWithin(remoteMs, [...push, remote, `HEAD:${to}`]);
  if (answer?.exitCode === 0) return [];
  const why = answer ? wordsOf(answer.stderr) : `no answer within ${remoteMs / 1000}s`;
  const found = `branch "${branch}" cannot be pushed to "${remote}": ${why}`;
  return [finding(copy, { found, expected: 'a remote that takes it', next })];
}

async function remoteOf(copy: GitWorkingCopy, branch: string): Promise<string | undefined> {
  const names = [`branch.${branch}.pushRemote`, 'remote.pushDefault', `branch.${branch}.remote`];
  for (const name of names) {
    const remote = await setting(copy, name);
    if (remote !== undefined) return remote;
  }
  return undefined;
}

async function setting(copy: GitWorkingCopy, name: string): Promise<string | undefined> {
  const { exitCode, stdout } = await copy.ask(['config', '--get', name]);
  const value = stdout.toString('utf8').trim();
  return exitCode === 0 && value !== '' ? value : undefined;
}

function finding(copy: GitWorkingCopy, diagnosis: Pick<ConfigFinding, 'found' | 'expected' | 'next'>): ConfigFinding {
  return { severity: 'warning', file: copy.path, ...diagnosis };
}
