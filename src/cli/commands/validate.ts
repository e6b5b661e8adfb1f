import type { Command } from 'commander';
import { validateTopology, type Validation } from '../../operations/validate.ts';
import { count } from '../../plan/strategies/strategy.ts';
import { topologyJsonSchema } from '../../topology/json-schema.ts';
import { showProblem } from '../../topology/load.ts';
import { command, topologyFile } from '../command.ts';

export function validateCommand(): Command {
  return command(
    'validate',
    'check the topology and the files it names; asks nobody',
    'understudy validate\nunderstudy validate --schema > understudy.schema.json',
  )
    .option('--schema', 'print the JSON Schema of a topology, for editors, instead')
    .addHelpText(
      'after',
      '\nWhat is wrong ends it with 2. A warning, on standard error, is of what may be meant: a region that this version does not know, a compiled template that may be old.',
    )
    .action(async (options: { schema?: boolean }, self: Command) => {
      if (options.schema === true) {
        console.log(JSON.stringify(topologyJsonSchema(), null, 2));
        return;
      }
      const validation = await validateTopology(topologyFile(self));
      for (const each of validation.warnings) console.error(`warning: ${showProblem(validation.file, each)}`);
      console.log(showValidation(validation));
    });
}

function showValidation({ file, topology, regions, counts, warnings }: Validation): string {
  const counted = [
    count(counts.templates, 'template'),
    count(counts.configs, 'config target'),
    count(counts.probes, 'probe'),
  ];
  const found = warnings.length === 0 ? '' : `, with ${count(warnings.length, 'warning')}`;
  return `${file}: "${topology}" is valid${found}: regions ${regions.join(' and ')}, ${counted.join(', ')}`;
}
