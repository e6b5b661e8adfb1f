/**
 * A sweep: trials as jobs, so many at once, each with a sample of the search space. What a trial achieved is read from
 * its log: the last line with the name of the primary metric and a number. Each such line is an interval of an early
 * termination policy.
 */

import { createHash } from 'node:crypto';
import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { isObject, numberOf, objectOf, textOf } from '../../bodies/fields.ts';
import { parentOf } from '../../job-life/job-family.ts';
import { FINISHED } from '../../job-life/job-life.ts';
import { below, copyBelow } from '../data/blob-files.ts';
import { cancelAll, nextLook, statusOf, submitChild } from './children.ts';
import { endedEarly, valuesIn, type Trial } from './early-termination.ts';
import { locateOutput } from '../data/job-data.ts';
import { RunFailure, type Ending, type Run, type RunEnd } from '../data/run-failure.ts';
import { RunLog } from '../data/run-log.ts';
import { samplesOf, type Sample } from './sampling.ts';

export class SweepRun implements Run {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private readonly properties: JsonObject;
  private readonly trials: Stored[] = [];
  private ending: Ending | undefined;
  private readonly log: RunLog;

  constructor(cloud: Cloud, job: Stored) {
    this.log = new RunLog(cloud, job, 'azureml-logs/hyperdrive.txt');
    this.cloud = cloud;
    this.job = job;
    this.properties = job.resource.properties;
  }

  /** A sweep is on no node: where nodes are lost, its trials fail. */
  end(how: Ending): void {
    if (how === 'stopped' || (how !== 'lost' && this.ending === undefined)) this.ending = how;
  }

  async run(): Promise<RunEnd> {
    try {
      return await this.runTrials();
    } catch (error) {
      cancelAll(this.cloud, this.unfinished());
      throw error;
    }
  }

  private async runTrials(): Promise<RunEnd> {
    const { maxTotalTrials, maxConcurrentTrials } = objectOf(this.properties.limits);
    const samples = samplesOf(this.properties, this.seed(), numberOf(maxTotalTrials));
    await this.tell('GENERATOR', `Sampled '${samples.length}' jobs from the hyperparameter space.`);
    const atOnce = Math.max(1, numberOf(maxConcurrentTrials) ?? samples.length);
    while (this.ending === undefined) {
      while (this.unfinished().length < atOnce && this.trials.length < samples.length)
        await this.begin(samples[this.trials.length] ?? {});
      if (this.unfinished().length === 0) return await this.judge();
      await this.endEarly();
      await nextLook();
    }
    cancelAll(this.cloud, this.unfinished());
    while (this.unfinished().length > 0 && !this.isStopped()) await nextLook();
    if (this.ending === 'timeout') await this.keepBest();
    return { outcome: this.ending === 'failed' ? 'Failed' : 'Canceled' };
  }

  private isStopped(): boolean {
    return this.ending === 'stopped';
  }

  private seed(): number {
    const { seed } = objectOf(this.properties.samplingAlgorithm);
    return numberOf(seed) ?? createHash('sha256').update(this.job.resource.name).digest().readUInt32BE();
  }

  private async begin(sample: Sample): Promise<void> {
    const name = `${this.job.resource.name}_${this.trials.length}`;
    await this.tell('SCHEDULER', `Scheduling job, id='${name}'`);
    this.trials.push(await submitChild(this.cloud, this.job, name, this.trialJob(name, sample)));
  }

