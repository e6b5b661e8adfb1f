/** What providers may ask of the cloud they are in: its `Cloud`, over the engine that serves clients, too. */

import { draftOf } from './draft-cloud.ts';
import { textOf } from '../resource/fields.ts';
import type { Azurite } from '../azurite/azurite.ts';
import type { TokenService } from '../entra/tokens.ts';
import { actTracked } from '../arm/action.ts';
import { Unanswered, type ArmRequest } from '../http/answer.ts';
import type { DataPlane } from '../data-plane/data-plane.ts';
import type { Engine } from '../arm/engine.ts';
import { parseResourceId } from '../resource/ids.ts';
import type { OperationRecord } from '../arm/operations.ts';
import { authorizeWithin } from '../arm/authorize.ts';
import { writeTracked } from '../arm/put.ts';
import { FailedOperation } from '../resource/refusals.ts';
import { removeTracked } from '../arm/remove.ts';
import { CLOUD_ITSELF } from '../authorization/access.ts';
import {
  ArmError,
  type Clock,
  type Cloud,
  type DataPlaneHandler,
  type FileShares,
  type GeoReplication,
  type Json,
  type JsonObject,
  type Principal,
  type Resource,
  type ResourceId,
  type ResourceStore,
  type Stored,
} from '../contract/index.ts';

/** What `InsideCloud` is made of; engine and data plane are set once they exist, for they need the cloud themselves. */
export interface InsideParts {
  clock: Clock;
  store: ResourceStore;
  tenantId: string;
  regions: readonly string[];
  armEndpoint: string;
  dataPlaneOf: (region: string) => string;
  isDark: (region: string) => boolean;
  isStorageOut: (region: string) => boolean;
  areComputesLost: (region: string) => boolean;
  workFolder: string;
  tokens: TokenService;
  blobs: Azurite;
  geo: GeoReplication;
  files: FileShares;
  random: () => number;
  log: (message: string) => void;
}

export class InsideCloud implements Cloud {
  readonly clock: Clock;
  readonly store: ResourceStore;
  readonly tenantId: string;
  readonly regions: readonly string[];
  readonly armEndpoint: string;
  readonly blobs: Azurite;
  readonly geo: GeoReplication;
  readonly files: FileShares;
  readonly workFolder: string;
  private readonly parts: InsideParts;
  private readonly outageListeners: ((region: string) => void)[] = [];
  /** For whom this acts; undefined: for the cloud itself, which may do everything. */
  private readonly actor: Principal | undefined;
  private engine: Engine | undefined;
  private plane: DataPlane | undefined;

  constructor(parts: InsideParts) {
    this.parts = parts;
    this.clock = parts.clock;
    this.store = parts.store;
    this.tenantId = parts.tenantId;
    this.regions = parts.regions;
    this.armEndpoint = parts.armEndpoint;
    this.blobs = parts.blobs;
    this.geo = parts.geo;
    this.files = parts.files;
    this.workFolder = parts.workFolder;
  }

  as(principal: Principal): Cloud {
    return Object.create(this, { actor: { value: principal } }) as InsideCloud;
  }

  draft(): Cloud {
    return draftOf(this, this.attached().engine);
  }

  attach(engine: Engine, plane: DataPlane): void {
    this.engine = engine;
    this.plane = plane;
  }

  dataPlane(region: string): string {
    return this.parts.dataPlaneOf(region);
  }

  isStorageOut(region: string): boolean {
    return this.parts.isStorageOut(region);
  }

  isDark(region: string): boolean {
    return this.parts.isDark(region);
  }

  areComputesLost(region: string): boolean {
    return this.parts.areComputesLost(region);
  }

  onOutage(listener: (region: string) => void): void {
    this.outageListeners.push(listener);
  }

  /** Tells those who asked to be told. */
  outageChanged(region: string): void {
    for (const listener of this.outageListeners) listener(region);
  }

  onDataPlane(prefix: string, handler: DataPlaneHandler): void {
    this.attached().plane.register(prefix, handler);
  }

  authenticate(authorization: string | undefined, audiences: readonly string[]): Principal {
    const authority = `${this.armEndpoint}/${this.tenantId}`;
    const resource = audiences[0] ?? this.armEndpoint;
    return this.parts.tokens.check(authorization, audiences, {
      where: `authorization="${authority}", authorization_uri="${authority}", resource="${resource}"`,
    });
  }

  random(): number {
    return this.parts.random();
  }

