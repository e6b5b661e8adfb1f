import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { messageOf, UnderstudyError } from '../../errors/error.ts';
import { WrittenTopology } from '../../operations/documents/topology.ts';
import { command, topologyFile } from '../command.ts';
import { shows } from '../output.ts';
import { starterTopology } from '../starter-topology.ts';

/** `understudy init`: never overwrites a file. */
export function initCommand(): Command {
  const init = command(
    'init',
    'write a commented topology to start from',
    'understudy init\nunderstudy init --topology dr/understudy.yaml',
  );
  return shows(init, WrittenTopology, async (_output, _options: object, self: Command) => {
    const file = topologyFile(self);
    try {
      await writeFile(file, starterTopology, { flag: 'wx' });
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new UnderstudyError(
        'UsageError',
        `cannot write "${file}": ${exists ? 'it is there already, and is left as it is' : messageOf(error)}`,
        {
          next: exists ? 'Name another file: --topology FILE.' : 'Name a file that can be written: --topology FILE.',
        },
      );
    }
    return {
      document: { file },
      text: `wrote ${file}: put in your own subscription and names, then "understudy validate"`,
    };
  });
}
