/** What a local Azure can be told when it is started. */

import type { Provider } from './contract/index.ts';
import type { ProviderParts } from './providers.ts';

export interface CloudOptions {
  /** Where everything is kept: certificates, keys, ports, resources, blobs. Made if it is not there. */
  stateDirectory: string;
  /** eastus, westus3 and centralus unless said. A region that holds resources must stay. */
  regions?: readonly string[];
  /** The port of the ARM endpoint on the first start; a free one unless said. */
  port?: number;
  /** How long a bearer token lives, in real seconds; 300 unless said. */
  tokenSeconds?: number;
  /** Multiplies the time that long-running operations take on the cloud's clock; 1 unless said. */
  pace?: number;
  /**
   * Are Resource Manager's limits in force, at Azure's figures (refilled faster by `pace`, as everything goes)? On
   * unless said. Those of scenarios are in any case.
   */
  throttling?: 'azure' | 'off';
  /** `Retry-After` of long-running operations in seconds; 1 unless said. */
  retryAfterSeconds?: number;
  /** The seed of everything random but ids, keys and secrets. */
  seed?: number;
  /** The cloud's speed against real time on the first start; 1 unless said, 0: stands still until driven. */
  speed?: number;
  /** Seconds on the cloud's clock until a role assignment that was made, or deleted, takes effect; 5 unless said. */
  roleDelaySeconds?: number;
  providers?: (parts: ProviderParts) => readonly Provider[];
  log?: (message: string) => void;
}
