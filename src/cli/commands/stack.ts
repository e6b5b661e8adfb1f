import { Command } from 'commander';
import { defaultFolder, stackDown, stackUp } from '../../stack/stack.ts';
import { command } from '../command.ts';

export function stackCommand(): Command {
  const stack = new Command('stack').description(
    'the embedded stack: a Temporal server and a local Azure, on this machine',
  );
  stack.addCommand(
    command(
      'up',
      'start it, or what of it does not run; it stays up until "stack down"',
      'understudy stack up\nsource .understudy/env',
    )
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option('--pace <factor>', 'multiplies how long the local Azure takes for its long-running operations')
      .action(async ({ folder, pace }: { folder: string; pace?: string }) => {
        const made = await stackUp({
          folder,
          say: (line) => console.log(line),
          cloudArguments: pace === undefined ? [] : ['--pace', pace],
        });
        if (made.temporal.ui !== undefined) console.log(`Temporal UI: ${made.temporal.ui}`);
        console.log(`Front Door (local): ${made.cloud.front}`);
        console.log(`Faults, clock: ${made.cloud.admin}`);
        console.log(`Its addresses and credentials: source ${folder}/env`);
      }),
  );
  stack.addCommand(
    command('down', 'end every process of it', 'understudy stack down --purge')
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option('--purge', 'remove its state too')
      .action(async ({ folder, purge }: { folder: string; purge?: boolean }) => {
        console.log((await stackDown(folder, purge)) ? 'the stack is down' : 'no stack was up');
      }),
  );
  return stack;
}
