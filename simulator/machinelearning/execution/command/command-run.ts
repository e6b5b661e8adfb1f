/**
 * One command job as a process of this machine: its folder filled, its command run, what it writes uploaded, its group
 * ended.
 */

import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Cloud, Stored } from '../../../contract/index.ts';
import { substitute } from './bindings.ts';
import { commandOf } from './command-spec.ts';
import { environmentOf } from './job-environment.ts';
import { beganAt, signalGroup, startProcess } from './job-process.ts';
import { RunFailure, type Ending, type Run, type RunEnd } from '../data/run-failure.ts';
import { prepareWorkplace, type Workplace } from './workplace.ts';

/** Between two looks at what the job has written, in real time. */
const LOOK_MS = 500;
/** From the request to end until a process is made to, in real time. */
const GRACE_MS = 5000;
/** How often the last upload is tried, a look apart: longer than Azurite takes to start again. */
const LAST_TRIES = 60;

/** What a run tells: its process, once there is one, and that it is gone. */
export interface Told {
  began(process: { pid: number; began: string }): void;
  exited(): void;
}

export class CommandRun implements Run {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private readonly folder: string;
  private readonly told: Told;
  private ending: Ending | undefined;
  private pid: number | undefined;
  private readonly woken = new AbortController();

  /** `folder`: where it works; made, and left to the caller to remove. */
  constructor(cloud: Cloud, job: Stored, folder: string, told: Told) {
    this.cloud = cloud;
    this.job = job;
    this.folder = folder;
    this.told = told;
  }

  end(how: Ending): void {
    const isFinal = how === 'lost' || how === 'stopped';
    if (this.ending !== undefined && !isFinal) return;
    this.ending = how;
    if (this.pid === undefined) return;
    const pid = this.pid;
    signalGroup(pid, isFinal ? 'SIGKILL' : 'SIGTERM');
    if (!isFinal) setTimeout(() => this.pid === pid && signalGroup(pid, 'SIGKILL'), GRACE_MS).unref();
  }

  async run(): Promise<RunEnd> {
    const place = await prepareWorkplace(this.cloud, this.job, this.folder);
    if (this.ending !== undefined) return endOf(this.ending);
    await writeFile(place.log, '');
    const child = this.start(place);
    const exit = exitOf(child);
    const status = await this.follow(place, exit);
    this.told.exited();
    await this.finish(place);
    if (this.ending !== undefined) return endOf(this.ending);
    if (status === 'code 0') return { outcome: 'Completed' };
    throw new RunFailure(
      'UserError',
      `Execution failed. User process 'bash' exited with ${status}. Please check log file 'user_logs/std_log.txt' for error details.`,
    );
  }

  private start({ code, log, places }: Workplace): ChildProcess {
    const { command } = commandOf(this.cloud, this.job);
    if (command === undefined) throw new RunFailure('UserError', 'The job has no command.');
    const { inputs, outputs } = places;
    const child = startProcess({
      command: substitute(command, { inputs, outputs }),
      cwd: code,
      environment: environmentOf(this.cloud, this.job, places),
      log,
    });
    if (child.pid !== undefined) {
      this.pid = child.pid;
      this.told.began({ pid: child.pid, began: beganAt(child.pid) ?? '' });
    }
    return child;
  }

  /**
   * Uploads what is written until the process has ended; answers how it did. Children that it left behind end with it.
   */
  private async follow(place: Workplace, exit: Promise<string>): Promise<string> {
    const ended = exit.finally(() => this.woken.abort());
    ended.catch(() => undefined); // Awaited below.
    while (!this.woken.signal.aborted) {
      await pause(LOOK_MS, this.woken.signal);
      if (this.woken.signal.aborted) break;
      if (!this.cloud.store.get(this.job.resource.id)) this.end('lost'); // Deleted with its workspace.
      await this.upload(place).catch((error: unknown) => this.uploadFailed(error));
    }
    const status = await ended;
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
    this.pid = undefined;
    return status;
  }

  private async upload({ uploads }: Workplace): Promise<void> {
    await uploads.log?.upload();
    for (const output of uploads.live) await output.upload();
  }

  /** Of one that was made to end, only what it had finished writing. */
  private async uploadLast({ uploads }: Workplace, exitedAt: number): Promise<void> {
    await uploads.log?.uploadWhole();
    if (this.ending !== undefined) for (const output of uploads.live) await output.upload(exitedAt);
    else for (const output of [...uploads.live, ...uploads.atEnd]) await output.uploadWhole();
  }

  private uploadFailed(error: unknown): void {
    this.cloud.log(`job '${this.job.resource.id}': what it wrote could not be uploaded: ${String(error)}`);
  }

  /** The last upload. Of one whose node is lost, nothing. */
  private async finish(place: Workplace): Promise<void> {
    if (this.ending === 'lost' || this.ending === 'stopped') return;
    const exitedAt = Date.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.uploadLast(place, exitedAt);
        return;
      } catch (error) {
        this.uploadFailed(error);
        if (error instanceof RunFailure) throw error;
        if (attempt === LAST_TRIES || !this.cloud.store.get(this.job.resource.id))
          throw new RunFailure('SystemError', 'The outputs of the run could not be uploaded.');
        await pause(LOOK_MS);
      }
    }
  }
}

export function endOf(ending: Ending): RunEnd {
  switch (ending) {
    case 'canceled':
    case 'timeout':
      return { outcome: 'Canceled' };
    case 'failed':
      return { outcome: 'Failed' };
    case 'lost':
    case 'stopped':
      return {
        outcome: 'Failed',
        error: { code: 'SystemError', message: 'The node on which the run ran was lost.' },
      };
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
    child.once('error', (error) =>
      reject(new RunFailure('SystemError', `bash could not be started: ${error.message}`)),
    );
  });
}

function pause(milliseconds: number, woken?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    woken?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
