import type { Command } from 'commander';
import { z } from 'zod';
import { loadTopology, makeBundle } from '../../bundle/make-bundle.ts';
import { TopologySchema, ValidTopology } from '../../operations/documents/topology.ts';
import { showCount } from '../../run/work/tally.ts';
import { topologyJsonSchema } from '../../topology/json-schema.ts';
import { command, topologyFile } from '../command.ts';
import { shows } from '../output.ts';

export function validateCommand(): Command {
  const validate = command(
    'validate',
    'check the topology and the files it names; asks nobody',
    'understudy validate\nunderstudy validate --schema > understudy.schema.json',
  ).option('--schema', 'print the JSON Schema of a topology, for editors, instead');
  const documents = z.union([ValidTopology, TopologySchema]);
  return shows(validate, documents, async (_output, options: { schema?: boolean }, self: Command) => {
    if (options.schema === true) {
      const schema = { ...topologyJsonSchema() };
      return { document: schema, text: JSON.stringify(schema, null, 2) };
    }
    const document = await check(topologyFile(self));
    const { file, topology, regions, counts } = document;
    const counted = [
      showCount(counts.templates, 'template'),
      showCount(counts.configs, 'config target'),
      showCount(counts.probes, 'probe'),
    ];
    const text = `${file}: "${topology}" is valid: regions ${regions.join(' and ')}, ${counted.join(', ')}`;
    return { document, text };
  });
}

async function check(file: string): Promise<z.input<typeof ValidTopology>> {
  const { topology, templates } = await makeBundle(await loadTopology(file));
  const { configs, probes } = topology;
  return {
    file,
    topology: topology.name,
    regions: Object.keys(topology.regions),
    counts: {
      templates: Object.keys(templates).length,
      configs: configs.length,
      probes: probes.length,
    },
  };
}
