/** What people must do after a run, as text: by owner, the most urgent first; and what they only have to know. */
import type picocolors from 'picocolors';
import type { Report, Task } from './schema.ts';
import { countTasks, splitTasks, type ShownTasks } from './tasks.ts';
import { wrap } from './text-layout.ts';
import { shortened, showOwner, urgencyMarks, urgencyWords } from './wording.ts';

type Paint = ReturnType<typeof picocolors.createColors>;

/** The block that a report begins with. Empty if nobody has anything to do. */
export function tasksBlock({ tasks, run }: Report, columns: number, paint: Paint): string[] {
  const toDo = countTasks(tasks);
  if (toDo === 0) return [];
  return [
    paint.red(`FOR PEOPLE TO DO (${toDo}), THE MOST URGENT FIRST`),
    ...splitTasks(tasks).toDo.flatMap((group) => groupLines(group, run.topology, columns)),
  ];
}

/** What nobody has to act on. Empty if there is nothing. */
export function knowBlock({ tasks, run }: Report, columns: number, paint: Paint): string[] {
  const { know } = splitTasks(tasks);
  if (know.length === 0) return [];
  return [paint.bold('GOOD TO KNOW'), ...know.flatMap((group) => groupLines(group, run.topology, columns))];
}

function groupLines({ owner, tasks, more }: ShownTasks, topology: string, columns: number): string[] {
  return [
    ...wrap(`${showOwner(owner, topology)}:`, columns, '  ', '  '),
    ...tasks.flatMap((task) => taskLines(task, columns)),
    ...(more > 0 ? [`      and ${more} more: see the lists below`] : []),
  ];
}

function taskLines({ urgency, what, action }: Task, columns: number): string[] {
  const word = urgency === 'know' ? '' : `${urgencyWords[urgency]}: `;
  return [
    ...wrap(`${word}${shortened(what)}`, columns, `    ${urgencyMarks[urgency]} `, '      '),
    ...(action === undefined ? [] : wrap(action, columns, '      → ', '        ')),
  ];
}
