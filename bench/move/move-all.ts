/** A recovery point and a failover by the product's own steps, with the control store in memory and no Temporal. */
import { apiVersions, type Azure } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { cloudEnvironment } from '../../src/stack/state.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { Topology } from '../../src/topology/topology.ts';
import { fakeControlStore } from '../../test/fakes/control-store.ts';
import { openFailover, runPlan } from '../../test/run/run-plan.ts';
import { textField } from '../azure-fields.ts';
import { replicate, startStepRun } from '../step-runs.ts';
import type { Moved, Settings } from './benchmark.ts';

export async function moveAll({ address }: Settings): Promise<Moved> {
  const environment = cloudEnvironment(address);
  const azure = connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs: 120_000,
  });
  const store = fakeControlStore();
  const topology = await topologyOf(azure, address.subscriptionId);
  await ensurePointer(store, { topology, who: 'a benchmark', now: new Date() });
  const replication = startStepRun({ azure, store, topology, operation: 'replicate' });
  const ref = await replicate(replication, async (step, work) => {
    const began = Date.now();
    await work();
    console.error(`  ${step}: ${((Date.now() - began) / 1000).toFixed(0)} s`);
  });
  const run = await openFailover(azure, store, topology, ref.id);
  const beganAt = Date.now();
  const failures: string[] = [];
  const ends: Moved['steps'] = [];
  await runPlan(run, {
    ended: (id, end) => {
      // The scaled clock, not what the journal has: dates that are made without a time are the machine's.
      const endedAt = (Date.now() - beganAt) / 1000;
      if (end instanceof Error) failures.push(`+${endedAt.toFixed(0)} s ${id}: ${end.message}`);
      else ends.push({ id, state: end.state, endedAt, detail: end.detail ?? '' });
      console.error(`  +${endedAt.toFixed(0)} s ${id}: ${end instanceof Error ? end.message : end.state}`);
    },
  });
  const documents = [...store.documents].filter(([name]) => name.startsWith(`runs/${run.run.runId}/`));
  return {
    steps: ends,
    failures,
    peakMiB: 0,
    largestBytes: Math.max(...documents.map(([, { text }]) => text.length)),
    documents: documents.length,
  };
}

async function topologyOf(azure: Azure, subscriptionId: string): Promise<Topology> {
  const regions = Object.fromEntries(
    [
      ['eastus', 'fraud-east'],
      ['westus3', 'fraud-west'],
    ].map(([region = '', name = '']) => [
      region,
      { workspace: { subscriptionId, resourceGroup: `ml-${region}`, name } },
    ]),
  );
  const vaults: Record<string, string> = {};
  for (const [region, { workspace }] of Object.entries(regions)) {
    const made = await azure.arm.get(workspaceId(workspace), apiVersions.machineLearning);
    const vault = await azure.arm.get(textField(made, 'keyVault'), apiVersions.keyVault);
    vaults[region] = textField(vault, 'vaultUri');
  }
  return Topology.parse({
    name: 'bench',
    regions,
    controlStore: { subscriptionId, resourceGroup: 'control', storageAccount: 'benchcontrol' },
    escrow: { vaults },
  });
}
