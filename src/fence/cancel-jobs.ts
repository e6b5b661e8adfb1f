/** Lists all jobs of a workspace, and cancels them as fast as Azure accepts it. */
import { setTimeout as wait } from 'node:timers/promises';
import { forEachBounded } from '../run/work/bounded.ts';
import { apiVersions, type Azure } from '../azure/azure.ts';
import { messageOf } from '../errors/error.ts';
import { isRefusal, FenceDeadline } from './fence-deadline.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { isFinished, originTags, ownerOf, parentOf, statusOf, tagsOf, type RawJob } from '../workspace/jobs/job.ts';
import type { PlatformJob } from '../run/work/job-platform.ts';
import { azureJobs, type AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import { lineageOf } from '../ledger/ledger.ts';
import type { StoppedJob } from './stopped-jobs.ts';

/** The workspace, the deadline, and the heartbeat of the work. */
export interface Asking {
  azure: Azure;
  side: Side;
  deadline: FenceDeadline;
  /** Reports that the work is alive; an error that it throws ends the work. */
  beat: () => Promise<void>;
}

/** What a listing of the old jobs found. */
export interface Survey {
  /** In a large workspace, no more than is needed. */
  unfinished: Map<string, StoppedJob>;
  /** name → status, of those that were looked up. A name that was looked up and is in neither map is gone. */
  finished: Map<string, string>;
  /** By name of an unfinished job: how many pages of the list lead to it. The newest job is on the first. */
  pages: Map<string, number>;
}

/**
 * The state of these jobs: by pages of the list, the newest first, until all are found, or until looking up the rest
 * one by one takes fewer requests. A workspace may have a hundred thousand jobs that ended long ago. Errors: as of
 * `surveyLate`.
 */
export async function surveyOf(asking: Asking, names: ReadonlySet<string>): Promise<Survey> {
  const seen: Survey = { unfinished: new Map(), finished: new Map(), pages: new Map() };
  const left = new Set(names);
  if (left.size === 0) return seen;
  let pages = 0;
  for await (const page of surveyPages(asking)) {
    pages += 1;
    for (const job of page) {
      if (left.delete(job.name) || !isFinished(statusOf(job))) take(seen, job, pages, asking.side);
    }
    if (left.size <= pages) break;
  }
  await forEachBounded([...left], window, async (name) => {
    await asking.beat();
    const job = await findJob(asking, name);
    if (job) take(seen, job.raw, Infinity, asking.side);
    asking.deadline.progress();
  });
  return seen;
}

/**
 * Unfinished jobs that are not known: of the whole list, or of its first pages, up to one that has none. Errors:
 * GaveUp, CredentialError; AzureError if the request is refused, or the workspace is gone.
 */
export async function surveyLate(
  asking: Asking,
  isKnown: (name: string) => boolean,
  { isWhole }: { isWhole: boolean },
): Promise<Survey> {
  const late: Survey = { unfinished: new Map(), finished: new Map(), pages: new Map() };
  let pages = 0;
  for await (const page of surveyPages(asking)) {
    pages += 1;
    const found = page.filter((job) => !isFinished(statusOf(job)) && !isKnown(job.name));
    for (const job of found) take(late, job, pages, asking.side);
    if (found.length === 0 && !isWhole) break;
  }
  return late;
}

function take(seen: Survey, job: RawJob, page: number, side: Side): void {
  const status = statusOf(job);
  if (isFinished(status)) {
    seen.finished.set(job.name, status);
    return;
  }
  seen.unfinished.set(job.name, toSeen(job, side));
  seen.pages.set(job.name, page);
}

/** Each page counts as progress. */
async function* surveyPages(asking: Asking): AsyncIterable<RawJob[]> {
  const { deadline, side } = asking;
  for await (const page of pagesOf(asking)) {
    deadline.checkEnd(`the jobs of workspace "${side.workspace.name}" could not all be listed in time`);
    deadline.progress();
    yield page;
  }
}

/** A page that does not arrive is requested again; the pages before it are not. */
async function* pagesOf({ azure, side, deadline, beat }: Asking): AsyncIterable<RawJob[]> {
  const first = `${workspaceId(side.workspace)}/jobs?listViewType=All`;
  for (let next: string | undefined = first; next !== undefined;) {
    await beat();
    const path: string = next;
    const page = await deadline.ask((options) =>
      azure.arm.page(path, apiVersions.machineLearning, { ...options, patient: true }),
    );
    yield page.value;
    next = page.next;
  }
}

/** Whether the region answers a read-only request, whatever else it does not answer. */
export async function answersStill({ azure, side, deadline: { signal } }: Asking, limitMs: number): Promise<boolean> {
  try {
    await new FenceDeadline({ signal, limitMs, isHasty: true }).ask((options) =>
      azure.arm.page(`${workspaceId(side.workspace)}/jobs`, apiVersions.machineLearning, options),
    );
    return true;
  } catch (error) {
    return isRefusal(error);
  }
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

/** What cancelling many jobs needs. */
export interface CancelAll extends Asking {
  /** In the order in which they are cancelled. */
  names: readonly string[];
  pages: Survey['pages'];
  /** Called once for each job that has ended: with its status, or `gone`. */
  ended: (name: string, status: string) => void;
  /**
   * How long to wait for the jobs once Azure has accepted all cancels. True: until the last deadline; false: no longer
   * than one answer may take.
   */
  waitForAll: boolean;
}

/** Parallel requests: if an answer takes a second or more, enough for all that Azure accepts per second. */
const window = 16;
const longestPauseMs = 10_000;

/**
 * Cancels all, and meanwhile checks which have ended: Azure's answer comes before its effect. Returns the jobs that it
 * refuses to cancel, and why. Errors: GaveUp when the region makes no more progress; what has ended by then was
 * reported.
 */
export async function cancelAll(given: CancelAll): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  /** Accepted, and not seen to have ended. */
  const open = new Set<string>();
  const broken = new AbortController();
  const signal = AbortSignal.any([broken.signal, given.deadline.signal]);
  let isAsking = true;
  let asked = 0;
  const ask = forEachBounded(given.names, window, async (name) => {
    signal.throwIfAborted();
    await given.beat();
    given.deadline.checkEnd(`${given.names.length - asked} of ${stillIn(given)} could not be cancelled in time`);
    asked += 1;
    const refusal = await askToEnd(given, name);
    given.deadline.progress();
    if (refusal === undefined) open.add(name);
    else refused.set(name, refusal);
  }).finally(() => (isAsking = false));
  const look = async () => {
    for (let pause = 250; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
      await wait(pause, undefined, { signal });
      const wasAsking = isAsking;
      if (open.size > 0) await lookAt(given, open);
      if (!wasAsking && open.size === 0) return;
      // The region returns the state of all of them, so waiting for them is progress.
      if (!wasAsking && given.waitForAll) given.deadline.progress();
      await given.beat();
      if (!wasAsking) given.deadline.check(stillEnding(given, open));
    }
  };
  const breaking = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      broken.abort();
      throw error;
    });
  const ends = await Promise.allSettled([breaking(ask), breaking(look())]);
  // An interrupted part fails with AbortError only; the other error is the cause.
  const errors = ends.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
  const error = errors.find(({ name }) => name !== 'AbortError') ?? errors[0];
  if (error) throw error;
  return refused;
}

