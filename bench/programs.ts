/** The commands that a user would type, as processes of their own, in one folder and one environment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Background {
  pid: number;
  /** A file. */
  log: string;
}

export class Programs {
  readonly #folder: string;
  readonly #started: ChildProcess[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Runs a program to its end; returns what it printed. Throws an Error with that if it ends with another code than
   * `expected`.
   */
  async run(
    file: string,
    args: string[],
    environment: NodeJS.ProcessEnv,
    expected: readonly number[] = [0],
  ): Promise<string> {
    const child = this.#start([file, ...args], environment, ['ignore', 'pipe', 'pipe']);
    let output = '';
    let errors = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (code !== null && expected.includes(code)) return output;
    throw new Error(`${file} ${args.join(' ')} ended with ${code}:\n${output}${errors}`);
  }

  /**
   * Starts a program and waits until it has said `words`; returns its process id and its log. `args`: all of Node's.
   */
  async background(name: string, args: string[], environment: NodeJS.ProcessEnv, words: string): Promise<Background> {
    const log = join(this.#folder, `${name}.log`);
    const output = openSync(log, 'w');
    const child = this.#start(args, environment, ['ignore', output, output]);
    for (const until = Date.now() + 120_000; !readFileSync(log, 'utf8').includes(words); await delay(50)) {
      if (child.exitCode === null && Date.now() < until) continue;
      throw new Error(`${name} did not say "${words}":\n${readFileSync(log, 'utf8')}`);
    }
    return { pid: child.pid ?? 0, log };
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    for (const child of this.#started) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
  }

  #start(args: string[], environment: NodeJS.ProcessEnv, stdio: ('ignore' | 'pipe' | number)[]): ChildProcess {
    const env = { ...process.env, NO_COLOR: '1', ...environment };
    const child = spawn(process.execPath, args, { cwd: this.#folder, env, stdio });
    this.#started.push(child);
    return child;
  }
}
