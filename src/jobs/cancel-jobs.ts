/** Looks at all jobs of a workspace, and cancels them. */
import { setTimeout as wait } from 'node:timers/promises';
import { apiVersions, type Azure, type CallOptions } from '../azure/azure.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { isFinished, originTags, ownerOf, parentOf, statusOf, tagsOf, type RawJob } from './job.ts';
import { lineageOf } from './ledger.ts';
import type { StoppedJob } from './stopped-jobs.ts';

export interface Survey {
  /** Of a large workspace, no more than is needed. */
  unfinished: Map<string, StoppedJob>;
  /** name → status, of those that were asked about. */
  finished: Map<string, string>;
}

/** Errors: AzureUnavailable, CredentialError, AzureError. */
export async function surveyJobs(
  azure: Azure,
  side: Side,
  options: CallOptions,
  asked: { has(name: string): boolean } = new Set(),
): Promise<Survey> {
  const seen: Survey = { unfinished: new Map(), finished: new Map() };
  const jobs = `${workspaceId(side.workspace)}/jobs?listViewType=All`;
  for await (const job of azure.arm.list(jobs, apiVersions.machineLearning, options)) {
    const status = statusOf(job);
    if (!isFinished(status)) seen.unfinished.set(job.name, toSeen(job, side));
    else if (asked.has(job.name)) seen.finished.set(job.name, status);
  }
  return seen;
}

function toSeen(job: RawJob, side: Side): StoppedJob {
  const tags = tagsOf(job);
  const owner = ownerOf(job);
  const minor = parentOf(job) !== undefined || (originTags.run in tags && !(originTags.lineage in tags));
  return {
    status: statusOf(job),
    ...lineageOf(job, side),
    ...(owner === undefined ? {} : { owner }),
    ...(minor ? { minor } : {}),
  };
}

export interface Outcome {
  cancelled: string[];
  /** Ended by themselves just before: name → status. */
  ended: Record<string, string>;
}

export interface CancelAll {
  azure: Azure;
  side: Side;
  names: string[];
  options: CallOptions;
  /** How long the jobs may take to end once all are asked to. */
  patienceMs: number;
  progress: (done: number) => Promise<void>;
}

/** Requests side by side; the client paces itself below the subscription's limits. */
const window = 50;

/**
 * Asks all to end, then waits until they have: Azure's answer comes before its effect.
 * Errors: NotYetError when some are still ending; what has ended by then is in `outcome`.
 */
export async function cancelAll(
  { azure, side, names, options, patienceMs, progress }: CancelAll,
  outcome: Outcome,
): Promise<void> {
  for (let at = 0; at < names.length; at += window) {
    await progress(0);
    await Promise.all(names.slice(at, at + window).map((name) => askToEnd(azure, side, name, options)));
  }
  const until = Date.now() + patienceMs;
  for (let left = names, pause = 250; ; pause = Math.min(pause * 1.5, 5000)) {
    left = await stillEnding({ azure, side, names: left, options }, outcome);
    await progress(names.length - left.length);
    if (left.length === 0) return;
    if (Date.now() > until) {
      const what = `${left.length} of ${names.length} jobs of workspace "${side.workspace.name}"`;
      throw new UnderstudyError('NotYetError', `${what} are still being cancelled, such as "${left[0]}"`);
    }
    await wait(pause, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Looks at each job once; those that have ended are counted. */
async function stillEnding(
  { azure, side, names, options }: Pick<CancelAll, 'azure' | 'side' | 'names' | 'options'>,
  outcome: Outcome,
): Promise<string[]> {
  const left: string[] = [];
  for (let at = 0; at < names.length; at += window) {
    const batch = names.slice(at, at + window);
    const jobs = await Promise.all(
      batch.map((name) => azure.arm.find(pathOf(side, name), apiVersions.machineLearning, options)),
    );
    for (const [index, job] of jobs.entries()) {
      const name = batch[index] ?? '';
      const status = job ? statusOf(job) : 'gone';
      if (job && !isFinished(status)) left.push(name);
      else if (status === 'Canceled') outcome.cancelled.push(name);
      else outcome.ended[name] = status;
    }
  }
  return left;
}

/** A job that ends at this very moment can no longer be cancelled: Azure refuses, and the job says how it ended. */
async function askToEnd({ arm }: Azure, side: Side, name: string, options: CallOptions): Promise<void> {
  try {
    await arm.post(`${pathOf(side, name)}/cancel`, apiVersions.machineLearning, undefined, options);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    const job = await arm.find(pathOf(side, name), apiVersions.machineLearning, options);
    if (job && !isFinished(statusOf(job))) throw error;
  }
}

function pathOf({ workspace }: Side, name: string): string {
  return `${workspaceId(workspace)}/jobs/${name}`;
}
