/**
 * The local Azure, put together and started. `main.ts` runs it as a program; tests call `startCloud` in their own
 * process.
 *
 *     const cloud = await startCloud({ stateDirectory: folder });
 *     … cloud.address.arm, cloud.address.ca, cloud.address.clientSecret …
 *     await cloud.close();
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { assemble, type Parts } from './assembly.ts';
import type { CloudOptions } from './options.ts';
import { ensureCertificates, type Certificates } from './certificates.ts';
import type { Chaos } from './chaos/chaos.ts';
import type { CloudClock } from './clock/clock.ts';
import type { Directory } from './entra/directory.ts';
import type { Faults } from './faults/faults.ts';
import type { ArmEndpoint } from './arm/arm-endpoint.ts';
import { finishOf } from './arm/dispatch.ts';
import { Listener } from './http/listener.ts';
import { NameProxy } from './http/name-proxy.ts';
import { RequestLog } from './http/request-log.ts';
import { regionOfHost } from './services/service-regions.ts';
import { regionOfVaultPath } from './services/vault-failover.ts';
import type { InsideCloud } from './inside/inside.ts';
import { requireAlone } from './state/one-cloud.ts';
import { loadPorts, regionsOfPorts, savePorts, whyKept } from './state/ports.ts';
import { DEFAULT_REGIONS, requireRegions } from './resource/regions.ts';
import { Journal } from './state/journal.ts';

export type { CloudOptions } from './options.ts';

/** Where the cloud is and how to log in: what `cloud.json` holds and `main.ts` prints. */
export interface CloudAddress {
  ready: true;
  arm: string;
  authority: string;
  admin: string;
  /** The Front Door stand-in. */
  front: string;
  /** An HTTPS proxy for clients whose machine does not resolve names below `localhost`. */
  proxy: string;
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
  /** Scenarios by name: `await cloud.chaos.start('region-lost', { region: 'eastus' })`. */
  readonly chaos: Chaos;
  readonly directory: Directory;
  readonly requests: RequestLog;
  /** Stops listening and saves everything; the state folder can be started again. */
  close(): Promise<void>;
}

/**
 * Starts everything and resolves when all listeners answer. Rejects, with nothing left running, if anything cannot
 * start: the Error names the file, the port or the option that is wrong.
 */
