import type { Command } from 'commander';
import { register } from '../../operations/register.ts';
import { whoAmI } from '../../operations/start-operation.ts';
import { command, session } from '../command.ts';

export function registerCommand(): Command {
  return command(
    'register',
    'keep this topology file, with the templates that it names, in the control store: for runs without a file',
    'understudy register\nunderstudy register --topology dr/understudy.yaml',
  )
    .addHelpText(
      'after',
      '\nIt needs the topology file (--topology), the templates that it names, and a sign-in to Azure. Again after each change of them.',
    )
    .action(async (_options: object, self: Command) => {
      const { registered, changed } = await register(await session(self), whoAmI());
      const digest = registered.bundle.slice(0, 12);
      console.log(
        changed
          ? `registered ${digest}: "understudy replicate --registered" uses it`
          : `${digest} is registered already, since ${registered.at}, by ${registered.by}`,
      );
    });
}
