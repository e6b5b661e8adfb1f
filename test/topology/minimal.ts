/** The smallest topology that says what it must. */
import { parseTopology } from '../../src/topology/load.ts';
import type { Topology } from '../../src/topology/topology.ts';

export const subscription = '11111111-2222-3333-4444-555555555555';

export const minimal = `name: fraud-ml
regions:
  eastus: { workspace: { subscriptionId: ${subscription}, resourceGroup: ml-east, name: fraud-east } }
  westus3: { workspace: { subscriptionId: ${subscription}, resourceGroup: ml-west, name: fraud-west } }
controlStore: { subscriptionId: ${subscription}, resourceGroup: ml-control, storageAccount: fraudcontrol }
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
