/**
 * The local Azure, put together and started. `main.ts` runs it as a program; tests call `startCloud` in their own process.
 *
 *     const cloud = await startCloud({ stateDirectory: folder });
 *     … cloud.address.arm, cloud.address.ca, cloud.address.clientSecret …
 *     await cloud.close();
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminApi } from './admin/api.ts';
import { Azurite } from './blobs/azurite.ts';
import { BlobFront } from './blobs/front.ts';
import { ensureCertificates, type Certificates } from './certificates.ts';
import { CloudClock, type ClockState } from './clock.ts';
import { Directory } from './entra/directory.ts';
import { Entra } from './entra/endpoints.ts';
import { TokenService } from './entra/tokens.ts';
import { Faults } from './faults.ts';
import { FrontDoor } from './front-door/front-door.ts';
import { ArmEndpoint } from './http/arm-endpoint.ts';
import { DataPlane } from './http/data-plane.ts';
import { finishOf } from './http/dispatch.ts';
import { Engine } from './http/engine.ts';
import { Listener } from './http/listener.ts';
import { Operations } from './http/operations.ts';
import { RequestLog } from './http/request-log.ts';
import { InsideCloud } from './inside.ts';
import { loadPorts, savePorts } from './ports.ts';
import type { Provider } from './provider.ts';
import { defaultProviders, type ProviderParts } from './providers/index.ts';
import { seededRandom } from './random.ts';
import { DEFAULT_REGIONS } from './regions.ts';
import { Journal } from './state.ts';
import { JournaledStore } from './store.ts';

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
  /** `Retry-After` of long-running operations in seconds; 1 unless said. */
  retryAfterSeconds?: number;
  /** The seed of everything random but ids, keys and secrets. */
  seed?: number;
  /** The cloud's speed against real time on the first start; 1 unless said, 0: stands still until driven. */
  speed?: number;
  providers?: (parts: ProviderParts) => readonly Provider[];
  log?: (message: string) => void;
}

/** Where the cloud is and how to log in: what `cloud.json` holds and `main.ts` prints. */
export interface CloudAddress {
  ready: true;
  arm: string;
  authority: string;
  admin: string;
  /** The Front Door stand-in. */
  front: string;
  /** Path of the authority's certificate (PEM). */
  ca: string;
  tenantId: string;
  subscriptionId: string;
  clientId: string;
  clientSecret: string;
  regions: Record<string, { dataPlane: string }>;
  pid: number;
}

export interface RunningCloud {
  readonly address: CloudAddress;
  readonly clock: CloudClock;
  readonly cloud: InsideCloud;
  readonly faults: Faults;
  readonly directory: Directory;
  readonly requests: RequestLog;
  /** Stops listening and saves everything; the state folder can be started again. */
  close(): Promise<void>;
}

/** Starts everything and resolves when all listeners answer. Rejects, with nothing left running, if anything cannot start. */
export async function startCloud(options: CloudOptions): Promise<RunningCloud> {
  mkdirSync(options.stateDirectory, { recursive: true });
  const assembly = new Assembly(options, await ensureCertificates(options.stateDirectory));
  try {
    await assembly.start();
  } catch (error) {
    await assembly.close();
    throw error;
  }
  return assembly;
}