export async function startCloud(given: CloudOptions): Promise<RunningCloud> {
  // Clients of any working directory read the paths that are told.
  const options = { ...given, stateDirectory: resolve(given.stateDirectory) };
  try {
    mkdirSync(options.stateDirectory, { recursive: true });
  } catch (error) {
    throw new Error(`cannot keep state in "${options.stateDirectory}": ${(error as Error).message}`, {
      cause: error,
    });
  }
  await requireAlone(options.stateDirectory);
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
  private ports: Record<string, number>;
  private readonly listeners = new Map<string, Listener>();
  private readonly proxy = new NameProxy();
  private readonly log: (message: string) => void;
  readonly requests = new RequestLog();
  private parts: Parts | undefined;
  private journal: Journal | undefined;
  private closing: Promise<void> | undefined;
  private outages: Promise<void> = Promise.resolve();

  constructor(options: CloudOptions, certificates: Certificates) {
    this.options = options;
    this.certificates = certificates;
    this.ports = loadPorts(options.stateDirectory);
    const before = regionsOfPorts(this.ports);
    this.regions = requireRegions(options.regions ?? (before.length > 0 ? before : DEFAULT_REGIONS));
    this.log = options.log ?? ((): void => undefined);
  }

  async start(): Promise<void> {
    // The ports are taken before the state is read: of two that start at once on one folder, one fails here, and
    // changes nothing.
    await this.listen();
    this.journal = new Journal(join(this.options.stateDirectory, 'journal.jsonl'));
    this.parts = assemble(this.options, {
      journal: this.journal,
      certificates: this.certificates,
      regions: this.regions,
      requests: this.requests,
      url: (listener) => this.url(listener),
      address: () => this.address,
      azuriteEnded: (message) => this.revive(message),
      log: this.log,
      onError: this.onError,
    });
    const { azurite, engine, operations, faults, geo, cloud } = this.parts;
    this.requireRegionsOf(cloud);
    savePorts(this.options.stateDirectory, this.ports);
    await azurite.start();
    for (const provider of engine.providers) await provider.start?.(cloud);
    await operations.resume((record) => finishOf(engine, record));
    faults.onOutage = async (region) => {
      await this.applyOutage(region);
      await geo.followRegion(region);
    };
    await this.parts.chaos.resume();
    for (const region of this.regions) await this.applyOutage(region);
    writeFileSync(join(this.options.stateDirectory, 'cloud.json'), `${JSON.stringify(this.address, null, 2)}\n`, {
      mode: 0o600,
    });
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
      proxy: this.proxy.url,
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
  get chaos(): Chaos {
    return this.assembled().chaos;
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
    this.parts?.traffic.close();
    this.parts?.operations.close();
    await Promise.all((this.parts?.engine.providers ?? []).map(async (one) => one.stop?.(this.cloud)));
    await Promise.all([this.proxy.close(), ...[...this.listeners.values()].map((listener) => listener.goDark())]);
    await this.parts?.azurite.stop();
    this.journal?.close();
  }

  private async listen(): Promise<void> {
    const names = ['admin', 'arm', 'front', ...this.regions];
    const before = this.ports;
    const ports: Record<string, number> = {};
    for (const name of names) {
      const certificate = name === 'admin' ? undefined : this.certificates;
      const listener = new Listener(
        name,
        (request, response) => this.route(name, request, response),
        this.onError,
        certificate,
      );
      this.listeners.set(name, listener);
      const kept = before[name];
      const chosen = name === 'arm' ? this.options.port : undefined;
      ports[name] = await listener.listen(kept ?? chosen ?? 0).catch((error: Error) => {
        if (kept !== undefined) error.message += whyKept(this.options.stateDirectory);
        throw error;
      });
    }
    this.proxy.serves = new Set(Object.values(ports));
    ports.proxy = await this.proxy.listen(before.proxy ?? 0);
    this.ports = ports;
  }

  /** Throws an Error naming what is in regions that this cloud is to have no more. */
  private requireRegionsOf({ store }: InsideCloud): void {
    const known = new Set<string | null>([null, ...this.regions]);
    const lost = this.parts?.directory
      .subscriptions()
      .flatMap(({ subscriptionId }) => store.below(`/subscriptions/${subscriptionId}`))
      .filter(({ region }) => !known.has(region));
    const first = lost?.[0];
    if (first)
      throw new RangeError(
        `regions: expected "${first.region}" among them, for ${lost?.length} resources are there ('${first.resource.id}'), got "${this.regions.join(',')}"`,
      );
  }

  private async route(name: string, ...[request, response]: Parameters<ArmEndpoint['handle']>): Promise<void> {
    const parts = this.parts;
    if (!parts) {
      request.socket.destroy(); // Between taking the ports and being ready.
      return;
    }
    const { store } = parts.cloud;
    const isUp = (one: string): boolean => parts.faults.modeOf(one, []) === 'none';
    const region =
      name === 'arm'
        ? (regionOfHost(store, this.regions, request.headers.host, isUp) ??
          regionOfVaultPath(store, this.regions, request.url))
        : undefined;
    const isNamed = (name === 'arm' || name === 'front') && parts.traffic.isFor(name, request);
    if (isNamed) await parts.traffic.handle(request, response);
    else if (region !== undefined) await parts.plane.handle(region, request, response);
    else if (name === 'arm') await parts.endpoint.handle(request, response);
    else if (name === 'admin') await parts.admin.handle(request, response);
    else if (name === 'front') await parts.frontDoor.handle(request, response);
    else await parts.plane.handle(name, request, response);
  }

  /** A region that is dark as a whole does not even listen; one that is dark in parts, or hangs, does. */
  private applyOutage(region: string): Promise<void> {
    // One after the other: a region that flaps must not close what it opens.
    this.outages = this.outages.then(() => this.applyNow(region));
    return this.outages;
  }

  private async applyNow(region: string): Promise<void> {
    const { faults } = this.assembled();
    const listener = this.listeners.get(region);
    if (faults.isWhollyDark(region)) await listener?.goDark();
    else {
      await listener?.comeBack();
      if (faults.outagesOf(region).some(({ mode }) => mode !== 'read-only')) listener?.dropConnections();
    }
    this.cloud.outageChanged(region);
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

  private assembled(): Parts {
    if (!this.parts) throw new Error('the cloud is not started');
    return this.parts;
  }
}
