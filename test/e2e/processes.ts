/**
 * Processes of a scene: commands and workers, each in a folder and an environment of its own; only these are ended, by
 * their pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Program {
  /** Of its own; also its HOME. */
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** File that takes what it prints. */
  log: string;
}

export class Running {
  readonly #child: ChildProcess;
  /** Both streams, as they came. */
  output = '';
  /** Standard output alone. */
  out = '';
  /** The exit code; for a process that was killed, the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(file: string, args: string[], { folder, environment, log }: Program) {
    this.#child = spawn(process.execPath, [file, ...args], {
      cwd: folder,
      env: { ...environment, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        appendFileSync(log, chunk);
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => resolve(code ?? signal ?? 1));
    });
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the process was not started');
    return pid;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.alive) process.kill(this.pid, signal);
    await this.ended;
  }

  /** Waits for words in its output. */
  async says(words: string | RegExp, seconds = 60): Promise<void> {
    const said = () => (typeof words === 'string' ? this.output.includes(words) : words.test(this.output));
    await waitFor(`"${String(words)}" in the output`, () => said() || !this.alive, seconds).catch((error: unknown) => {
      throw new Error(`${String(error)}:\n${this.output}`);
    });
    if (!said()) throw new Error(`it ended without saying "${String(words)}":\n${this.output}`);
  }
}

/** Looks again and again until `condition` answers something true; fails after `seconds`. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  seconds = 60,
  everyMs = 50,
): Promise<Exclude<T, false | undefined | null>> {
  for (const until = Date.now() + seconds * 1000; ; await delay(everyMs)) {
    const found = await condition();
    if (found !== false && found !== undefined && found !== null) return found as Exclude<T, false | undefined | null>;
    if (Date.now() > until) throw new Error(`waited ${seconds} s for ${what}`);
  }
}
