/** The smallest topology that says what it must. */
import { parseTopology } from '../../src/topology/load.ts';
import type { Topology } from '../../src/topology/topology.ts';

export const minimal = `name: fraud-ml
regions:
  eastus: { workspace: { subscriptionId: "1111", resourceGroup: ml-east, name: fraud-east } }
  westus3: { workspace: { subscriptionId: "1111", resourceGroup: ml-west, name: fraud-west } }
controlStore: { subscriptionId: "1111", resourceGroup: ml-control, storageAccount: fraudcontrol }
strategies: { platform: hot-warm, data: hot-warm, training: hot-warm, inference: hot-warm }
objectives:
  inference: { rto: 15m, rpo: 1h }
configs: []
`;

/** The minimal topology, and more YAML at its end. */
export function topologyOf(more = ''): Topology {
  return parseTopology(
    `${minimal.replace('configs: []\n', more.includes('configs:') ? '' : 'configs: []\n')}${more}`,
    'understudy.yaml',
  );
}
