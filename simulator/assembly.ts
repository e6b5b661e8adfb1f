/** The parts of the local Azure, made and joined; nothing listens and nothing runs yet. */

import { join } from 'node:path';
import { AdminApi } from './admin/api.ts';
import { Azurite } from './blobs/azurite.ts';
import { BlobFront } from './blobs/front.ts';
import { GeoReplicas } from './blobs/geo-replication.ts';
import type { Certificates } from './certificates.ts';
import { Chaos } from './chaos/chaos.ts';
import { CloudClock, type ClockState } from './clock.ts';
import { Directory } from './entra/directory.ts';
import { Entra } from './entra/endpoints.ts';
import { TokenService } from './entra/tokens.ts';
import { Faults } from './faults.ts';
import { FileStore } from './files/file-store.ts';
import { FileFront } from './files/front.ts';
import { ManagedShares } from './files/managed-shares.ts';
import { FrontDoor } from './front-door/front-door.ts';
import { ArmEndpoint } from './http/arm-endpoint.ts';
import { DataPlane } from './http/data-plane.ts';
import { Engine } from './http/engine.ts';
import { Hanging } from './http/hanging.ts';
import { Lists } from './http/lists.ts';
import { Operations } from './http/operations.ts';
import { RateLimits } from './http/rate-limits.ts';
import type { RequestLog } from './http/request-log.ts';
import { InsideCloud } from './inside.ts';
import type { Provider } from './provider.ts';
import { defaultProviders, type ProviderParts } from './providers/index.ts';
import { findAccount } from './providers/storage-places.ts';
import { RegistryAccess } from './registry/access.ts';
import { RegistryFront } from './registry/front.ts';
import { RegistryStore } from './registry/registry-store.ts';
import { seededRandom } from './random.ts';
import type { Journal } from './state.ts';
import { JournaledStore } from './store.ts';
import { VaultFailover } from './http/vault-failover.ts';
import { TrafficManager } from './traffic-manager/traffic-manager.ts';

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
   * Are Resource Manager's limits in force, at Azure's figures (refilled faster by `pace`, as everything goes)? On unless said. Those of
   * scenarios are in any case.
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

/** What the parts need of the one that holds the listeners. */
export interface Surroundings {
  journal: Journal;
  certificates: Certificates;
  regions: readonly string[];
  requests: RequestLog;
  /** The address of a listener: 'arm', 'front', or a region. */
  url: (listener: string) => string;
  /** The clients' view of the whole, for the admin API. */
  address: () => object;
  /** Azurite has ended without being asked to. */
  azuriteEnded: (message: string) => void;
  log: (message: string) => void;
  onError: (error: unknown) => void;
}

export type Parts = ReturnType<typeof assemble>;

export function assemble(options: CloudOptions, around: Surroundings) {
  const { journal, certificates, regions, requests, url, log } = around;
  const random = seededRandom(options.seed ?? 1);
  const clockTable = journal.table<ClockState>('clock');
  const clock = new CloudClock(
    clockTable.get('clock'),
    (state) => clockTable.set('clock', state),
    around.onError,
  );
  if (options.speed !== undefined && clockTable.get('clock') === undefined) clock.setSpeed(options.speed);
  const directory = new Directory(journal);
  const store = new JournaledStore(journal);
  const faults = new Faults(journal, random);
  const arm = url('arm');
  const tokens = new TokenService(
    join(options.stateDirectory, 'token-key.pem'),
    arm,
    options.tokenSeconds ?? 300,
  );
  const frontOf = (account: string): string => url(findAccount({ store }, account)?.region ?? '');
  const azurite = new Azurite(
    join(options.stateDirectory, 'azurite'),
    journal,
    frontOf,
    around.azuriteEnded,
    () => clock.now(),
  );
  const fileStore = new FileStore(join(options.stateDirectory, 'files'), journal);
  const geo = new GeoReplicas({ journal, store, clock, azurite, faults });
  const cloud = new InsideCloud({
    clock,
    store,
    tenantId: directory.tenantId,
    regions,
    armEndpoint: arm,
    dataPlaneOf: url,
    isDark: (region) => faults.modeOf(region, []) !== 'none',
    isStorageOut: (region) => faults.modeOf(region, ['blob', 'storage']) !== 'none',
    areComputesLost: (region) => faults.outagesOf(region).some(({ jobs }) => jobs === 'killed'),
    workFolder: join(options.stateDirectory, 'work'),
    tokens,
    blobs: azurite,
    geo,
    files: new ManagedShares(fileStore, clock),
    random,
    log,
  });
  const registryStore = new RegistryStore(join(options.stateDirectory, 'registry'), journal);
  const traffic = new TrafficManager(cloud, certificates.ca, requests);
  const frontDoor = new FrontDoor(cloud, url('front'), certificates.ca, requests);
  const providers = (options.providers ?? defaultProviders)({
    directory,
    faults,
    frontDoor,
    traffic,
    registryStore,
    ca: certificates.ca,
    roleDelayMs: (options.roleDelaySeconds ?? 5) * 1000,
  });
  const operations = new Operations(journal, clock, arm, options.retryAfterSeconds ?? 1, around.onError);
  const lists = new Lists(faults, clock, store);
  const pace = options.pace ?? 1;
  const engine = new Engine({ cloud, operations, faults, directory, providers, pace, lists });
  const hanging = new Hanging();
  cloud.onOutage((region) => hanging.release(region));
  const vaults = new VaultFailover({ faults, regions: cloud.regions, now: () => clock.now() });
  cloud.onOutage((region) => vaults.observe(region));
  const plane = new DataPlane(
    faults,
    {
      blobs: new BlobFront(cloud, faults, azurite),
      files: new FileFront(cloud, faults, fileStore),
      registries: new RegistryFront(cloud, faults, registryStore, new RegistryAccess(cloud, journal)),
    },
    requests,
    log,
    hanging,
    vaults,
  );
  cloud.attach(engine, plane);
  const limits = new RateLimits({
    pace,
    enforced: options.throttling !== 'off',
    share: () => faults.armLimitShare,
    isSubscription: (id) => directory.subscription(id) !== undefined,
  });
  const entra = new Entra(arm, directory, tokens);
  const endpoint = new ArmEndpoint(engine, entra, tokens, limits, requests, hanging);
  const chaos = new Chaos(journal, faults, { cloud, tokens }, around.onError);
  const admin = new AdminApi({
    cloud,
    clock,
    faults,
    chaos,
    geo,
    directory,
    requests,
    tokens,
    address: around.address,
  });
  return {
    clock,
    directory,
    faults,
    chaos,
    geo,
    azurite,
    cloud,
    frontDoor,
    traffic,
    operations,
    engine,
    plane,
    endpoint,
    admin,
  };
}
