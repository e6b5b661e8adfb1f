import { execFile, spawn } from 'node:child_process';
import { ConfigError } from '../error.ts';
import { maskText } from '../secrets.ts';
import { errorCode } from '../config-file.ts';

/** The result of a Git command. */
export interface GitAnswer {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

/** Variables that a surrounding Git hook may set, and that would direct our commands to another repository. */
const repositoryVariables = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_OBJECT_DIRECTORY'];
const maxOutputBytes = 256 * 1024 * 1024;

function environment(): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = {
    ...process.env,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_EDITOR: 'true',
    GIT_OPTIONAL_LOCKS: '0',
  };
  for (const name of repositoryVariables) delete variables[name];
  return variables;
}

interface GitOptions {
  input?: string | Buffer;
  /** Variables in addition to the environment. */
  variables?: Readonly<Record<string, string>>;
}

/** One Git working copy, used through the `git` program. Paths are literal and relative to its folder. */
export class GitWorkingCopy {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs Git and returns its result, whatever the exit code. Throws ConfigError if there is no `git` program. */
  async ask(args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        'git',
        ['-C', this.path, ...args],
        { encoding: 'buffer', maxBuffer: maxOutputBytes, env: { ...environment(), ...options.variables } },
        (error, stdout, stderr) => {
          if (errorCode(error) === 'ENOENT') {
            reject(new ConfigError({ file: this.path }, noGit));
          } else if (error && typeof error.code !== 'number') reject(error);
          else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr: stderr.toString('utf8') });
        },
      );
      // Git may end before it has read its input: its exit code then tells what went wrong.
      child.stdin?.on('error', () => child.stdin?.destroy());
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs Git and returns its output. Throws ConfigError if it fails. */
  async run(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    const { exitCode, stdout, stderr } = await this.ask(args, options);
    if (exitCode === 0) return stdout;
    throw new ConfigError(
      { file: this.path },
      {
        found: failure(args, exitCode, stderr),
        expected: 'exit code 0',
        next: 'Do what Git says, in the working copy.',
      },
    );
  }

  /**
   * Runs Git where it may contact another machine: in a session of its own, so that it cannot prompt at a terminal, and
   * killed with all its children after `timeoutMs`. Undefined if it did not end in time.
   */
  async askWithin(timeoutMs: number, args: readonly string[]): Promise<Omit<GitAnswer, 'stdout'> | undefined> {
    return new Promise((resolve, reject) => {
      const child = spawn('git', ['-C', this.path, ...args], {
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...environment(), SSH_ASKPASS_REQUIRE: 'never' },
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const timer = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        resolve(undefined);
      }, timeoutMs);
      child.on('error', reject);
      child.on('close', (exitCode) => {
        clearTimeout(timer);
        resolve({ exitCode: exitCode ?? 1, stderr });
      });
    });
  }

  async line(args: readonly string[]): Promise<string> {
    return (await this.run(args)).toString('utf8').trimEnd();
  }

  /** Runs Git on a list of paths of any length. A `*` in a path is literal. */
  async runOn(paths: readonly string[], args: readonly string[]): Promise<Buffer> {
    return this.run(...onPaths(paths, args));
  }

  /** As `runOn`, but returns the result whatever the exit code. */
  async askOn(paths: readonly string[], args: readonly string[], variables = {}): Promise<GitAnswer> {
    return this.ask(...onPaths(paths, args, variables));
  }

  /**
   * Returns a file as a checkout of `revision` (empty: the index) writes it, with filters applied. Undefined if it does
   * not exist there.
   */
  async fileAt(revision: string, path: string): Promise<Buffer | undefined> {
    const name = `${revision}:./${path}`;
    const { exitCode } = await this.ask(['cat-file', '-e', name]);
    return exitCode === 0 ? this.run(['cat-file', '--filters', name]) : undefined;
  }

  /** Returns a file of `revision` as a checkout writes it, and as Git stores it: either is no change for Git. */
  async formsAt(revision: string, path: string): Promise<Buffer[]> {
    const written = await this.fileAt(revision, path);
    if (!written) return [];
    const stored = await this.run(['cat-file', 'blob', `${revision}:./${path}`]);
    return stored.equals(written) ? [written] : [written, stored];
  }

  /** Returns the object id of a file in `revision` (empty: the index). Undefined if it does not exist there. */
  async idAt(revision: string, path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.ask(['rev-parse', '--verify', '--quiet', `${revision}:./${path}`]);
    return exitCode === 0 ? stdout.toString('utf8').trim() : undefined;
  }

  /** Returns the object id that a file of this content would get, with filters applied. Stores nothing. */
  async storedId(path: string, bytes: Buffer): Promise<string> {
    return (await this.run(['hash-object', `--path=${path}`, '--stdin'], { input: bytes })).toString('utf8').trim();
  }

  async has(revision: string): Promise<boolean> {
    return (await this.ask(['rev-parse', '--verify', '--quiet', revision])).exitCode === 0;
  }
}

const noGit = {
  found: 'cannot run "git"',
  expected: 'Git on the PATH of the worker',
  next: 'Install Git there, or put it on the PATH, and start the worker again.',
};

function onPaths(paths: readonly string[], args: readonly string[], variables = {}): [string[], GitOptions] {
  return [
    [...args, '--pathspec-from-file=-', '--pathspec-file-nul'],
    { input: paths.join('\0'), variables: { ...variables, GIT_LITERAL_PATHSPECS: '1' } },
  ];
}

/** Returns the first lines of Git's own message, without secrets that a hook may have printed. */
export function wordsOf(stderr: string): string {
  const lines = maskText(stderr)
    .split('\n')
    .map((line) => line.trim().replace(/[;,\s]+$/, ''))
    .filter(Boolean);
  return lines.slice(0, 3).join('; ');
}

/** Returns what to say of a Git command that failed. */
export function failure(args: readonly string[], exitCode: number, stderr: string): string {
  const words = wordsOf(stderr);
  return `"git ${args[0] ?? ''}" failed with exit code ${exitCode}${words ? `: ${words}` : ''}`;
}

/** Splits output that is separated by NUL. */
export function nulList(output: Buffer): string[] {
  return output.toString('utf8').split('\0').filter(Boolean);
}
