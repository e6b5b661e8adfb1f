/** Opens what a run works with. Plans, bundles and stores are cached, since they never change under their digest. */
import type { Azure } from '../azure/azure.ts';
import { openControlStore } from '../control-store/connect.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Plan } from '../plan/plan.ts';
import { toSeconds } from '../topology/duration.ts';
import { bundleFolder, bundles, type Bundle } from './bundle.ts';
import { requireRun } from './journal.ts';
import { planFolder, plans } from './plan-document.ts';
import type { RunReference } from './reference.ts';
import { withPlan, type RunDocument, type RunHeader } from './run-document.ts';

/** What a run works with. */
export interface RunEnvironment {
  azure: Azure;
  store: ControlStore;
  bundle: Bundle;
  /** The run's document as it is now. */
  run: RunDocument;
}

/** For a run that has its plan. */
export interface PlannedEnvironment extends RunEnvironment {
  run: RunHeader;
  plan: Plan;
}

/** Opens what runs work with. */
export interface Environments {
  /** Azure as this worker signs in to it, for work that belongs to no run. */
  azure: Azure;
  /** What can be opened of a run whose bundle or plan cannot be read, and for work that belongs to no run. */
  openStore(of: Pick<RunReference, 'controlStore'>): Promise<ControlStore>;
  open(run: RunReference): Promise<RunEnvironment>;
  /** ControlStoreError if the run has no plan yet. */
  openPlanned(run: RunReference): Promise<PlannedEnvironment>;
}

/** `connect` returns an Azure whose requests time out after that many milliseconds (default: its own time-out). */
export function environments(connect: (requestTimeoutMs?: number) => Azure): Environments {
  // At once, so that wrong settings fail when the worker starts, not in its first step.
  const own = connect();
  const clouds = new Map<number, Azure>();
  /** One per time-out: runs share the rate at which ARM may be called. */
  const azureWith = (requestTimeoutMs: number): Azure => {
    const azure = clouds.get(requestTimeoutMs) ?? connect(requestTimeoutMs);
    clouds.set(requestTimeoutMs, azure);
    return azure;
  };
  const stores = new Map<string, Promise<ControlStore>>();
  const keptBundles = new Map<string, Promise<Bundle>>();
  const keptPlans = new Map<string, Promise<Plan>>();
  const openStore: Environments['openStore'] = ({ controlStore }) =>
    once(stores, JSON.stringify(controlStore), () => openControlStore(own, controlStore));
  const open = async (reference: RunReference): Promise<RunEnvironment> => {
    const store = await openStore(reference);
    const place = JSON.stringify(reference.controlStore);
    const run = await requireRun(store, reference.runId);
    const bundle = await once(keptBundles, `${place} ${run.bundle}`, () =>
      bundles.open(store, bundleFolder, run.bundle),
    );
    const { requestTimeout } = bundle.topology.policies;
    return { azure: azureWith(toSeconds(requestTimeout) * 1000), store, bundle, run };
  };
  return {
    azure: own,
    openStore,
    open,
    async openPlanned(reference) {
      const environment = await open(reference);
      const run = withPlan(environment.run);
      const plan = await once(keptPlans, `${JSON.stringify(reference.controlStore)} ${run.plan}`, () =>
        plans.open(environment.store, planFolder, run.plan),
      );
      return { ...environment, run, plan };
    },
  };
}

/** A failure is not cached: the next attempt tries again. */
function once<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = map.get(key);
  if (found) return found;
  const made = make();
  map.set(key, made);
  made.catch(() => map.delete(key));
  return made;
}
