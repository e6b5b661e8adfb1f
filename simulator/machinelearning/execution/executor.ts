/**
 * Runs the jobs that really run: begins each when the queue of its compute says so, and keeps with the job what becomes
 * of it. Who runs is not foreseen but seen, so the jobs behind it are foreseen afresh when it ends.
 */

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud, Stored } from '../../contract/index.ts';
import { objectOf, textOf } from '../bodies/fields.ts';
import { onLifeChanged } from '../job-life/job-events.ts';
import { durationMs, FINISHED, hasStarted, lifeOf, statusAt, withLife, type Execution } from '../job-life/job-life.ts';
import { changeLife, JOBS } from '../job-life/job-queue.ts';
import { CommandRun } from './command/command-run.ts';
import { copyOf, CopyRun } from './command/copy-run.ts';
import { executesJobs } from './command/executing-compute.ts';
import { endFormerGroup } from './command/job-process.ts';
import { PipelineRun } from './children/pipeline-run.ts';
import { registerOutputs } from './children/register-outputs.ts';
import { RunFailure, type Run, type RunEnd } from './data/run-failure.ts';
import { SweepRun } from './children/sweep-run.ts';

const NODE_LOST = { code: 'SystemError', message: 'The node on which the run ran was lost.' };

interface Running {
  run: Run;
  /** Settles when all is kept with the job. */
  ended: Promise<void>;
}