class Assembly implements RunningCloud {
  private readonly options: CloudOptions;
  private readonly certificates: Certificates;
  private readonly regions: readonly string[];
  private readonly listeners = new Map<string, Listener>();
  private readonly log: (message: string) => void;
  readonly requests = new RequestLog();
  private parts: ReturnType<Assembly['assemble']> | undefined;
  private journal: Journal | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: CloudOptions, certificates: Certificates) {
    this.options = options;
    this.certificates = certificates;
    this.regions = options.regions ?? DEFAULT_REGIONS;
    this.log = options.log ?? ((): void => undefined);
  }

  async start(): Promise<void> {
    // The ports are taken before the state is read: a second cloud on one folder fails here, and changes nothing.
    await this.listen();
    this.journal = new Journal(join(this.options.stateDirectory, 'journal.jsonl'));
    this.parts = this.assemble(this.journal);
    const { azurite, engine, operations, faults, cloud } = this.parts;
    await azurite.start();
    for (const provider of engine.providers) await provider.start?.(cloud);
    await operations.resume((record) => finishOf(engine, record));
    faults.onOutage = (region) => this.applyOutage(region);
    for (const region of this.regions) await this.applyOutage(region);
    writeFileSync(
      join(this.options.stateDirectory, 'cloud.json'),
      `${JSON.stringify(this.address, null, 2)}\n`,
      { mode: 0o600 },
    );
  }

  get address(): CloudAddress {
    const { directory } = this.assembled();
    const [principal] = directory.allPrincipals();
    return {
      ready: true,
      arm: this.url('arm'),
      authority: this.url('arm'),
      admin: this.url('admin'),
      front: this.url('front'),
      ca: this.certificates.caFile,
      tenantId: directory.tenantId,
      subscriptionId: directory.subscriptions()[0]?.subscriptionId ?? '',
      clientId: principal?.clientId ?? '',
      clientSecret: principal?.secrets[0] ?? '',
      regions: Object.fromEntries(this.regions.map((region) => [region, { dataPlane: this.url(region) }])),
      pid: process.pid,
    };
  }

  get clock(): CloudClock {
    return this.assembled().clock;
  }
  get cloud(): InsideCloud {
    return this.assembled().cloud;
  }
  get faults(): Faults {
    return this.assembled().faults;
  }
  get directory(): Directory {
    return this.assembled().directory;
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.parts?.clock.close();
    this.parts?.frontDoor.close();
    this.parts?.operations.close();
    await Promise.all([...this.listeners.values()].map((listener) => listener.goDark()));
    await this.parts?.azurite.stop();
    this.journal?.close();
  }

  private async listen(): Promise<void> {
    const names = ['admin', 'arm', 'front', ...this.regions];
    const ports = loadPorts(this.options.stateDirectory);
    if (this.options.port !== undefined) ports.arm ??= this.options.port;
    for (const name of names) {
      const certificate = name === 'admin' ? undefined : this.certificates;
      const listener = new Listener(
        name,
        (request, response) => this.route(name, request, response),
        this.onError,
        certificate,
      );
      this.listeners.set(name, listener);
      ports[name] = await listener.listen(ports[name] ?? 0);
    }
    savePorts(this.options.stateDirectory, ports);
  }

  private assemble(journal: Journal) {
    const { options, requests, log, regions } = this;
    const random = seededRandom(options.seed ?? 1);
    const clockTable = journal.table<ClockState>('clock');
    const clock = new CloudClock(
      clockTable.get('clock'),
      (state) => clockTable.set('clock', state),
      this.onError,
    );
    if (options.speed !== undefined && clockTable.get('clock') === undefined) clock.setSpeed(options.speed);
    const directory = new Directory(journal);
    const store = new JournaledStore(journal);
    const faults = new Faults(journal, random);
    const arm = this.url('arm');
    const tokens = new TokenService(
      join(options.stateDirectory, 'token-key.pem'),
      arm,
      options.tokenSeconds ?? 300,
    );
    const dataPlaneOf = (region: string): string => this.url(region);
    const accountFront = (account: string): string => {
      const found = store
        .ofType('Microsoft.Storage/storageAccounts')
        .find(({ resource }) => resource.name === account);
      return dataPlaneOf(found?.region ?? '');
    };
    const azurite = new Azurite(join(options.stateDirectory, 'azurite'), journal, accountFront, (message) =>
      this.revive(message),
    );
    const isDark = (region: string): boolean => faults.modeOf(region, []) !== 'none';
    const cloud = new InsideCloud({
      clock,
      store,
      tenantId: directory.tenantId,
      regions,
      armEndpoint: arm,
      dataPlaneOf,
      isDark,
      tokens,
      blobs: azurite,
      random,
      log,
    });
    const frontDoor = new FrontDoor(cloud, this.url('front'), this.certificates.ca, requests);
    const providers = (options.providers ?? defaultProviders)({
      directory,
      frontDoor,
      ca: this.certificates.ca,
    });
    const operations = new Operations(journal, clock, arm, options.retryAfterSeconds ?? 1);
    const engine = new Engine({ cloud, operations, faults, directory, providers, pace: options.pace ?? 1 });
    const plane = new DataPlane(faults, new BlobFront(cloud, faults, azurite), requests, log);
    cloud.attach(engine, plane);
    const endpoint = new ArmEndpoint(engine, new Entra(arm, directory, tokens), tokens, requests);
    const admin = new AdminApi({
      cloud,
      clock,
      faults,
      directory,
      requests,
      tokens,
      address: () => this.address,
    });
    return {
      clock,
      directory,
      store,
      faults,
      azurite,
      cloud,
      frontDoor,
      operations,
      engine,
      plane,
      endpoint,
      admin,
    };
  }

  private async route(
    name: string,
    ...[request, response]: Parameters<ArmEndpoint['handle']>
  ): Promise<void> {
    const parts = this.parts;
    if (!parts) {
      request.socket.destroy(); // Between taking the ports and being ready.
      return;
    }
    if (name === 'arm') await parts.endpoint.handle(request, response);
    else if (name === 'admin') await parts.admin.handle(request, response);
    else if (name === 'front') await parts.frontDoor.handle(request, response);
    else await parts.plane.handle(name, request, response);
  }

  /** A region that is dark as a whole does not even listen; one that is dark in parts, or hangs, does. */
  private async applyOutage(region: string): Promise<void> {
    const { mode, parts } = this.assembled().faults.outage(region);
    const listener = this.listeners.get(region);
    if (mode === 'dark' && parts === undefined) await listener?.goDark();
    else {
      await listener?.comeBack();
      if (mode !== 'none') listener?.dropConnections();
    }
  }

  private revive(message: string): void {
    this.log(`${message}; starting it again`);
    if (this.closing) return;
    this.parts?.azurite.start().catch(this.onError);
  }

  private readonly onError = (error: unknown): void => {
    this.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };

  private url(name: string): string {
    const listener = this.listeners.get(name);
    if (!listener)
      throw new Error(`the local Azure has no region '${name}': its regions are ${this.regions.join(', ')}`);
    return listener.url;
  }

  private assembled(): ReturnType<Assembly['assemble']> {
    if (!this.parts) throw new Error('the cloud is not started');
    return this.parts;
  }
}
