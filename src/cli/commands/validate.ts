import type { Command } from 'commander';
import { loadTopology, makeBundle } from '../../bundle/make-bundle.ts';
import { topologyJsonSchema } from '../../topology/json-schema.ts';
import { command, topologyFile } from '../command.ts';

export function validateCommand(): Command {
  return command(
    'validate',
    'check the topology and the files it names; asks nobody',
    'understudy validate\nunderstudy validate --schema > understudy.schema.json',
  )
    .option('--schema', 'print the JSON Schema of a topology, for editors, instead')
    .action(async (options: { schema?: boolean }, self: Command) => {
      if (options.schema === true) {
        console.log(JSON.stringify(topologyJsonSchema(), null, 2));
        return;
      }
      const file = topologyFile(self);
      const loaded = await loadTopology(file);
      const { topology, templates: bundled } = await makeBundle(loaded);
      const templates = Object.keys(bundled).length;
      console.log(
        `${file}: "${topology.name}" is valid: regions ${Object.keys(topology.regions).join(' and ')}, ${templates} template${templates === 1 ? '' : 's'}, ` +
          `${topology.configs.length} config target${topology.configs.length === 1 ? '' : 's'}, ${topology.probes.length} probe${topology.probes.length === 1 ? '' : 's'}`,
      );
    });
}
