/**
 * Where a belief about Azure is tried: a resource group of its own, in the local Azure or, where
 * ASSUMPTIONS_SUBSCRIPTION names a subscription, in that one, as whom the environment says (AZURE_TENANT_ID,
 * AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, or `az login`). Who that is needs Owner, or Contributor with User Access
 * Administrator. Everything made is in the group; `close` deletes it, and purges the vaults and workspaces that were in
 * it. ASSUMPTIONS_LOCATION is where, eastus if it is not said.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startCloud } from '../../simulator/cloud.ts';
import { apiVersions, type ArmResource, type Azure, type JsonObject } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { cloudEnvironment } from '../../src/stack/state.ts';

export interface Place {
  azure: Azure;
  subscription: string;
  location: string;
  /** The group's ARM id. */
  group: string;
  /** The object id of whoever asks, and the tenant. */
  caller: string;
  tenant: string;
  /** A name that nobody else has: `prefix` and eight digits, lower case. */
  name(prefix: string): string;
  /** Deploys a template into the group and answers its outputs. */
  deploy(template: JsonObject, parameters?: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const subscriptionId = process.env.ASSUMPTIONS_SUBSCRIPTION;
/** Whether beliefs are tried on Azure itself. */
export const isReal = subscriptionId !== undefined;
/** Milliseconds; Azure itself takes its time. */
export const deadline = isReal ? 20 * 60_000 : 90_000;

export async function openPlace(): Promise<Place> {
  return isReal ? placeIn(process.env, subscriptionId ?? '', () => Promise.resolve()) : openLocal();
}

async function openLocal(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'assumptions-'));
  const cloud = await startCloud({ stateDirectory: folder, pace: 0.05, retryAfterSeconds: 0 });
  const { address } = cloud;
  const ordinary = getCACertificates('default');
  setDefaultCACertificates([...ordinary, await readFile(address.ca, 'utf8')]);
  const environment = cloudEnvironment(address);
  return placeIn(environment, address.subscriptionId, async () => {
    await cloud.close();
    setDefaultCACertificates(ordinary);
    await rm(folder, { recursive: true, force: true });
  });
}

async function placeIn(environment: NodeJS.ProcessEnv, subscription: string, end: () => Promise<void>): Promise<Place> {
  const cloud = cloudFrom(environment);
  const credential = credentialFrom(environment);
  const azure = connectAzure({ credential, cloud, requestTimeoutMs: 60_000 });
  const digits = randomBytes(4).toString('hex');
  const location = environment.ASSUMPTIONS_LOCATION ?? 'eastus';
  const group = `/subscriptions/${subscription}/resourceGroups/understudy-assumptions-${digits}`;
  await azure.arm.put(group, apiVersions.resourceGroups, { location, tags: { purpose: 'assumptions' } });
  const token = await credential.getToken(`${cloud.resourceManagerAudience}/.default`);
  let deployments = 0;
  return {
    azure,
    subscription: `/subscriptions/${subscription}`,
    location,
    group,
    ...whoIn(token?.token ?? ''),
    name: (prefix) => `${prefix}${digits}`,
    async deploy(template, parameters = {}) {
      const path = `${group}/providers/Microsoft.Resources/deployments/d${++deployments}`;
      const properties = { mode: 'Incremental', template, parameters: valuesOf(parameters) } as JsonObject;
      const made = await azure.arm.put(path, apiVersions.deployments, { properties });
      const outputs = (made.properties.outputs ?? {}) as Record<string, { value: unknown }>;
      return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    },
    async close() {
      try {
        if (isReal) await clear(azure, group, location);
      } finally {
        await end();
      }
    },
  };
}

function valuesOf(parameters: Record<string, unknown>): Record<string, { value: unknown }> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value }]));
}

/** Deletes the group; what is only soft-deleted by that is purged, so that neither name nor cost stays. */
async function clear({ arm }: Azure, group: string, location: string): Promise<void> {
  const resources = await Array.fromAsync(arm.list(`${group}/resources`, apiVersions.resourceGroups));
  const ofType = (type: string): ArmResource[] =>
    resources.filter((each) => each.type.toLowerCase() === type.toLowerCase());
  for (const { id } of ofType('Microsoft.MachineLearningServices/workspaces'))
    await arm.remove(`${id}?forceToPurge=true`, apiVersions.machineLearning);
  await arm.remove(group, apiVersions.resourceGroups);
  const [, , subscription = ''] = group.split('/');
  for (const { name } of ofType('Microsoft.KeyVault/vaults')) {
    const deleted = `/subscriptions/${subscription}/providers/Microsoft.KeyVault/locations/${location}/deletedVaults/${name}`;
    await arm.post(`${deleted}/purge`, apiVersions.keyVault);
  }
}

function whoIn(token: string): Pick<Place, 'caller' | 'tenant'> {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const { oid, tid } = JSON.parse(payload) as { oid: string; tid: string };
  return { caller: oid, tenant: tid };
}
