/** A pipeline: each step submitted as a job when the steps whose outputs it takes have completed. */

import { createHash } from 'node:crypto';
import type { Cloud, Stored } from '../../../contract/index.ts';
import { isObject, objectOf } from '../../bodies/fields.ts';
import { FINISHED } from '../../job-life/job-life.ts';
import { needsOf } from '../../job-life/job-steps.ts';
import { cancelAll, nextLook, statusOf, submitChild } from './children.ts';
import { RunLog } from '../data/run-log.ts';
import { RunFailure, type Ending, type Run, type RunEnd } from '../data/run-failure.ts';
import { stepJob } from './step-job.ts';

export class PipelineRun implements Run {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private ending: Ending | undefined;
  /** By step. */
  private readonly children = new Map<string, Stored>();
  /** The names of the steps' jobs whose end the log has. */
  private readonly told = new Set<string>();
  private readonly log: RunLog;

  constructor(cloud: Cloud, job: Stored) {
    this.cloud = cloud;
    this.job = job;
    this.log = new RunLog(cloud, job, 'logs/azureml/executionlogs.txt');
  }

  /** A pipeline is on no node: where nodes are lost, its steps fail, and it by them. */
  end(how: Ending): void {
    if (how === 'stopped' || (how !== 'lost' && this.ending === undefined)) this.ending = how;
  }

  async run(): Promise<RunEnd> {
    try {
      return await this.runSteps(this.readSteps());
    } catch (error) {
      cancelAll(this.cloud, this.unfinished());
      throw error;
    }
  }

  private async runSteps(needs: Map<string, string[]>): Promise<RunEnd> {
    const { continue_on_step_failure: snake, continueOnStepFailure: camel } = objectOf(
      this.job.resource.properties.settings,
    );
    const goesOn = snake === true || camel === true;
    for (;;) {
      if (this.ending !== undefined) break;
      await this.tellEnded();
      await this.beginAll(this.ready(needs));
      const failed = this.inState((status) => status === 'Failed' || status === 'Canceled');
      const isOver = this.unfinished().length === 0 && (this.ready(needs).length === 0 || failed.length > 0);
      if ((failed.length > 0 && !goesOn) || isOver) return this.close(failed);
      await nextLook();
    }
    if (this.ending !== 'stopped') await this.close([]);
    return { outcome: this.ending === 'failed' ? 'Failed' : 'Canceled' };
  }

  /** What each step waits for. Errors: RunFailure for one that waits for no step, or for itself. */
  private readSteps(): Map<string, string[]> {
    const { jobs: steps = {} } = this.job.resource.properties;
    if (!isObject(steps)) throw new RunFailure('UserError', 'The jobs of the pipeline are no object.');
    const needs = new Map(Object.entries(steps).map(([name, node]) => [name, needsOf(node)]));
    for (const [name, others] of needs)
      for (const other of others)
        if (!needs.has(other))
          throw new RunFailure('UserError', `The step '${name}' takes an output of '${other}', which is no step.`);
    const settled = new Set<string>();
    for (let before = -1; before < settled.size;) {
      before = settled.size;
      for (const [name, others] of needs) if (others.every((other) => settled.has(other))) settled.add(name);
    }
    const circular = [...needs.keys()].filter((name) => !settled.has(name));
    if (circular.length > 0) throw new RunFailure('UserError', `The steps ${circular.join(', ')} wait for each other.`);
    return needs;
  }

  private ready(needs: ReadonlyMap<string, string[]>): string[] {
    const completed = this.inState((status) => status === 'Completed');
    return [...needs.keys()].filter(
      (name) => !this.children.has(name) && needs.get(name)?.every((other) => completed.includes(other)),
    );
  }

  private async beginAll(names: string[]): Promise<void> {
    if (names.length === 0) return;
    const first = names
      .slice(0, 5)
      .map((name) => childName(this.job, name))
      .map((id) => `${id.slice(0, 8)}:${id}`);
    await this.tell(`Submitting ${names.length} runs, first five are: ${first.join(',')}`);
    for (const name of names) await this.begin(name);
  }

  private async tellEnded(): Promise<void> {
    for (const { resource } of this.children.values()) {
      if (this.told.has(resource.name) || !FINISHED.has(statusOf(this.cloud, resource.id))) continue;
      this.told.add(resource.name);
      await this.tell(`Completing processing run id ${resource.name}.`);
    }
  }

  private async tell(what: string): Promise<void> {
    await this.log.say(`[${this.log.now().toISOString().slice(0, 19).replace('T', ' ')}Z] ${what}`);
  }

  private async begin(name: string): Promise<void> {
    const node = objectOf(this.job.resource.properties.jobs)[name];
    if (!isObject(node)) throw new RunFailure('UserError', `The step '${name}' is no object.`);
    const properties = stepJob({ cloud: this.cloud, pipeline: this.job, name, node, done: this.children });
    const child = await submitChild(this.cloud, this.job, childName(this.job, name), properties);
    this.children.set(name, child);
  }

  /** Ends what still runs, and says how the pipeline ended. */
  private async close(failed: string[]): Promise<RunEnd> {
    cancelAll(this.cloud, this.unfinished());
    while (this.unfinished().length > 0 && this.ending !== 'stopped') await nextLook();
    await this.tellEnded();
    await this.tell(
      failed.length > 0
        ? 'Execution of experiment failed, update experiment status and cancel running nodes.'
        : 'Finishing experiment: no runs left and nothing to schedule.',
    );
    if (failed.length === 0) return { outcome: 'Completed' };
    const message = `Pipeline has failed steps: ${failed.join(', ')}. See the details of the step's run.`;
    return { outcome: 'Failed', error: { code: 'UserError', message } };
  }

  private inState(is: (status: string) => boolean): string[] {
    return [...this.children].filter(([, child]) => is(statusOf(this.cloud, child.resource.id))).map(([name]) => name);
  }

  private unfinished(): string[] {
    return [...this.children.values()]
      .map(({ resource }) => resource.id)
      .filter((id) => !FINISHED.has(statusOf(this.cloud, id)));
  }
}

/** A guid as Azure gives it, but the same when asked again after a restart. */
function childName(job: Stored, step: string): string {
  const hex = createHash('sha256').update(`${job.resource.id.toLowerCase()}/${step}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