function stillEnding(given: CancelAll, open: ReadonlySet<string>): string {
  const [first] = open;
  return `${open.size} of ${stillIn(given)} are still being cancelled, such as "${first}"`;
}

function stillIn({ names, side }: CancelAll): string {
  return `${names.length} jobs of workspace "${side.workspace.name}"`;
}

/**
 * Checks each job that has not ended yet, once: by pages of the list, if that takes fewer requests than one per job.
 */
async function lookAt(given: CancelAll, open: Set<string>): Promise<void> {
  const left = new Set(open);
  const see = (name: string, status: string) => {
    left.delete(name);
    if (!isFinished(status) && status !== gone) return;
    open.delete(name);
    given.deadline.progress();
    given.ended(name, status);
  };
  let deepest = 0;
  for (const name of left) deepest = Math.max(deepest, given.pages.get(name) ?? Infinity);
  if (deepest < left.size) {
    for await (const page of pagesOf(given)) {
      for (const job of page) if (left.has(job.name)) see(job.name, statusOf(job));
      if (left.size === 0) break;
    }
  }
  await forEachBounded([...left], window, async (name) => {
    await given.beat();
    const job = await findJob(given, name);
    see(name, job?.status ?? gone);
  });
}

/** The status of a job that is not there any more. */
export const gone = 'gone';

/** How a job that was looked up, and is not unfinished, has ended. */
export function endIn({ finished }: Survey, name: string): string {
  return finished.get(name) ?? gone;
}

/**
 * Returns why Azure refuses, if it does. A job that ends at this very moment can no longer be cancelled: its own status
 * says how it ended.
 */
async function askToEnd(asking: Asking, name: string): Promise<string | undefined> {
  try {
    await asking.deadline.ask((options) => jobsOf(asking).cancel(name, { ...options, patient: true }));
    return undefined;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const job = await findJob(asking, name);
    return job && !job.isFinished ? messageOf(error) : undefined;
  }
}

/** One job, complete; undefined if there is none of this name. */
export function findJob(asking: Asking, name: string): Promise<PlatformJob<RawJob> | undefined> {
  return asking.deadline.ask((options) => jobsOf(asking).find(name, { ...options, patient: true }));
}

function jobsOf({ azure, side }: Asking): AzureJobs {
  return azureJobs(azure.arm, side.workspace);
}
