import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { messageOf, UnderstudyError } from '../../errors/error.ts';
import { command, topologyFile } from '../command.ts';
import { starterTopology } from '../starter-topology.ts';

export function initCommand(): Command {
  return command(
    'init',
    'write a commented topology to start from',
    'understudy init\nunderstudy init --topology dr/understudy.yaml',
  ).action(async (_options: object, self: Command) => {
    const file = topologyFile(self);
    try {
      await writeFile(file, starterTopology, { flag: 'wx' });
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new UnderstudyError(
        'UsageError',
        `cannot write "${file}": ${exists ? 'it is there already, and is left as it is' : messageOf(error)}`,
        {
          next: exists
            ? 'Name another file: --topology FILE.'
            : 'Name a file that can be written: --topology FILE.',
        },
      );
    }
    console.log(`wrote ${file}: put in your own subscription and names, then "understudy validate"`);
  });
}
