/** What else a commit runs: hooks, and the program that signs it. Only reads. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { ConfigError } from '../error.ts';
import type { ConfigFinding } from '../outcome.ts';
import type { GitWorkingCopy } from './git.ts';

/** Hooks that may refuse a commit, or change its message. */
const names = ['pre-commit', 'prepare-commit-msg', 'commit-msg', 'reference-transaction'];

/** Returns the hooks that Git runs for a commit: those that are executable, wherever `core.hooksPath` has them. */
export async function commitHooks(copy: GitWorkingCopy): Promise<string[]> {
  const own = await setting(copy, 'core.hooksPath', 'path');
  const folder =
    own === undefined
      ? resolve(copy.path, await copy.line(['rev-parse', '--git-path', 'hooks']))
      : resolve(await copy.line(['rev-parse', '--show-toplevel']), own);
  const found = await Promise.all(names.map(async (name) => ((await isProgram(join(folder, name))) ? [name] : [])));
  return found.flat();
}

/** Returns warnings about what may refuse the commit although nothing is wrong with the files. */
export async function lookAtCommit(copy: GitWorkingCopy): Promise<ConfigFinding[]> {
  const hooks = await commitHooks(copy);
  const list = hooks.map((name) => `"${name}"`).join(', ');
  const warnings: Pick<ConfigFinding, 'found' | 'expected' | 'next'>[] = [];
  if (hooks.length > 0)
    warnings.push({
      found: `a hook will run for the commit (${list}) and may refuse it`,
      expected: 'one that accepts a change of workspace, without a person',
      next: 'See that it passes for the user that runs the worker.',
    });
  if (await isSigning(copy))
    warnings.push({
      found: 'commits are signed here ("commit.gpgsign"), and the signing may fail',
      expected: 'a key that the worker can use without a person',
      next: 'See that "git commit" signs for the user that runs the worker, without a question.',
    });
  return warnings.map((warning) => ({ severity: 'warning', file: copy.path, ...warning }));
}

/** Throws ConfigError if commits are signed and the program that signs them does not exist. */
export async function requireSigner(copy: GitWorkingCopy): Promise<void> {
  if (!(await isSigning(copy))) return;
  const program = await signerOf(copy);
  if (await isOnPath(copy, program)) return;
  throw new ConfigError(
    { file: copy.path },
    {
      found: `commits are signed here ("commit.gpgsign"), and there is no program "${program}"`,
      expected: 'the program that signs them',
      next: 'Install it on the host, or correct "gpg.program" of the repository.',
    },
  );
}

async function isSigning(copy: GitWorkingCopy): Promise<boolean> {
  return (await setting(copy, 'commit.gpgsign', 'bool')) === 'true';
}

const signers: Readonly<Record<string, string>> = { openpgp: 'gpg', x509: 'gpgsm', ssh: 'ssh-keygen' };

async function signerOf(copy: GitWorkingCopy): Promise<string> {
  const format = (await setting(copy, 'gpg.format')) ?? 'openpgp';
  const own = await setting(copy, `gpg.${format}.program`, 'path');
  const common = format === 'openpgp' ? await setting(copy, 'gpg.program', 'path') : undefined;
  return own ?? common ?? signers[format] ?? 'gpg';
}

async function setting(copy: GitWorkingCopy, name: string, type?: 'bool' | 'path'): Promise<string | undefined> {
  const { exitCode, stdout } = await copy.ask(['config', ...(type ? [`--type=${type}`] : []), '--get', name]);
  return exitCode === 0 ? stdout.toString('utf8').trim() : undefined;
}

async function isOnPath(copy: GitWorkingCopy, program: string): Promise<boolean> {
  if (program.includes('/')) return isProgram(resolve(copy.path, program));
  // Windows finds a program by more than its name.
  if (process.platform === 'win32') return true;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return (await Promise.all(folders.map((folder) => isProgram(join(folder, program))))).includes(true);
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
