/**
 * The parts of the local Azure, made and joined in layers, each of those below it; nothing listens and nothing runs
 * yet.
 */

import { join } from 'node:path';
import { AdminApi } from './admin/api.ts';
import { Azurite } from './azurite/azurite.ts';
import { BlobFront } from './blobs/front.ts';
import { GeoReplicas } from './blobs/geo-replication.ts';
import type { Certificates } from './certificates.ts';
import { Chaos } from './chaos/chaos.ts';
import { CloudClock, type ClockState } from './clock/clock.ts';
import { Directory } from './entra/directory.ts';
import { Entra } from './entra/endpoints.ts';
import { TokenService } from './entra/tokens.ts';
import { Faults } from './faults/faults.ts';
import { FileStore } from './files/file-store.ts';
import { FileFront } from './files/front.ts';
import { ManagedShares } from './files/managed-shares.ts';
import { FrontDoor } from './front-door/front-door.ts';
import { ArmEndpoint } from './arm/arm-endpoint.ts';
import { DataPlane } from './data-plane/data-plane.ts';
import { Engine } from './arm/engine.ts';
import { Hanging } from './http/hanging.ts';
import { Lists } from './arm/lists.ts';
import { Operations } from './arm/operations.ts';
import { RateLimits } from './arm/rate-limits.ts';
import type { RequestLog } from './http/request-log.ts';
import { InsideCloud } from './inside/inside.ts';
import type { CloudOptions } from './options.ts';
import { defaultProviders } from './providers.ts';
import { findAccount } from './storage/places.ts';
import { RegistryAccess } from './registry/access.ts';
import { RegistryFront } from './registry/front.ts';
import { RegistryStore } from './registry/registry-store.ts';
import { seededRandom } from './clock/random.ts';
import type { Journal } from './state/journal.ts';
import { JournaledStore } from './state/store.ts';
import { VaultFailover } from './services/vault-failover.ts';
import { TrafficManager } from './traffic-manager/traffic-manager.ts';

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

/** Makes all parts, from what knows of no other part up to the API that drives them. */
export function assemble(options: CloudOptions, around: Surroundings) {
  const ground = makeGround(options, around);
  const data = makeData(options, around, ground);
  const cloud = makeCloud(options, around, ground, data);
  const fronts = makeFronts(around, cloud);
  const management = makeManagement(options, around, { ...ground, ...data, ...fronts, cloud });
  const plane = makeDataPlane(around, { ...ground, ...data, ...management, cloud });
  cloud.attach(management.engine, plane);
  const driven = makeDrive(around, { ...ground, ...data, cloud });
  return { ...ground, ...data, cloud, ...fronts, ...management, plane, ...driven };
}

/** What stands on nothing but the state folder: the clock, the directory, the resources, the failures, the tokens. */
function makeGround(options: CloudOptions, { journal, url, onError }: Surroundings) {
  const random = seededRandom(options.seed ?? 1);
  const clockTable = journal.table<ClockState>('clock');
  const before = clockTable.get('clock');
  const clock = new CloudClock(before, (state) => clockTable.set('clock', state), onError);
  if (options.speed !== undefined && before === undefined) clock.setSpeed(options.speed);
  const tokenKey = join(options.stateDirectory, 'token-key.pem');
  return {
    random,
    clock,
    directory: new Directory(journal),
    store: new JournaledStore(journal),
    faults: new Faults(journal, random),
    tokens: new TokenService(tokenKey, url('arm'), options.tokenSeconds ?? 300),
  };
}

type Ground = ReturnType<typeof makeGround>;

/** Where contents are kept: blobs and their secondaries, file shares, images of registries. */
function makeData(options: CloudOptions, around: Surroundings, { store, clock, faults }: Ground) {
  const { journal, url, azuriteEnded } = around;
  const folder = (name: string): string => join(options.stateDirectory, name);
  const frontOf = (account: string): string => url(findAccount({ store }, account)?.region ?? '');
  const azurite = new Azurite(folder('azurite'), journal, frontOf, azuriteEnded, () => clock.now());
  return {
    azurite,
    geo: new GeoReplicas({ journal, store, clock, azurite, faults }),
    fileStore: new FileStore(folder('files'), journal),
    registryStore: new RegistryStore(folder('registry'), journal),
  };
}

