/** What people must do after a run, as text: by owner, the most urgent first. */
import type picocolors from 'picocolors';
import type { Report, Task } from './schema.ts';
import { countTasks } from './tasks.ts';
import { wrap } from './text-layout.ts';
import { shortened, showOwner, urgencyMarks, urgencyWords } from './wording.ts';

type Paint = ReturnType<typeof picocolors.createColors>;

/** The block that a report begins with. Empty if nobody has anything to do or to know. */
export function tasksBlock({ tasks: groups, run }: Report, columns: number, paint: Paint): string[] {
  if (groups.length === 0) return [];
  const toDo = countTasks(groups);
  const title = toDo === 0 ? 'GOOD TO KNOW' : `FOR PEOPLE TO DO (${toDo}), THE MOST URGENT FIRST`;
  return [
    toDo === 0 ? paint.bold(title) : paint.red(title),
    ...groups.flatMap(({ owner, tasks, more }) => [
      ...wrap(`${showOwner(owner, run.topology)}:`, columns, '  ', '  '),
      ...tasks.flatMap((task) => taskLines(task, columns)),
      ...(more > 0 ? [`      and ${more} more: see the lists below`] : []),
    ]),
  ];
}

function taskLines({ urgency, what, action }: Task, columns: number): string[] {
  return [
    ...wrap(`${urgencyWords[urgency]}: ${shortened(what)}`, columns, `    ${urgencyMarks[urgency]} `, '      '),
    ...(action === undefined ? [] : wrap(action, columns, '      → ', '        ')),
  ];
}
