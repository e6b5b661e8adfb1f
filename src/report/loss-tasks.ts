/** What to do about the losses of a run: by what was lost, and by the step that lost it. */
import type { ActionName } from '../plan/actions.ts';
import type { Urgency } from './schema.ts';
import type { Owned, TaskInput } from './task-input.ts';

type Regions = Pick<TaskInput, 'from' | 'to'>;
type Advice = [Urgency, string];

/** What a step lost, and what to do about it. */
const byAction: Partial<Record<ActionName, (regions: Regions) => Advice>> = {
  takePointer: () => ['urgent', 'See who the writer is: understudy status.'],
  shutOutOldWriters: ({ from }) => ['urgent', `Rotate its keys and remove its roles in ${from} by hand.`],
  readmitWriters: () => ['broken', 'Give back by hand what is named.'],
  configureDatastores: ({ to }) => ['broken', `Correct it in ${to}: what reads through it fails until then.`],
  configureConnections: ({ to }) => ['broken', `Correct it in ${to}: what uses it fails until then.`],
  useDatastores: ({ to }) => ['broken', `Correct it in ${to}: what reads through it fails until then.`],
  configureEndpoints: ({ to }) => ['broken', `Correct it in ${to}, and send it a scoring request.`],
  scoreEndpoints: ({ to }) => ['broken', `Correct it in ${to}, and send it a scoring request.`],
  scaleDeployments: ({ to }) => ['broken', `Scale it up in ${to}.`],
  configureSchedules: ({ to }) => ['broken', `Create it in ${to}, once what it needs is there.`],
  enableSchedules: ({ to }) => ['broken', `Enable it in ${to}, once it fires nowhere else.`],
  escrowSecrets: () => ['broken', 'Correct it: after the loss of the region nobody can read that secret.'],
  deployTemplate: ({ to }) => ['lost', `Declare it in the template, then put it back in ${to}.`],
  restoreAssets: ({ to }) => ['lost', `Register it again in ${to}.`],
  reconcileAssets: ({ to }) => ['lost', `Register it again in ${to}.`],
  restoreBlobs: () => ['lost', 'Put it back from a backup, or make it again.'],
  reconcileBlobs: () => ['lost', 'Put it back from a backup, or make it again.'],
  scrubReplicas: () => [
    'lost',
    'Put the copy back from a backup, or accept the loss ("Damaged copies", docs/operations.md).',
  ],
  // Its losses are those that somebody has accepted.
  reportDamage: () => ['lost', 'Put the copy back from a backup, if there is one.'],
  scaleComputes: ({ to }) => ['again', `Create it again in ${to}, if it is needed.`],
  stopOldJobs: ({ to }) => ['again', `Submit it again in ${to}.`],
  resubmitJobs: () => ['again', 'See the list of jobs.'],
  resubmitHere: () => ['again', 'See the list of jobs.'],
  // Of a reprotection, which goes from the writer to the region that was left.
  endZombies: ({ from }) => ['again', `Submit it again in ${from}, if it is needed.`],
};

/**
 * What stays true of a run that was cancelled. The rest is about the standby, which serves nothing, or about what the
 * undo has given back.
 */
const afterCancel: Partial<Record<ActionName, (regions: Regions) => Advice>> = {
  escrowSecrets: () => ['broken', 'Correct it: after the loss of the region nobody can read that secret.'],
  // Only if which jobs the run has touched cannot be read: otherwise each of them is a task.
  stopOldJobs: ({ from }) => ['again', `See whether it runs on in ${from}; if not, submit it again there.`],
};

/** What the recovery point does not have, by its kind. */
const byKind: Record<string, Advice> = {
  'references to nothing': ['lost', 'Nothing to do if these jobs write there first; otherwise correct their inputs.'],
  references: ['lost', 'Correct what refers to it, if that is still used.'],
};

/** Returns a task for each line of loss that somebody has to see to. */
export function tasksOfLosses({ lost, jobs, touched, actionOf, targetOf, cancelled, from, to }: TaskInput): Owned[] {
  return lost.flatMap(({ step, kind, text }): Owned[] => {
    const name = step === undefined ? undefined : actionOf(step);
    // Its jobs are tasks of their owners.
    if ((name === 'resubmitJobs' || name === 'resubmitHere') && jobs.length > 0) return [];
    const advice = cancelled
      ? name && !(name === 'stopOldJobs' && touched) && afterCancel[name]?.({ from, to })
      : ((kind === undefined ? undefined : byKind[kind]) ??
        (name && byAction[name]?.({ from, to })) ??
        // What a divergence point lacks is of the region that was left.
        otherwise({ to: (step === undefined ? undefined : targetOf(step)) ?? to }));
    if (!advice) return [];
    const [urgency, action] = advice;
    return [{ urgency, what: text, action, ...(step === undefined ? {} : { step }) }];
  });
}

function otherwise({ to }: Pick<Regions, 'to'>): Advice {
  return ['lost', `See whether anything in ${to} needs it, and bring it there by hand.`];
}
