/** What Azure answers of a workspace's resources goes into a recovery point, whatever it leaves out. */
import { describe, expect, it } from 'vitest';
import { partLines } from '../../src/recovery-point/manifest.ts';
import type { Heartbeat } from '../../src/run/work/heartbeat.ts';
import { listResources } from '../../src/inventory/list-resources.ts';
import type { Needed } from '../../src/inventory/needed.ts';
import { readLines } from '../../src/recovery-point/parts.ts';
import type { KnownWorkspace } from '../../src/workspace/workspace.ts';
import { ComputeSummary } from '../../src/plan/recovery-point-summary.ts';
import { fakeArm } from '../fakes/arm.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { east, eastId } from '../jobs/scene.ts';

const computes = {
  gpu: {
    computeType: 'AmlCompute',
    properties: {
      vmSize: 'Standard_NC6s_v3',
      vmPriority: 'Dedicated',
      scaleSettings: { minNodeCount: 0, maxNodeCount: 4 },
    },
  },
  bare: { computeType: 'AmlCompute', properties: { vmSize: null, vmPriority: null, scaleSettings: null } },
  attached: { computeType: 'Kubernetes', properties: null },
  odd: {},
};

describe('a compute', () => {
  it('is summarised by what Azure says of it, and kept whole', async () => {
    const arm = fakeArm();
    const store = fakeControlStore();
    for (const [name, properties] of Object.entries(computes))
      arm.add(`${eastId}/computes/${name}`, { properties, location: null });
    const { computes: summaries, parts } = await listResources(
      {
        arm,
        store,
        workspace: { ...east, id: eastId } as KnownWorkspace,
        folder: 'f',
        needed: {} as Needed,
        heartbeat: { beat: () => Promise.resolve(), add: () => undefined } as unknown as Heartbeat,
        signal: new AbortController().signal,
        leftCancelled: {},
        stopped: { jobs: new Map(), schedules: new Set() },
      },
      [],
    );
    expect(summaries).toEqual([
      {
        name: 'gpu',
        type: 'AmlCompute',
        vmSize: 'Standard_NC6s_v3',
        vmPriority: 'Dedicated',
        minNodes: 0,
        maxNodes: 4,
      },
      { name: 'bare', type: 'AmlCompute' },
      { name: 'attached', type: 'Kubernetes' },
      { name: 'odd', type: 'Unknown' },
    ]);
    for (const summary of summaries) expect(ComputeSummary.parse(summary)).toEqual(summary);
    const kept = await Array.fromAsync(readLines(store, 'f', parts, 'computes'));
    expect(kept).toEqual([...arm.resources.values()]);
    for (const line of kept) expect(partLines.computes.parse(line)).toBe(line);
  });
});
