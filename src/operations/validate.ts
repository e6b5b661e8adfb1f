/** Checks a topology and the files that it names; asks nobody. */
import { loadTopology, makeCheckedBundle } from '../bundle/make-bundle.ts';
import type { Problem } from '../topology/load.ts';

export interface Validation {
  file: string;
  topology: string;
  regions: string[];
  /** How many there are of each. */
  counts: { templates: number; configs: number; probes: number };
  /** What may be a mistake, and may be meant. */
  warnings: Problem[];
}

/** Throws TopologyError, with every problem and its place, where the topology or what it names is wrong. */
export async function validateTopology(file: string): Promise<Validation> {
  const loaded = await loadTopology(file);
  const { bundle, warnings } = await makeCheckedBundle(loaded);
  const { name, regions, configs, probes } = loaded.topology;
  return {
    file,
    topology: name,
    regions: Object.keys(regions),
    counts: {
      templates: Object.keys(bundle.templates).length,
      configs: configs.length,
      probes: probes.length,
    },
    warnings,
  };
}
