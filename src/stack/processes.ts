/**
 * Processes of the embedded stack: started detached, recorded by pid and command, and ended by pid only if they are
 * still ours.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync, closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that was started. */
export interface Started {
  name: string;
  pid: number;
  /** When the kernel started it: distinguishes our process from a later one with the same pid. */
  mark: string;
}

/** How a process of the stack is started. */
export interface StartOptions {
  name: string;
  command: string;
  args: string[];
  environment?: NodeJS.ProcessEnv;
  /** The file for its output. */
  log: string;
}

/**
 * Starts a detached process.
 * Errors: Error if it cannot be started.
 */
export function start({ name, command, args, environment, log }: StartOptions): Started {
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    });
    child.unref();
    child.on('error', () => undefined); // what cannot be started has no pid, and is reported here, not as an event
    if (child.pid === undefined) throw new Error(`${name} could not be started: ${command}`);
    return { name, pid: child.pid, mark: markOf(child.pid) ?? '' };
  } finally {
    closeSync(output);
  }
}

/**
 * Returns the process's start time by the kernel's clock. Undefined if there is no such process, '' if it cannot be
 * known.
 */
function markOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : (fields[19] ?? '');
  } catch {
    return process.platform === 'linux' ? undefined : isAlive(pid) ? '' : undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Returns a running process, so that it can be ended. Empty if it is not running. */
export function identify(name: string, pid: number): Started[] {
  const mark = markOf(pid);
  return mark === undefined ? [] : [{ name, pid, mark }];
}

/** Whether it is still the process that was started. */
export function isRunning({ pid, mark }: Started): boolean {
  return markOf(pid) === mark;
}

/** Asks it to end, and kills it after `graceMs`. Resolves once it is gone. */
export async function stop(started: Started, graceMs = 8000): Promise<void> {
  if (!isRunning(started)) return;
  signal(started.pid, 'SIGTERM');
  const until = Date.now() + graceMs;
  for (let killed = false; isRunning(started); await delay(50)) {
    if (killed || Date.now() <= until) continue;
    killed = true;
    signal(started.pid, 'SIGKILL');
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
