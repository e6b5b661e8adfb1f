/** What a command works with: the topology, Azure, and the control store; opened once, with errors a person can use. */
import { loadTopology, type LoadedTopology } from '../bundle/make-bundle.ts';
import type { Azure } from '../azure/azure.ts';
import { cloudFrom, credentialFrom } from '../azure/cloud.ts';
import { connectAzure } from '../azure/connect.ts';
import { openControlStore } from '../control-store/connect.ts';
import type { ControlStore } from '../control-store/store.ts';
import { toSeconds } from '../topology/duration.ts';

export interface Session extends LoadedTopology {
  azure: Azure;
  store: ControlStore;
}

export async function openSession(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Session> {
  const loaded = await loadTopology(file);
  const azure = azureFrom(environment, toSeconds(loaded.topology.policies.requestTimeout) * 1000);
  const store = await openControlStore(azure, loaded.topology.controlStore);
  return { ...loaded, azure, store };
}

export function azureFrom(environment: NodeJS.ProcessEnv, requestTimeoutMs = 10_000): Azure {
  return connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs,
  });
}
