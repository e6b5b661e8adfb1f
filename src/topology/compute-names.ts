import { declaredActive } from './sides.ts';
import type { Topology } from './topology.ts';

/**
 * Names of computes, old → new, for a move away from `from`. The topology gives them for a move away from the declared active
 * region; the other way they are turned round, and a name that stands for two is left out (it cannot be told which is meant).
 */
export function computeNames(topology: Topology, from: string): Record<string, string> {
  const declared = topology.jobs.compute;
  if (from === declaredActive(topology)) return declared;
  const turned = Object.entries(declared).map(([active, standby]) => [standby, active] as const);
  const times = (name: string) =>
    turned.filter(([other]) => other.toLowerCase() === name.toLowerCase()).length;
  return Object.fromEntries(turned.filter(([name]) => times(name) === 1));
}
