import type { Command } from 'commander';
import { RegisteredBundle } from '../../operations/documents/topology.ts';
import { whoAmI } from '../../operations/runs/open-run.ts';
import { register } from '../../operations/register.ts';
import { command, session } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy register`. */
export function registerCommand(): Command {
  const of = command(
    'register',
    'store the topology and its templates in the control store, for runs that are started without a file',
    'understudy register\nunderstudy register --topology dr/understudy.yaml',
  ).addHelpText(
    'after',
    '\nIt reads the topology file (--topology) and the templates named in it. Run it again after each change of them.',
  );
  return shows(of, RegisteredBundle, async (_output, _options: object, self: Command) => {
    const { registered, changed } = await register(await session(self), whoAmI());
    const digest = registered.bundle.slice(0, 12);
    return {
      document: { ...registered, changed },
      text: changed
        ? `registered ${digest}: "understudy replicate --registered" uses it`
        : `${digest} is registered already, since ${registered.at}, by ${registered.by}`,
    };
  });
}
