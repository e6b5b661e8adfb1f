/** What a compiler is given: a topology, a pointer and a recovery point, each as the test wants it. */
import type { CompileInput } from '../../src/plan/compile.ts';
import type { RecoveryPointSummary } from '../../src/plan/recovery-point-summary.ts';
import { firstPointer } from '../../src/topology/pointer.ts';
import { topologyOf } from '../topology/minimal.ts';

const at = new Date('2026-11-21T10:00:00.000Z');

export const full = `configs:
  - { host: train-01, file: /etc/ml/.env }
  - { host: train-02, git: /srv/training, files: [config.json] }
traffic: { frontDoor: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, westus3: w } } }
probes:
  - { http: "https://score.example/" }
  - { http: "https://ml.example/", class: platform }
`;

export function compileInput(more = full): CompileInput {
  return {
    topology: topologyOf(more),
    bundle: 'b'.repeat(64),
    pointer: firstPointer('eastus', 'test', at),
    to: 'westus3',
  };
}

export function recoveryPoint(change: Partial<RecoveryPointSummary> = {}): RecoveryPointSummary {
  return {
    ref: { id: '2026-11-21T09-55-00.000Z-e1', digest: 'd'.repeat(64), startedAt: '2026-11-21T09:55:00.000Z' },
    epoch: 1,
    region: 'eastus',
    counts: { models: 3, data: 2, environments: 1, components: 2, codes: 4, connections: 1, schedules: 1 },
    blobs: 212,
    bytes: 24_000_000,
    computes: [{ name: 'gpu', type: 'AmlCompute', vmSize: 'STANDARD_NC4AS_T4_V3', maxNodes: 4 }],
    endpoints: [{ name: 'score', deployments: [{ name: 'blue', instanceCount: 2 }] }],
    jobs: { Running: 2, Queued: 17 },
    fuzzy: 0,
    ...change,
  };
}

/** A copy whose keys stand in the opposite order. */
export function reversedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map((each: unknown) => reversedKeys(each)) as T;
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, each]) => [key, reversedKeys(each)] as const);
  return Object.fromEntries(entries.toReversed()) as T;
}

/** What a failback needs to know of the move that left the region. */
export const leftBefore = {
  leftBy: '20261121T100000Z-failover-1',
  merge: { base: recoveryPoint().ref, divergence: recoveryPoint().ref, newest: recoveryPoint().ref, decisions: [] },
};
