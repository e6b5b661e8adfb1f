/** The providers of the local Azure. */

import type { Directory } from './entra/directory.ts';
import type { Faults } from './faults/faults.ts';
import type { FrontDoor } from './front-door/front-door.ts';
import type { Provider } from './contract/index.ts';
import type { TrafficManager } from './traffic-manager/traffic-manager.ts';
import type { RegistryStore } from './registry/registry-store.ts';
import { authorization } from './authorization/index.ts';
import { cdn } from './front-door/index.ts';
import { compute } from './machinelearning/computes/microsoft-compute.ts';
import { deployments } from './deployments/index.ts';
import { generic } from './unlisted/generic.ts';
import { keyVault } from './keyvault/index.ts';
import { loadLink } from './deployments/links.ts';
import { machineLearning } from './machinelearning/index.ts';
import { containerRegistry } from './registry/index.ts';
import { resourceHealth } from './health/index.ts';
import { resources } from './groups/index.ts';
import { storage } from './storage/index.ts';
import { trafficManager } from './traffic-manager/index.ts';
import { unlisted } from './unlisted/index.ts';

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
