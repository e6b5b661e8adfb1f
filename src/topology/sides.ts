/** The two sides of a failover. */
import { UnderstudyError } from '../errors/error.ts';
import type { Region, Topology } from './topology.ts';

/** A region and its workspace. */
export interface Side {
  region: string;
  workspace: Region['workspace'];
  template: Region['template'];
}

/** Returns the region that is declared active: `active`, or the first one. */
export function declaredActive(topology: Topology): string {
  const first = topology.active ?? Object.keys(topology.regions)[0];
  if (first === undefined) throw new UnderstudyError('TopologyError', 'the topology declares no region');
  return first;
}

/**
 * Returns the side of a region.
 * Errors: TopologyError if the topology does not have the region.
 */
export function sideOf(topology: Topology, region: string): Side {
  const declared = topology.regions[region];
  if (!declared) {
    throw new UnderstudyError(
      'TopologyError',
      `region "${region}" is not in the topology: expected one of ${Object.keys(topology.regions).join(', ')}`,
    );
  }
  return { region, workspace: declared.workspace, template: declared.template };
}

/** The region that is not `region`. */
export function otherRegion(topology: Topology, region: string): string {
  const other = Object.keys(topology.regions).find((name) => name !== region);
  if (other === undefined)
    throw new UnderstudyError('TopologyError', `the topology has no region other than "${region}"`);
  return other;
}

/** The ARM id of a workspace. */
export function workspaceId({ subscriptionId, resourceGroup, name }: Region['workspace']): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${name}`;
}
