/** The action `resubmitJobs`, over the product's own connection to ARM. */
import { connectArm } from '../../src/azure/arm.ts';
import { cloudFrom } from '../../src/azure/cloud.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { command, scene, topologyWith } from '../../test/jobs/scene.ts';
import type { Outcome, Settings } from './benchmark.ts';
import { credential } from './credential.ts';

export async function resubmitAll({ endpoint, jobs, latencyMs }: Settings): Promise<Outcome> {
  const arm = connectArm(credential, cloudFrom({ AZURE_RESOURCE_MANAGER_ENDPOINT: endpoint }), {
    requestTimeoutMs: 600_000,
  });
  const { jobBatch } = topologyWith({ policies: {} }).policies;
  const interrupted = scene(topologyWith({ policies: { jobBatch } }));
  for (let index = 0; index < jobs; index++)
    await interrupted.addJob(`train-${index}`, command({ displayName: `Training ${index}` }));
  const context = interrupted.context({
    azure: { ...interrupted.context().azure, arm },
    store: slow(interrupted.store, latencyMs),
  });
  const began = performance.now();
  const { counts } = await interrupted.resubmit(context);
  return { seconds: (performance.now() - began) / 1000, lost: jobs - (counts?.[0]?.done ?? 0), peakMiB: 0 };
}

/** A control store that takes as long to answer as ARM does. */
function slow(store: ControlStore, latencyMs: number): ControlStore {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, latencyMs));
  return {
    ...store,
    read: (name) => pause().then(() => store.read(name)),
    swap: (name, value, etag) => pause().then(() => store.swap(name, value, etag)),
    write: (name, content, type) => pause().then(() => store.write(name, content, type)),
    open: (folder, digest) => pause().then(() => store.open(folder, digest)),
  };
}
