import type { Command } from 'commander';
import { register } from '../../operations/register.ts';
import { whoAmI } from '../../operations/start-operation.ts';
import { command, session } from '../command.ts';

export function registerCommand(): Command {
  return command(
    'register',
    'keep the topology and its templates in the control store, for runs that nobody gives a file',
    'understudy register',
  ).action(async (_options: object, self: Command) => {
    const { registered, changed } = await register(await session(self), whoAmI());
    const digest = registered.bundle.slice(0, 12);
    console.log(
      changed
        ? `registered ${digest}: "understudy replicate --registered" uses it`
        : `${digest} is registered already, since ${registered.at}, by ${registered.by}`,
    );
  });
}
