/** What people must do after a run, by owner, the most urgent first. */
import { showLostWork } from '../jobs/lost-work.ts';
import type { ActionName } from '../plan/actions.ts';
import type { Debt } from '../run/work/outcome.ts';
import { showJob } from '../workspace/jobs/job.ts';
import type { JobEvidence } from './evidence.ts';
import { urgencies, type LeftOver, type Report, type Task, type TaskGroup, type Urgency } from './schema.ts';

/** How many tasks of one owner to show. The rest are counted, and are in the lists of the report. */
const longestGroup = 12;

/** What became of a run, as far as people must act on it. */
export interface TaskInput {
  run: string;
  from: string;
  to: string;
  lost: Report['lost'];
  notUndone: Report['lost'];
  /** Steps of a failed run. */
  failed: LeftOver[];
  owed: Report['owed'];
  /** What happened to each job. */
  jobs: JobEvidence[];
  /** What each step does, by its id. */
  actionOf: (step: string) => ActionName | undefined;
}

/** The operators of the workspace come first, unless someone else has something more urgent to do. */
export function tasksOf(input: TaskInput): TaskGroup[] {
  const all = [...ofRun(input), ...ofDebts(input), ...ofLosses(input), ...ofJobs(input)];
  return [...Map.groupBy(all, ({ owner }) => owner)]
    .map(([owner, tasks]) => groupOf(owner, tasks))
    .toSorted((one, other) => rankOf(one.tasks[0]) - rankOf(other.tasks[0]));
}

/** How many of them require action by a person. */
export function countTasks(groups: readonly TaskGroup[]): number {
  return groups.reduce((sum, { toDo }) => sum + toDo, 0);
}

type Owned = Task & { owner?: string };

function groupOf(owner: string | undefined, owned: readonly Owned[]): TaskGroup {
  const tasks = owned.map(({ owner: _owner, ...task }) => task).toSorted((one, other) => rankOf(one) - rankOf(other));
  return {
    ...(owner === undefined ? {} : { owner }),
    toDo: tasks.filter(({ urgency }) => urgency !== 'know').length,
    tasks: tasks.slice(0, longestGroup),
    more: Math.max(0, tasks.length - longestGroup),
  };
}

function rankOf(task: Task | undefined): number {
  return task ? urgencies.indexOf(task.urgency) : urgencies.length;
}

const atStake = {
  writers: 'its keys and roles still let it write',
  jobs: 'its unfinished jobs may run on',
  intake: 'its schedules may still fire',
} as const satisfies Record<Debt['kind'], string>;

function stakesOf(debts: Report['owed']): string[] {
  const kinds = new Set(debts.map(({ kind }) => kind));
  return Object.entries(atStake).flatMap(([kind, stake]) => (kinds.has(kind) ? [stake] : []));
}

/** An unfinished shut-out is one task for each region, and comes first. */
function ofDebts({ owed }: TaskInput): Owned[] {
  return [...Map.groupBy(owed, ({ region }) => region)].map(([region, debts]) => ({
    urgency: 'urgent',
    what: `${region} is not shut out yet: ${stakesOf(debts).join(', ')}`,
    action: `Let nobody write there. When ${region} answers, "understudy replicate" pays what is owed.`,
  }));
}

/** What prevents the run from completing, or a cancelled run from being fully undone. */
function ofRun({ run, notUndone, failed }: TaskInput): Owned[] {
  return [
    ...notUndone.map(({ step, text }): Owned => {
      const action = `Correct what is named, then "understudy cancel ${run}" again, or undo it by hand.`;
      return { urgency: 'urgent', what: text, action, ...(step === undefined ? {} : { step }) };
    }),
    ...failed.map(({ step, title, reason, next }): Owned => {
      const action = next ?? `Correct what is named, then "understudy retry ${run}".`;
      return { urgency: 'urgent', what: `"${title}" failed: ${reason}`, action, step };
    }),
  ];
}