export class Executor {
  private readonly cloud: Cloud;
  private readonly due = new Map<string, { cancel(): void }>();
  private readonly running = new Map<string, Running>();
  /** Due, but there are no computes. */
  private readonly held = new Set<string>();
  private stopped = false;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
  }

  /**
   * Takes up what a former life of the local Azure left: its processes are ended, and the jobs that ran have failed.
   */
  start(): void {
    const unfinished = this.cloud.store.ofType(JOBS).filter((job) => {
      const { execution } = lifeOf(job);
      return execution && execution.endedAt === undefined;
    });
    for (const job of unfinished) {
      const { process } = lifeOf(job).execution ?? {};
      if (process) endFormerGroup(process);
    }
    rmSync(this.cloud.workFolder, { recursive: true, force: true });
    for (const { resource } of unfinished) {
      const job = this.cloud.store.get(resource.id); // Moved up, perhaps, when one before it was settled.
      if (!job) continue;
      if (lifeOf(job).execution?.process) this.settle(keyOf(job), { outcome: 'Failed', error: NODE_LOST });
      else this.consider(job);
    }
    onLifeChanged(this.cloud, (job) => this.consider(job));
    this.cloud.onOutage((region) => this.considerRegion(region));
  }

  /** Ends all processes. Their jobs are found without them when the local Azure starts again. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const { run } of this.running.values()) run.end('stopped');
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }

  /** Begins, arms or ends the run of a job, as its life now says. */
  private consider(job: Stored): void {
    const life = lifeOf(job);
    if (!life.execution || life.execution.endedAt !== undefined || this.stopped) return;
    const key = keyOf(job);
    this.due.get(key)?.cancel();
    this.due.delete(key);
    const running = this.running.get(key);
    const isOver = life.cancelRequestedAt !== undefined || life.failedAt !== undefined;
    if (running && isOver) running.run.end(life.failedAt === undefined ? 'canceled' : 'failed');
    else if (isOver) this.settle(key, { outcome: life.failedAt === undefined ? 'Canceled' : 'Failed' });
    else if (!running && life.startsAt !== null) {
      const wait = Math.max(0, life.startsAt - this.cloud.clock.now());
      this.due.set(
        key,
        this.cloud.clock.after(wait, () => this.begin(key)),
      );
    }
  }

  /**
   * What ran in a region whose computes are lost has failed; what was due meanwhile begins when there are computes
   * again.
   */
  private considerRegion(region: string): void {
    const areLost = this.cloud.areComputesLost(region);
    const now = this.cloud.clock.now();
    for (const job of this.cloud.store.ofType(JOBS)) {
      const life = lifeOf(job);
      if (job.region !== region || FINISHED.has(statusAt(life, now))) continue;
      if (!areLost) this.consider(job);
      else if (!life.execution && hasStarted(life, now)) changeLife(this.cloud, job, { ...life, failedAt: now });
      else if (life.execution) this.running.get(keyOf(job))?.run.end('lost');
    }
  }

  private begin(key: string): void {
    this.due.delete(key);
    const job = this.cloud.store.get(key);
    if (!job || this.stopped || this.running.has(key)) return;
    if (this.cloud.areComputesLost(job.region ?? '')) {
      this.held.add(key);
      return;
    }
    if (this.held.delete(key))
      this.cloud.store.put(withLife(job, { ...lifeOf(job), startsAt: this.cloud.clock.now() }));
    const run = this.runOf(job);
    // Kept before anything can end: the first thing that a run does is to wait.
    this.running.set(key, { run, ended: this.follow(key, run, limitOf(job)) });
  }

  private runOf(job: Stored): Run {
    const key = keyOf(job);
    switch (textOf(job.resource.properties.jobType)) {
      case 'Pipeline':
        return new PipelineRun(this.cloud, job);
      case 'Sweep':
        return new SweepRun(this.cloud, job);
      default: {
        const copy = copyOf(job.resource.properties);
        const { compute } = lifeOf(job);
        const isExecuted = compute !== null && executesJobs(this.cloud.store.get(compute));
        if (copy && !isExecuted) return new CopyRun(this.cloud, job, copy);
        return new CommandRun(this.cloud, job, this.folderOf(key), {
          began: (process) => this.note(key, { process }),
          exited: () => this.note(key, { exitedAt: this.cloud.clock.now() }),
        });
      }
    }
  }

  private async follow(key: string, run: Run, limitMs: number | undefined): Promise<void> {
    const limit = limitMs === undefined ? undefined : this.cloud.clock.after(limitMs, () => run.end('timeout'));
    let end: RunEnd;
    try {
      await Promise.resolve();
      end = await run.run();
      if (end.outcome === 'Completed') await registerOutputs(this.cloud, key, () => this.stopped);
    } catch (error) {
      if (!(error instanceof RunFailure)) this.cloud.log(`job '${key}': ${String(error)}`);
      const code = error instanceof RunFailure ? error.code : 'SystemError';
      end = {
        outcome: 'Failed',
        error: { code, message: error instanceof Error ? error.message : String(error) },
      };
    }
    limit?.cancel();
    rmSync(this.folderOf(key), { recursive: true, force: true });
    this.running.delete(key);
    // One that the local Azure itself ended fails when that starts again, as after a crash.
    if (!this.stopped) this.settle(key, end);
  }

  private note(key: string, more: Execution): void {
    const job = this.cloud.store.get(key);
    if (!job || this.stopped) return;
    const life = lifeOf(job);
    this.cloud.store.put(withLife(job, { ...life, execution: { ...life.execution, ...more } }));
  }

  private settle(key: string, { outcome, error }: RunEnd): void {
    const job = this.cloud.store.get(key);
    if (!job) return;
    const life = lifeOf(job);
    const execution = { ...life.execution, endedAt: this.cloud.clock.now(), ...(error ? { error } : {}) };
    changeLife(this.cloud, job, { ...life, outcome, execution });
  }

  /** Short, whatever the job is called: paths have limits. */
  private folderOf(key: string): string {
    return join(this.cloud.workFolder, createHash('sha256').update(key).digest('hex').slice(0, 16));
  }
}

function keyOf(job: Stored): string {
  return job.resource.id.toLowerCase();
}

/** On the cloud's clock. */
function limitOf(job: Stored): number | undefined {
  return durationMs(textOf(objectOf(job.resource.properties.limits).timeout));
}
