/** Opens what a step works with; plans, bundles and stores are kept, since they never change under their digest. */
import type { Azure } from '../azure/azure.ts';
import { openControlStore } from '../control-store/connect.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Plan } from '../plan/plan.ts';
import { toSeconds } from '../topology/duration.ts';
import type { RunReference } from './reference.ts';
import type { Bundle } from './step-context.ts';

export interface RunEnvironment {
  azure: Azure;
  store: ControlStore;
  plan: Plan;
  bundle: Bundle;
}

export type OpenEnvironment = (run: RunReference) => Promise<RunEnvironment>;

/** `connect` answers an Azure whose requests may take so many milliseconds (default: its own). */
export function environments(connect: (requestTimeoutMs?: number) => Azure): OpenEnvironment {
  // At once, so that wrong settings are told when the worker starts, not in its first step.
  const own = connect();
  const clouds = new Map<number, Azure>();
  /** One for each time-out: runs share the pace at which ARM may be called. */
  const azureWith = (requestTimeoutMs: number): Azure => {
    const azure = clouds.get(requestTimeoutMs) ?? connect(requestTimeoutMs);
    clouds.set(requestTimeoutMs, azure);
    return azure;
  };
  const stores = new Map<string, Promise<ControlStore>>();
  const kept = new Map<string, Promise<RunEnvironment>>();
  /** A failure is not kept: the next attempt tries again. */
  const once = <T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const found = map.get(key);
    if (found) return found;
    const made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
    return made;
  };
  return (run) =>
    once(kept, `${run.plan} ${run.bundle}`, async () => {
      const store = await once(stores, JSON.stringify(run.controlStore), () =>
        openControlStore(own, run.controlStore),
      );
      const [plan, bundle] = await Promise.all([
        store.open<Plan>('plans', run.plan),
        store.open<Bundle>('bundles', run.bundle),
      ]);
      const { requestTimeout } = bundle.topology.policies;
      return { azure: azureWith(toSeconds(requestTimeout) * 1000), store, plan, bundle };
    });
}
