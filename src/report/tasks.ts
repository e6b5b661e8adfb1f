/** What people must do after a run, by owner, the most urgent first. */
import { afterOvertaken, showOvertaken } from '../run/overtaken.ts';
import type { Debt } from '../run/work/outcome.ts';
import { tasksOfJobs } from './job-tasks.ts';
import { tasksOfLosses } from './loss-tasks.ts';
import { urgencies, type Report, type Task, type TaskGroup } from './schema.ts';
import type { Owned, TaskInput } from './task-input.ts';

/** How many tasks of one owner to show. The rest are counted, and are in the lists of the report. */
const longestGroup = 12;

/** The operators of the workspace come first, unless someone else has something more urgent to do. */
export function tasksOf(input: TaskInput): TaskGroup[] {
  const all = [...ofRun(input), ...ofDebts(input), ...tasksOfLosses(input), ...tasksOfJobs(input)];
  return [...Map.groupBy(all, ({ owner }) => owner)]
    .map(([owner, tasks]) => groupOf(owner, tasks))
    .toSorted((one, other) => rankOf(one.tasks[0]) - rankOf(other.tasks[0]));
}

/** The shown tasks of one owner, and how many more there are. */
export type ShownTasks = Pick<TaskGroup, 'owner' | 'tasks' | 'more'>;

/** Separates what people must do from what is only good to know. An owner may be in both. */
export function splitTasks(groups: readonly TaskGroup[]): { toDo: ShownTasks[]; know: ShownTasks[] } {
  const part = (known: boolean): ShownTasks[] =>
    groups.flatMap(({ owner, tasks, toDo, more }) => {
      const shown = tasks.filter(({ urgency }) => (urgency === 'know') === known);
      const all = known ? tasks.length + more - toDo : toDo;
      return all === 0 ? [] : [{ ...(owner === undefined ? {} : { owner }), tasks: shown, more: all - shown.length }];
    });
  return { toDo: part(false), know: part(true) };
}

/** How many of them require action by a person. */
export function countTasks(groups: readonly TaskGroup[]): number {
  return groups.reduce((sum, { toDo }) => sum + toDo, 0);
}

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
    action: `Let nobody write there. "understudy reprotect" pays it once ${region} answers.`,
  }));
}

/** What prevents the run from completing, or a cancelled run from being fully undone. */
function ofRun({ run, notUndone, failed, cancelled, overtaken, again }: TaskInput): Owned[] {
  return [
    ...notUndone.map(({ step, text }): Owned => {
      const action = `Correct what is named, then "understudy cancel ${run}" again, or undo it by hand.`;
      return { urgency: 'urgent', what: text, action, ...(step === undefined ? {} : { step }) };
    }),
    // A cancelled run does not go on.
    ...(cancelled || overtaken ? [] : failed).map(({ step, title, reason, next }): Owned => {
      return {
        urgency: 'urgent',
        what: `"${title}" failed: ${reason}`,
        action: next ?? `Correct what is named, then "understudy ${again}".`,
        step,
      };
    }),
    ...(overtaken && !cancelled ? [ofOvertaken(overtaken)] : []),
  ];
}

function ofOvertaken(overtaken: NonNullable<TaskInput['overtaken']>): Owned {
  const rest = overtaken.only ? 'nothing is wrong with it' : 'it cannot be continued';
  return { urgency: 'again', what: `${showOvertaken(overtaken)}: ${rest}`, action: afterOvertaken(overtaken) };
}
