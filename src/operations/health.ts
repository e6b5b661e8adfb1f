/**
 * Is a region healthy? Asked of what a failover would leave: the workspace's control plane and its storage. What was
 * seen is kept, so that a report can say since when the region has been out, and how that is known.
 */
import { apiVersions } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import type { ControlStore } from '../control-store/store.ts';
import { messageOf } from '../errors/error.ts';
import { sideOf, workspaceId } from '../topology/sides.ts';
import type { Session } from './session.ts';

export interface Health {
  region: string;
  healthy: boolean;
  checks: { what: string; ok: boolean; detail: string }[];
}

export interface SeenHealth {
  lastHealthyAt?: string;
  /** The first failed check since then. */
  firstUnhealthyAt?: string;
}

const nameOf = (region: string) => `health/${region}.json`;

export async function checkHealth(session: Session, region: string): Promise<Health> {
  const { azure, topology } = session;
  const id = workspaceId(sideOf(topology, region).workspace);
  const checks: Health['checks'] = [];
  const check = async (what: string, work: () => Promise<string>) => {
    try {
      checks.push({ what, ok: true, detail: await work() });
    } catch (error) {
      checks.push({ what, ok: false, detail: messageOf(error) });
    }
  };
  let storage: string | undefined;
  await check('workspace', async () => {
    const workspace = await azure.arm.get(id, apiVersions.machineLearning);
    const { storageAccount, provisioningState } = workspace.properties;
    if (typeof storageAccount === 'string') storage = storageAccount;
    return `${workspace.name} answers: ${typeof provisioningState === 'string' ? provisioningState : 'no state'}`;
  });
  await check('storage', async () => {
    if (storage === undefined) throw new Error('unknown: the workspace that names it does not answer');
    const account = await azure.blobAccount(storage);
    try {
      await account.service.getProperties();
    } catch (error) {
      throw azureError(`blob service of ${account.name}`, error);
    }
    return `${account.name} answers`;
  });
  const health = { region, healthy: checks.every(({ ok }) => ok), checks };
  await remember(session.store, health, new Date());
  return health;
}

async function remember(store: ControlStore, health: Health, now: Date): Promise<void> {
  for (;;) {
    const found = await store.read<SeenHealth>(nameOf(health.region));
    const next: SeenHealth = health.healthy
      ? { lastHealthyAt: now.toISOString() }
      : { ...found?.value, firstUnhealthyAt: found?.value.firstUnhealthyAt ?? now.toISOString() };
    if (await store.swap(nameOf(health.region), next, found?.etag)) return;
  }
}

export async function seenHealth(store: ControlStore, region: string): Promise<SeenHealth> {
  return (await store.read<SeenHealth>(nameOf(region)))?.value ?? {};
}