/** What a step lost, and what to do about it. For steps that are not named here the loss is final. */
const byAction: Partial<Record<ActionName, [Urgency, string]>> = {
  takePointer: ['urgent', 'See who the writer is: understudy status.'],
  shutOutOldWriters: ['urgent', 'Rotate its keys and remove its roles by hand.'],
  readmitWriters: ['broken', 'Give back by hand what is named.'],
  configureDatastores: ['broken', 'Correct it there: what reads through it fails until then.'],
  configureConnections: ['broken', 'Correct it there: what uses it fails until then.'],
  useDatastores: ['broken', 'Correct it there: what reads through it fails until then.'],
  configureEndpoints: ['broken', 'Correct it there, and send it a scoring request.'],
  scoreEndpoints: ['broken', 'Correct it there, and send it a scoring request.'],
  scaleDeployments: ['broken', 'Scale it up there.'],
  configureSchedules: ['broken', 'Create it there, once what it needs is there.'],
  enableSchedules: ['broken', 'Enable it there, once it fires nowhere else.'],
  escrowSecrets: ['broken', 'Correct it: after the loss of the region nobody can read that secret.'],
  restoreAssets: ['lost', 'Register it again.'],
  reconcileAssets: ['lost', 'Register it again.'],
  restoreBlobs: ['lost', 'Put it back from a backup, or make it again.'],
  reconcileBlobs: ['lost', 'Put it back from a backup, or make it again.'],
  scaleComputes: ['again', 'Create it again there, if it is needed.'],
  stopOldJobs: ['again', 'Submit it again.'],
  resubmitJobs: ['again', 'See the list of jobs.'],
};

function ofLosses({ lost, jobs, actionOf, to }: TaskInput): Owned[] {
  return lost.flatMap(({ step, text }): Owned[] => {
    const name = step === undefined ? undefined : actionOf(step);
    // Its jobs are tasks of their owners.
    if (name === 'resubmitJobs' && jobs.length > 0) return [];
    const [urgency, action] = (name && byAction[name]) ?? [
      'lost',
      `See whether anything in ${to} needs it, and bring it there by hand.`,
    ];
    return [{ urgency, what: text, action, ...(step === undefined ? {} : { step }) }];
  });
}

function ofJobs({ jobs, from, to }: TaskInput): Owned[] {
  return jobs.flatMap((job): Owned[] => {
    const task = ofJob(job, { from, to });
    return task ? [{ ...task, ...(job.owner === undefined ? {} : { owner: job.owner }) }] : [];
  });
}

function ofJob(job: JobEvidence, { from, to }: { from: string; to: string }): Task | undefined {
  const named = showJob({ name: job.old, submittedAs: job.submittedAs });
  const what = `${named}: ${job.reason}`;
  // For a cancelled run, the reason says what to do.
  if (job.outcome === undefined) return job.class === 'manual' ? { urgency: 'again', what } : undefined;
  if (job.outcome === 'failed')
    return { urgency: 'broken', what, action: `Correct what is named, and submit it in ${to}.` };
  if (job.outcome === 'owed') {
    const action = `When ${from} answers, see whether it ended there; if not, cancel it, and submit it in ${to}.`;
    return { urgency: 'urgent', what, action };
  }
  if (job.class === 'may-have-completed')
    return { urgency: 'again', what, action: `See whether it finished; if not, submit it in ${to}.` };
  if (job.class === 'manual') return { urgency: 'again', what, action: `Submit it again in ${to}, if it is needed.` };
  return job.outcome === 'submitted' ? ofSuccessor(named, job) : undefined;
}

/** What the owner should know about a job that was resubmitted. */
function ofSuccessor(named: string, job: JobEvidence): Task | undefined {
  const [difference] = job.differences ?? [];
  if (difference) {
    const { place, sent, held } = difference;
    const what = `${named} runs as "${job.new}", which was changed on its way: ${place} is ${held}, not ${sent}`;
    return { urgency: 'broken', what, action: 'See whether it does what it should.' };
  }
  const loses = job.lost && job.lost.ms !== 0 ? `; it loses ${showLostWork(job.lost)}` : '';
  if (job.passedOver) {
    const { name, why } = job.passedOver;
    const what = `${named} goes on from an earlier checkpoint ("${name}" was not whole: ${why})${loses}`;
    return { urgency: 'know', what };
  }
  const restarts = job.class === 'restart' && begun.has(job.status ?? '');
  return restarts ? { urgency: 'know', what: `${named} starts again by itself: ${job.reason}${loses}` } : undefined;
}

const begun = new Set(['Running', 'Paused', 'NotResponding']);