type Data = ReturnType<typeof makeData>;

/** The cloud as its providers see it. */
function makeCloud(options: CloudOptions, around: Surroundings, ground: Ground, data: Data): InsideCloud {
  const { clock, store, directory, faults, tokens, random } = ground;
  return new InsideCloud({
    clock,
    store,
    tenantId: directory.tenantId,
    regions: around.regions,
    armEndpoint: around.url('arm'),
    dataPlaneOf: around.url,
    isDark: (region) => faults.modeOf(region, []) !== 'none',
    isStorageOut: (region) => faults.modeOf(region, ['blob', 'storage']) !== 'none',
    areComputesLost: (region) => faults.outagesOf(region).some(({ jobs }) => jobs === 'killed'),
    workFolder: join(options.stateDirectory, 'work'),
    tokens,
    blobs: data.azurite,
    geo: data.geo,
    files: new ManagedShares(data.fileStore, clock),
    random,
    log: around.log,
  });
}

/** What leads clients of endpoints to a region. */
function makeFronts({ certificates, requests, url }: Surroundings, cloud: InsideCloud) {
  return {
    traffic: new TrafficManager(cloud, certificates.ca, requests),
    frontDoor: new FrontDoor(cloud, url('front'), certificates.ca, requests),
  };
}

type Fronts = ReturnType<typeof makeFronts>;

/** Resource Manager: the rows of all providers, the engine over them, and the endpoint that clients ask. */
function makeManagement(
  options: CloudOptions,
  { journal, url, requests, certificates, onError }: Surroundings,
  parts: Ground & Data & Fronts & { cloud: InsideCloud },
) {
  const { cloud, clock, directory, faults, store, tokens } = parts;
  const roleDelayMs = (options.roleDelaySeconds ?? 5) * 1000;
  const providers = (options.providers ?? defaultProviders)({ ...parts, ca: certificates.ca, roleDelayMs });
  const operations = new Operations(journal, clock, url('arm'), options.retryAfterSeconds ?? 1, onError);
  const lists = new Lists(faults, clock, store);
  const pace = options.pace ?? 1;
  const engine = new Engine({ cloud, operations, faults, directory, providers, pace, lists });
  const hanging = new Hanging();
  cloud.onOutage((region) => hanging.release(region));
  const limits = new RateLimits({
    pace,
    enforced: options.throttling !== 'off',
    share: () => faults.armLimitShare,
    isSubscription: (id) => directory.subscription(id) !== undefined,
  });
  const entra = new Entra(url('arm'), directory, tokens);
  const endpoint = new ArmEndpoint(engine, entra, tokens, limits, requests, hanging);
  return { operations, engine, hanging, endpoint };
}

type Management = ReturnType<typeof makeManagement>;

/** What the regions' own listeners serve. */
function makeDataPlane(
  { journal, requests, log }: Surroundings,
  parts: Ground & Data & Management & { cloud: InsideCloud },
): DataPlane {
  const { cloud, clock, faults, azurite, fileStore, registryStore, hanging } = parts;
  const vaults = new VaultFailover({ faults, regions: cloud.regions, now: () => clock.now() });
  cloud.onOutage((region) => vaults.observe(region));
  const access = new RegistryAccess(cloud, journal);
  const served = {
    blobs: new BlobFront(cloud, faults, azurite),
    files: new FileFront(cloud, faults, fileStore),
    registries: new RegistryFront(cloud, faults, registryStore, access),
  };
  return new DataPlane(faults, served, requests, log, hanging, vaults);
}

/** What tests and people drive the cloud by: the scenarios, and the admin API. */
function makeDrive(
  { journal, requests, address, onError }: Surroundings,
  parts: Ground & Data & { cloud: InsideCloud },
) {
  const { cloud, clock, directory, faults, geo, tokens } = parts;
  const chaos = new Chaos(journal, faults, { cloud, tokens }, onError);
  const admin = new AdminApi({ cloud, clock, faults, chaos, geo, directory, requests, tokens, address });
  return { chaos, admin };
}
