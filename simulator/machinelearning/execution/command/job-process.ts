/** Process groups of jobs: started, ended whole, and known again after a restart of the local Azure. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface Start {
  command: string;
  cwd: string;
  environment: Record<string, string>;
  /** The file that stdout and stderr go to. */
  log: string;
}

/**
 * Runs a command with bash as the leader of a process group of its own. Its output goes to the file, whatever becomes
 * of us.
 */
export function startProcess({ command, cwd, environment, log }: Start): ChildProcess {
  const output = openSync(log, 'a');
  try {
    return spawn('bash', ['-c', command], {
      cwd,
      env: environment,
      detached: true,
      stdio: ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

/** Sends a signal to all of a group; one that is gone is none of our business any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * When a process began, in whatever words the system has for it; undefined: there is no such process, or only what is
 * left of it.
 */
export function beganAt(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // From the third field on; the second, the name in brackets, may hold anything.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // No such process: that is the answer.
  }
}

/**
 * Ends a group that a former life of the local Azure started. A leader that began at another time is a stranger's,
 * which had the number only because all of the group was gone; without a leader, the number is still the group's.
 */
export function endFormerGroup({ pid, began }: { pid: number; began: string }): void {
  const now = beganAt(pid);
  if (now === undefined || now === began) signalGroup(pid, 'SIGKILL');
}
