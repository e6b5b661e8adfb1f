/** The providers of the local Azure. */

import type { Directory } from '../entra/directory.ts';
import type { Faults } from '../faults.ts';
import type { FrontDoor } from '../front-door/front-door.ts';
import type { Provider } from '../provider.ts';
import type { TrafficManager } from '../traffic-manager/traffic-manager.ts';
import type { RegistryStore } from '../registry/registry-store.ts';
import { authorization } from './authorization/index.ts';
import { cdn } from './cdn.ts';
import { compute } from './compute.ts';
import { deployments } from './deployments.ts';
import { generic } from './generic.ts';
import { keyVault } from './keyvault.ts';
import { loadLink } from './links.ts';
import { machineLearning } from './machinelearning/index.ts';
import { containerRegistry } from './registry.ts';
import { resourceHealth } from './resource-health.ts';
import { resources } from './resources.ts';
import { storage } from './storage.ts';
import { trafficManager } from './traffic-manager.ts';
import { unlisted } from './unlisted.ts';

/** What some providers need beside the `Cloud`. */
export interface ProviderParts {
  directory: Directory;
  faults: Faults;
  frontDoor: FrontDoor;
  traffic: TrafficManager;
  registryStore: RegistryStore;
  /** The authority's certificate (PEM), for what the cloud fetches from itself. */
  ca: string;
  /** Milliseconds on the cloud's clock from a change of role assignments to its effect. */
  roleDelayMs: number;
}

export function defaultProviders({
  directory,
  faults,
  frontDoor,
  traffic,
  registryStore,
  ca,
  roleDelayMs,
}: ProviderParts): readonly Provider[] {
  const all: Provider[] = [
    resources(directory, () => all),
    deployments({
      subscriptionName: (id) => directory.subscription(id)?.displayName ?? id,
      providers: () => all,
      loadLink: (uri) => loadLink(uri, ca),
    }),
    storage,
    keyVault,
    authorization({ directory, roleDelayMs }),
    compute,
    resourceHealth(faults),
    cdn(frontDoor),
    trafficManager(traffic),
    containerRegistry(registryStore),
    machineLearning,
    ...generic,
    unlisted,
  ];
  return all;
}