  private trialJob(name: string, sample: Sample): JsonObject {
    const { trial, inputs, outputs, computeId, experimentName, limits, identity } = this.properties;
    const given = Object.entries(sample).map(([key, value]) => [
      key,
      { jobInputType: 'literal', value: typeof value === 'string' ? value : JSON.stringify(value) },
    ]);
    const spec = objectOf(trial);
    const timeout = textOf(objectOf(limits).trialTimeout);
    return {
      ...spec,
      jobType: 'Command',
      command: (textOf(spec.command) ?? '').replaceAll(/\$\{\{\s*search_space\./g, '${{inputs.'),
      displayName: name,
      experimentName: experimentName ?? null,
      computeId: computeId ?? null,
      identity: identity ?? null,
      inputs: { ...objectOf(inputs), ...Object.fromEntries(given) },
      outputs: this.trialOutputs(objectOf(outputs)),
      limits: timeout === undefined ? null : { jobLimitsType: 'Command', timeout },
      properties: { hyperparameters: JSON.stringify(sample) },
    };
  }

  /**
   * Each trial of a step writes to a place of its own, and of a step that registers what it makes only the best is
   * registered.
   */
  private trialOutputs(declared: JsonObject): JsonObject {
    const named = Object.entries(declared).filter(([name]) => name !== 'default');
    const outputs = named.map(([name, output]) => {
      const { uri, assetName: _name, assetVersion: _version, ...kept } = objectOf(output);
      return [name, this.isStep() || uri === undefined ? kept : { ...kept, uri }];
    });
    return Object.fromEntries(outputs) as JsonObject;
  }

  private isStep(): boolean {
    return parentOf(this.job) !== undefined;
  }

  /** Asks those to end that the policy of the sweep ends early. */
  private async endEarly(): Promise<void> {
    const { earlyTermination, objective } = this.properties;
    if (!isObject(earlyTermination)) return;
    const { primaryMetric, goal } = objectOf(objective);
    const running = this.trials.filter(({ resource }) => this.status(resource.id) === 'Running');
    if (running.length === 0) return;
    const trials: Trial[] = [];
    for (const trial of this.trials)
      trials.push({
        name: trial.resource.name,
        isRunning: running.includes(trial),
        values: await this.reported(trial, textOf(primaryMetric) ?? ''),
      });
    for (const name of endedEarly(earlyTermination, textOf(goal) ?? '', trials)) {
      await this.tell('CONTROLLER', `Canceling job, id='${name}': its early termination policy ends it`);
      const ended = running.filter(({ resource }) => resource.name === name);
      cancelAll(
        this.cloud,
        ended.map(({ resource }) => resource.id),
      );
    }
  }

  private async tell(who: string, what: string): Promise<void> {
    await this.log.say(`[${this.log.now().toISOString().replace('Z', '000')}][${who}][INFO]${what}`);
  }

  private async judge(): Promise<RunEnd> {
    await this.tell('CONTROLLER', `Experiment was 'ExperimentStatus.RUNNING', is 'ExperimentStatus.FINISHED'.`);
    const completed = this.trials.filter(({ resource }) => this.status(resource.id) === 'Completed');
    if (completed.length === 0)
      throw new RunFailure('UserError', `None of the ${this.trials.length} trials completed.`);
    await this.keepBest();
    return { outcome: 'Completed' };
  }

  /**
   * Keeps with the sweep which trial is the best, as its clients read it; without a metric in any log there is none.
   */
  private async keepBest(): Promise<void> {
    const { primaryMetric, goal } = objectOf(this.properties.objective);
    const metric = textOf(primaryMetric) ?? '';
    let best: { trial: Stored; score: number } | undefined;
    for (const trial of this.trials) {
      if (this.status(trial.resource.id) !== 'Completed') continue;
      const score = (await this.reported(trial, metric)).at(-1);
      if (score === undefined) continue;
      this.keep(trial.resource.id, { score: String(score) });
      const isBetter = goal === 'Maximize' ? score > (best?.score ?? -Infinity) : score < (best?.score ?? Infinity);
      if (isBetter) best = { trial, score };
    }
    if (!best) return;
    if (this.isStep()) await this.takeOutputs(best.trial);
    this.keep(this.job.resource.id, {
      best_child_run_id: best.trial.resource.name,
      score: String(best.score),
      best_metric_status: 'Available',
    });
  }

  /** Steps that take an output of this one take that of its best trial. */
  private async takeOutputs(trial: Stored): Promise<void> {
    for (const name of Object.keys(objectOf(this.properties.outputs))) {
      const from = name === 'default' ? undefined : locateOutput(this.cloud, trial, name);
      const to = locateOutput(this.cloud, this.job, name);
      if (from && to) await copyBelow(this.cloud.blobs, from, to);
    }
  }

  /** What a trial has reported of its metric, so far. */
  private async reported(trial: Stored, metric: string): Promise<number[]> {
    const place = locateOutput(this.cloud, trial, 'default');
    if (!place) return [];
    const { account, container, path } = below(place, 'user_logs/std_log.txt');
    return valuesIn((await this.cloud.blobs.getBlob(account, container, path)) ?? '', metric);
  }

  private keep(id: string, more: JsonObject): void {
    const job = this.cloud.store.get(id);
    if (!job) return;
    const { properties } = job.resource;
    const kept = { ...properties, properties: { ...objectOf(properties.properties), ...more } };
    this.cloud.store.put({ ...job, resource: { ...job.resource, properties: kept } });
  }

  private unfinished(): string[] {
    return this.trials.map(({ resource }) => resource.id).filter((id) => !FINISHED.has(this.status(id)));
  }

  private status(id: string): string {
    return statusOf(this.cloud, id);
  }
}
