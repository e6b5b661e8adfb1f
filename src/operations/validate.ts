/** Checks a topology and the files that it names, without any network. */
import { loadTopology, makeCheckedBundle } from '../bundle/make-bundle.ts';
import type { Problem } from '../topology/load.ts';

/** What validating a topology found. */
export interface Validation {
  file: string;
  topology: string;
  regions: string[];
  /** How many there are of each. */
  counts: { templates: number; configs: number; probes: number };
  /** What may be a mistake, or intended. */
  warnings: Problem[];
}

/** Throws TopologyError, with every problem and its place, if the topology or a file that it names is wrong. */
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
