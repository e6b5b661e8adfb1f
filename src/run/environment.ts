/** Opens what a step works with; plans, bundles and stores are kept, since they never change under their digest. */
import type { Azure } from '../azure/azure.ts';
import { openControlStore } from '../control-store/connect.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunReference } from './reference.ts';
import type { Bundle } from './step-context.ts';

export interface RunEnvironment {
  azure: Azure;
  store: ControlStore;
  plan: Plan;
  bundle: Bundle;
}

export type OpenEnvironment = (run: RunReference) => Promise<RunEnvironment>;

export function environments(azure: Azure): OpenEnvironment {
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
        openControlStore(azure, run.controlStore),
      );
      const [plan, bundle] = await Promise.all([
        store.open<Plan>('plans', run.plan),
        store.open<Bundle>('bundles', run.bundle),
      ]);
      return { azure, store, plan, bundle };
    });
}
