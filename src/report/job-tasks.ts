/** What the owners of jobs must do after a run. */
import type { TouchedJob } from '../fence/left-cancelled.ts';
import { showLostWork } from '../jobs/lost-work.ts';
import { showJob } from '../workspace/jobs/job.ts';
import type { JobEvidence } from './evidence.ts';
import type { Task } from './schema.ts';
import type { Owned, TaskInput } from './task-input.ts';

/** Returns the tasks of all jobs. A job that needs nobody has none. */
export function tasksOfJobs({ jobs, touched = [], cancelled, from, to }: TaskInput): Owned[] {
  return [
    ...touched.map((job) => owned(ofTouched(job), job)),
    ...jobs.flatMap((job) => {
      const tasks = cancelled ? ofJobOfCancelled(job, { to }) : ofJob(job, { from, to });
      return tasks.map((task) => owned(task, job));
    }),
  ];
}

function owned(task: Task, { owner }: { owner?: string | undefined }): Owned {
  return { ...task, ...(owner === undefined ? {} : { owner }) };
}

/** A job that runs twice does harm until somebody ends one of the two. */
function ofTouched({ situation, action, twice, ...job }: TouchedJob): Task {
  const what = `${showJob({ name: job.name, submittedAs: job.submittedAs })}: ${situation}`;
  return { urgency: twice ? 'urgent' : 'again', what, action: `${action.charAt(0).toUpperCase()}${action.slice(1)}.` };
}

/** Only a successor that was submitted is left: everything else of the job is as it was before. */
function ofJobOfCancelled(job: JobEvidence, { to }: { to: string }): Task[] {
  if (job.outcome !== 'submitted') return [];
  const what = `${nameOf(job)}: its successor "${job.new}" was submitted in ${to} and is not cancelled`;
  return [{ urgency: 'urgent', what, action: 'Cancel the successor, or the job may run twice.' }];
}

function ofJob(job: JobEvidence, { from, to }: { from: string; to: string }): Task[] {
  const what = `${nameOf(job)}: ${job.reason}`;
  if (job.outcome === 'failed')
    return [{ urgency: 'broken', what, action: `Correct what is named, and submit it in ${to}.` }];
  if (job.outcome === 'owed') {
    const action = `When ${from} answers, see whether it ended there; if not, cancel it, and submit it in ${to}.`;
    return [{ urgency: 'urgent', what, action }];
  }
  if (job.class === 'may-have-completed')
    return [{ urgency: 'again', what, action: `See whether it finished; if not, submit it in ${to}.` }];
  if (job.class === 'manual') return [{ urgency: 'again', what, action: `Submit it again in ${to}, if it is needed.` }];
  return job.outcome === 'submitted' ? [...ofSuccessor(job), ...ofWarnings(job)] : [];
}

function nameOf({ old, submittedAs }: JobEvidence): string {
  return showJob({ name: old, submittedAs });
}

/** What the owner should know about a job that was resubmitted. */
function ofSuccessor(job: JobEvidence): Task[] {
  const named = nameOf(job);
  const [difference] = job.differences ?? [];
  if (difference) {
    const { place, sent, held } = difference;
    const what = `${named} runs as "${job.new}", which was changed on its way: ${place} is ${held}, not ${sent}`;
    return [{ urgency: 'broken', what, action: 'See whether it does what it should.' }];
  }
  const loses = job.lost && job.lost.ms !== 0 ? `; it loses ${showLostWork(job.lost)}` : '';
  if (job.passedOver) {
    const { name, why } = job.passedOver;
    const what = `${named} goes on from an earlier checkpoint ("${name}" was not whole: ${why})${loses}`;
    return [{ urgency: 'know', what }];
  }
  const restarts = job.class === 'restart' && begun.has(job.status ?? '');
  return restarts ? [{ urgency: 'know', what: `${named} starts again by itself: ${job.reason}${loses}` }] : [];
}

const begun = new Set(['Running', 'Paused', 'NotResponding']);

/** How many warnings of one job to name. The list of jobs has all of them. */
const mostWarnings = 3;

/** The successor runs, and may use what belongs to the old region. */
function ofWarnings(job: JobEvidence): Task[] {
  const { warnings = [] } = job;
  if (warnings.length === 0) return [];
  const named = warnings.slice(0, mostWarnings).map(({ place, reason }) => `${place}: ${reason}`);
  const more = warnings.length > named.length ? ` (and ${warnings.length - named.length} more)` : '';
  const what = `${nameOf(job)} runs as "${job.new}": ${named.join('; ')}${more}`;
  return [
    { urgency: 'check', what, action: 'See that it means nothing there; if it does, correct it and submit again.' },
  ];
}