  log(message: string): void {
    this.parts.log(message);
  }

  asListed(entries: Stored[], belongs: (stored: Stored) => boolean): Stored[] {
    return this.attached().engine.lists.asListed(entries, belongs);
  }

  showResource(id: string): Resource | undefined {
    if (this.actor) authorizeWithin(this, this.actor, 'GET', id);
    const stored = this.store.get(id);
    const row = stored && this.attached().engine.row(stored.resource.type);
    return stored && row ? this.attached().engine.show(row, stored) : stored?.resource;
  }

  async createResource(id: string, body: JsonObject, apiVersion: string): Promise<Stored> {
    const { engine } = this.attached();
    const { row, parsed } = this.locate(id);
    const { operation, written } = await answered(parsed, () =>
      writeTracked(engine, row, parsed, this.request('PUT', id, body, apiVersion), 'put'),
    );
    await this.end(operation);
    // What only writes into another resource is nothing that stays: it is gone when its PUT has ended, as it should be.
    const stored = this.store.get(id) ?? (operation ? undefined : written);
    if (!stored) throw new ArmError(409, 'OperationCanceled', `The resource '${id}' was deleted while it was created.`);
    return stored;
  }

  async deleteResource(id: string, apiVersion: string): Promise<void> {
    const { engine } = this.attached();
    const { row, parsed } = this.locate(id);
    const { operation } = await answered(parsed, () =>
      removeTracked(engine, row, parsed, this.request('DELETE', id, {}, apiVersion)),
    );
    await this.end(operation);
  }

  async invokeAction(id: string, action: string, body: JsonObject, apiVersion: string): Promise<Json> {
    const { engine } = this.attached();
    const { row, parsed } = this.locate(id);
    const request = this.request('POST', id, body, apiVersion, action);
    const { answer, operation } = await answered(parsed, () => actTracked(engine, row, parsed, action, request));
    const ended = await this.end(operation);
    return (ended ? ended.result : answer.body) ?? null;
  }

  private attached(): { engine: Engine; plane: DataPlane } {
    if (!this.engine || !this.plane) throw new Error('the cloud is not assembled yet');
    return { engine: this.engine, plane: this.plane };
  }

  private locate(id: string): { row: ReturnType<Engine['requireRow']>; parsed: ResourceId } {
    const parsed = parseResourceId(id);
    if (!parsed) throw new ArmError(400, 'InvalidResourceId', `'${id}' is not the id of a resource.`);
    return { row: this.attached().engine.requireRow(parsed.type), parsed };
  }

  private request(
    method: 'PUT' | 'DELETE' | 'POST',
    id: string,
    body: JsonObject,
    apiVersion: string,
    action?: string,
  ): ArmRequest {
    const itself = { objectId: CLOUD_ITSELF, clientId: CLOUD_ITSELF, tenantId: this.tenantId };
    const principal = this.actor ?? itself;
    const path = action === undefined ? id : `${id}/${action}`;
    if (this.actor) authorizeWithin(this, this.actor, method, path, body);
    return {
      method,
      path,
      query: new URLSearchParams(),
      headers: {},
      body,
      apiVersion,
      principal,
      within: true,
    };
  }

  /** Waits for the operation; throws what ended it, if that was an error. */
  private async end(operation: OperationRecord | undefined): Promise<OperationRecord | undefined> {
    if (!operation) return undefined;
    const ended = await this.attached().engine.operations.ended(operation);
    if (ended.status === 'Succeeded') return ended;
    const { code = 'InternalServerError', message = `The operation ended as ${ended.status}.` } = ended.error ?? {};
    const canceled = ended.status === 'Canceled';
    throw new FailedOperation(canceled ? 'Canceled' : 'Failed', canceled ? 409 : 400, textOf(code), textOf(message), {
      ...detailsOf(ended.error?.details),
      ...targetOf(ended.error?.target),
    });
  }
}

function targetOf(target: Json | undefined): { target?: string } {
  return typeof target === 'string' ? { target } : {};
}

function detailsOf(details: Json | undefined): { details?: { code: string; message: string }[] } {
  return Array.isArray(details) ? { details: details as { code: string; message: string }[] } : {};
}

/** A region that does not answer is, for one inside the cloud, what ARM says of a resource provider that does not. */
async function answered<T>(id: ResourceId, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    throw new ArmError(
      504,
      'GatewayTimeout',
      `The gateway did not receive a response from '${id.provider}' within the specified time period.`,
    );
  }
}
