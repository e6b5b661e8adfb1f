/** The providers of the local Azure. */

import type { Directory } from '../entra/directory.ts';
import type { Faults } from '../faults.ts';
import type { FrontDoor } from '../front-door/front-door.ts';
import type { Provider } from '../provider.ts';
import { authorization } from './authorization.ts';
import { generic } from './generic.ts';
import { keyVault } from './keyvault.ts';
import { machineLearning } from './machinelearning/index.ts';
import { resources } from './resources.ts';
import { storage } from './storage.ts';

export function defaultProviders({
  directory,
}: {
  faults: Faults;
  directory: Directory;
  frontDoor: FrontDoor;
}): readonly Provider[] {
  const all: Provider[] = [
    resources(directory, () => all),
    storage,
    keyVault,
    authorization,
    machineLearning,
    ...generic,
  ];
  return all;
}
