/**
 * A sweep: trials as jobs, so many at once, each with a sample of the search space. What a trial achieved is read from its log: the last line
 * with the name of the primary metric and a number ('loss: 0.12', 'step 9 loss=0.12'). Early termination is not applied.
 */

import { createHash } from 'node:crypto';
import type { Cloud, JsonObject, Stored } from '../provider.ts';
import { numberOf, objectOf, textOf } from '../providers/machinelearning/fields.ts';
import { FINISHED } from '../providers/machinelearning/job-life.ts';
import { below } from './blob-files.ts';
import { cancelAll, nextLook, statusOf, submitChild } from './children.ts';
import { locateOutput } from './job-data.ts';
import { RunFailure, type Ending, type Run, type RunEnd } from './run-failure.ts';
import { samplesOf, type Sample } from './sampling.ts';

export class SweepRun implements Run {
  private readonly cloud: Cloud;
  private readonly job: Stored;
  private readonly properties: JsonObject;
  private readonly trials: Stored[] = [];
  private ending: Ending | undefined;

  constructor(cloud: Cloud, job: Stored) {
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
    const atOnce = Math.max(1, numberOf(maxConcurrentTrials) ?? samples.length);
    while (this.ending === undefined) {
      while (this.unfinished().length < atOnce && this.trials.length < samples.length)
        await this.begin(samples[this.trials.length] ?? {});
      if (this.unfinished().length === 0) return await this.judge();
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
    this.trials.push(await submitChild(this.cloud, this.job, name, this.trialJob(name, sample)));
  }

  private trialJob(name: string, sample: Sample): JsonObject {
    const { trial, inputs, outputs, computeId, experimentName, limits, identity } = this.properties;
    const { default: _, ...declared } = objectOf(outputs);
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
      outputs: declared,
      limits: timeout === undefined ? null : { jobLimitsType: 'Command', timeout },
      properties: { hyperparameters: JSON.stringify(sample) },
    };
  }

  private async judge(): Promise<RunEnd> {
    const completed = this.trials.filter(({ resource }) => this.status(resource.id) === 'Completed');
    if (completed.length === 0)
      throw new RunFailure('UserError', `None of the ${this.trials.length} trials completed.`);
    await this.keepBest();
    return { outcome: 'Completed' };
  }

  /** Keeps with the sweep which trial is the best, as its clients read it; without a metric in any log there is none. */
  private async keepBest(): Promise<void> {
    const { primaryMetric, goal } = objectOf(this.properties.objective);
    const metric = textOf(primaryMetric) ?? '';
    let best: { trial: Stored; score: number } | undefined;
    for (const trial of this.trials) {
      if (this.status(trial.resource.id) !== 'Completed') continue;
      const score = await this.score(trial, metric);
      if (score === undefined) continue;
      this.keep(trial.resource.id, { score: String(score) });
      const isBetter =
        goal === 'Maximize' ? score > (best?.score ?? -Infinity) : score < (best?.score ?? Infinity);
      if (isBetter) best = { trial, score };
    }
    if (best)
      this.keep(this.job.resource.id, {
        best_child_run_id: best.trial.resource.name,
        score: String(best.score),
        best_metric_status: 'Available',
      });
  }

  private async score(trial: Stored, metric: string): Promise<number | undefined> {
    const place = locateOutput(this.cloud, trial, 'default');
    if (!place) return undefined;
    const { account, container, path } = below(place, 'user_logs/std_log.txt');
    const log = (await this.cloud.blobs.getBlob(account, container, path)) ?? '';
    const name = metric.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const line = new RegExp(
      `(?<![\\w.])${name}["']?\\s*[:=]?\\s*(-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)`,
      'g',
    );
    const last = [...log.matchAll(line)].at(-1)?.[1];
    return last === undefined ? undefined : Number(last);
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
