/** A local Azure for a test file, its certificate trusted, and the product's own way of reaching it. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Azure } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { startCloud, type RunningCloud } from '../../simulator/cloud.ts';

export interface LocalAzure {
  cloud: RunningCloud;
  subscriptionId: string;
  connect(requestTimeoutMs?: number): Azure;
  /** Makes a resource group; answers its id. */
  group(name: string, location: string): Promise<string>;
  close(): Promise<void>;
}

export async function startLocalAzure(): Promise<LocalAzure> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-local-azure-'));
  const cloud = await startCloud({ stateDirectory: folder, pace: 0.05, retryAfterSeconds: 0 });
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, readFileSync(cloud.address.ca, 'utf8')]);
  const { tenantId, clientId, clientSecret, authority, arm, subscriptionId } = cloud.address;
  const environment: NodeJS.ProcessEnv = {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_AUTHORITY_HOST: authority,
    AZURE_RESOURCE_MANAGER_ENDPOINT: arm,
  };
  const connect: LocalAzure['connect'] = (requestTimeoutMs = 5000) =>
    connectAzure({
      credential: credentialFrom(environment),
      cloud: cloudFrom(environment),
      requestTimeoutMs,
    });
  return {
    cloud,
    subscriptionId,
    connect,
    async group(name, location) {
      const id = `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
      await connect().arm.put(id, '2024-03-01', { location });
      return id;
    },
    async close() {
      setDefaultCACertificates(trusted);
      await cloud.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
