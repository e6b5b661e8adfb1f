import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { defaultFolder, stackDown, stackUp, type Stack } from '../../stack/stack.ts';
import { command } from '../command.ts';
import { interruptible } from '../interrupt.ts';

export function stackCommand(): Command {
  const stack = command(
    'stack',
    'the embedded stack: a Temporal server and a local Azure, on this machine',
    'understudy stack up\nunderstudy stack down',
  );
  stack.addCommand(
    command(
      'up',
      'start it, or what of it does not run; it stays up until "stack down"',
      'understudy stack up\nsource .understudy/env && understudy worker',
    )
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option(
        '--pace <factor>',
        'multiplies how long the local Azure takes for its long-running operations',
        numberFromZero,
      )
      .action(async ({ folder, pace }: { folder: string; pace?: number }) => {
        const made = await interruptible((signal) =>
          stackUp({
            folder,
            say: (line) => console.log(line),
            cloudArguments: pace === undefined ? [] : ['--pace', String(pace)],
            signal,
          }),
        );
        console.log(whatNext(made, folder));
      }),
  );
  stack.addCommand(
    command('down', 'end every process of it', 'understudy stack down --purge')
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option('--purge', 'remove its state too: what the stack put into the folder, and nothing else')
      .action(async ({ folder, purge }: { folder: string; purge?: boolean }) => {
        const { ended, left } = await stackDown(folder, { purge: purge === true });
        console.log(ended ? 'the stack is down' : 'no stack was up');
        if (left.length > 0) console.log(`left in ${folder}, as no stack put it there: ${left.join(', ')}`);
      }),
  );
  return stack;
}

/** Where everything is, and what a person types next. */
function whatNext({ temporal, cloud }: Stack, folder: string): string {
  const at = folder === defaultFolder ? '' : ` --folder ${quoted(folder)}`;
  const rows: [string, string | undefined][] = [
    ['Temporal UI', temporal.ui],
    ['Front Door (local)', cloud.front],
    ['proxy', cloud.proxy && `${cloud.proxy} (for machines that do not resolve names below "localhost")`],
    ['faults, clock', `${cloud.admin} (understudy chaos list${at})`],
    [
      'use it',
      `source ${quoted(join(folder, 'env'))}, or understudy --environment ${quoted(join(folder, 'env'))} …`,
    ],
    ['end it', `understudy stack down${at}`],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(20)}${value}`)
    .join('\n');
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError(`Expected a number from 0 on.`);
  return value;
}
