import type { Command } from 'commander';
import { z } from 'zod';
import { TopologySchema, ValidTopology } from '../../operations/documents/topology.ts';
import { validateTopology, type Validation } from '../../operations/validate.ts';
import { showCount } from '../../topology/figures.ts';
import { topologyJsonSchema } from '../../topology/json-schema.ts';
import { showProblem } from '../../topology/load.ts';
import { command, topologyFile } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy validate`. */
export function validateCommand(): Command {
  const validate = command(
    'validate',
    'check the topology and the files it names; works offline',
    'understudy validate\nunderstudy validate --schema > understudy.schema.json',
  )
    .option('--schema', 'print the JSON Schema of a topology, for editors, instead')
    .addHelpText(
      'after',
      '\nIt exits with 2 if something is wrong. Warnings go to standard error: a region that this version does not know, a compiled template that may be out of date.',
    );
  const documents = z.union([ValidTopology, TopologySchema]);
  return shows(validate, documents, async (_output, options: { schema?: boolean }, self: Command) => {
    if (options.schema === true) {
      const schema = { ...topologyJsonSchema() };
      return { document: schema, text: JSON.stringify(schema, null, 2) };
    }
    const validation = await validateTopology(topologyFile(self));
    for (const each of validation.warnings) console.error(`warning: ${showProblem(validation.file, each)}`);
    return { document: validation, text: showValidation(validation) };
  });
}

function showValidation({ file, topology, regions, counts, warnings }: Validation): string {
  const counted = [
    showCount(counts.templates, 'template'),
    showCount(counts.configs, 'config target'),
    showCount(counts.probes, 'probe'),
  ];
  const found = warnings.length === 0 ? '' : `, with ${showCount(warnings.length, 'warning')}`;
  return `${file}: "${topology}" is valid${found}: regions ${regions.join(' and ')}, ${counted.join(', ')}`;
}
