import { declaredActive } from './sides.ts';
import type { Topology } from './topology.ts';

/**
 * Returns names of computes, old → new, for a failover away from `from`. The topology declares them for a failover away
 * from the declared active region. In the other direction they are inverted, and a name that stands for two is omitted,
 * because it is ambiguous.
 */
export function computeNames(topology: Topology, from: string): Record<string, string> {
  const declared = topology.jobs.compute;
  if (from === declaredActive(topology)) return declared;
  const turned = Object.entries(declared).map(([active, standby]) => [standby, active] as const);
  const times = (name: string) => turned.filter(([other]) => other.toLowerCase() === name.toLowerCase()).length;
  return Object.fromEntries(turned.filter(([name]) => times(name) === 1));
}
