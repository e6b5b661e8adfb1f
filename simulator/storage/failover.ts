/** The failover of a geo-redundant account, and what its redundancy says of itself. */

import {
  ArmError,
  type ActionResult,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Stored,
} from '../contract/index.ts';
import { reconcileContainers } from './containers.ts';
import { isGeoRedundant, places, secondaryOf, skuOf } from './places.ts';

/** Azure takes about an hour; here it is half a minute of the clock. */
const FAILOVER_MS = 30_000;
/** How long the first copy to a new secondary takes; until then there is no last sync time. */
const BOOTSTRAP_MS = 5_000;
/** In `hidden`: where the account failed over from, which is where its next secondary will be. */
const CAME_FROM = 'cameFrom';
/** In `hidden`: since when the account has had a secondary, if it was made without. Milliseconds on the clock. */
const SECONDARY_SINCE = 'secondarySince';
const PLANNED = 'planned';

/**
 * POST failover. Unplanned: the secondary becomes the primary as it is, and the account locally redundant; what had not
 * got there is lost. `failoverType=Planned`: both regions must be up; nothing is lost, and the two change places.
 */
export function failover(call: Call): ActionResult {
  const { cloud, existing, query } = call;
  if (!existing) return { status: 404 };
  const asked = query.get('failoverType');
  if (asked !== null && asked.toLowerCase() !== PLANNED)
    throw refused(
      400,
      'InvalidValuesForRequestParameters',
      `failoverType: expected Planned or nothing, got '${asked}'.`,
    );
  const isPlanned = asked !== null;
  if (call.resumed) return longRunning(cloud, existing, isPlanned);
  const sku = skuOf(existing);
  if (!isGeoRedundant(sku) || secondaryOf(existing) === undefined)
    throw refused(
      409,
      'AccountTypeNotSupportFailover',
      `The storage account '${existing.resource.name}' cannot fail over: its redundancy '${sku}' has no secondary region. Expected Standard_GRS, Standard_RAGRS, Standard_GZRS or Standard_RAGZRS.`,
    );
  if (existing.resource.properties.failoverInProgress === true)
    throw refused(409, 'FailoverInProgress', `A failover of '${existing.resource.name}' is in progress.`);
  if (isBootstrapping(cloud, existing))
    throw refused(
      409,
      'LastSyncTimeUnavailable',
      `The storage account '${existing.resource.name}' cannot fail over yet: its first copy to the secondary has not ended (geoReplicationStats.status is Bootstrap).`,
    );
  if (isPlanned && (cloud.isStorageOut(existing.region ?? '') || cloud.isStorageOut(secondaryOf(existing) ?? '')))
    throw refused(
      409,
      'PlannedFailoverNotPossible',
      'A planned failover needs both regions; without the primary, fail over unplanned.',
    );
  const properties = { ...existing.resource.properties, failoverInProgress: true };
  cloud.store.put({ ...existing, resource: { ...existing.resource, properties } });
  return longRunning(cloud, existing, isPlanned);
}

function longRunning(cloud: Cloud, account: Stored, isPlanned: boolean): ActionResult {
  const finish = async (): Promise<undefined> => {
    const current = cloud.store.get(account.resource.id);
    if (!current) throw new ArmError(409, 'OperationCanceled', 'The storage account was deleted.');
    await (isPlanned ? changePlaces(cloud, current) : takeOver(cloud, current));
  };
  return { longRunning: { milliseconds: FAILOVER_MS, finish } };
}

async function takeOver(cloud: Cloud, account: Stored): Promise<void> {
  const sku = skuOf(account).includes('GZRS') ? 'Standard_ZRS' : 'Standard_LRS';
  const lastSync = await cloud.geo.failOver(account);
  move(cloud, account, sku, lastSync);
  await reconcileContainers(cloud, account.resource.name);
}

/**
 * The clients of the primary wait until all of it is over there: that is what a planned failover takes its time for.
 */
async function changePlaces(cloud: Cloud, account: Stored): Promise<void> {
  await cloud.geo.forget(account.resource.name);
  move(cloud, account, skuOf(account), cloud.clock.now());
  const moved = cloud.store.get(account.resource.id);
  if (moved) await cloud.geo.follow(moved);
}

function move(cloud: Cloud, account: Stored, sku: string, lastSync: number): void {
  const to = secondaryOf(account) ?? '';
  const from = account.region ?? '';
  const properties = withoutSecondary(account.resource.properties);
  delete properties.failoverInProgress;
  Object.assign(properties, places(cloud, account.resource.name, to, sku, from), {
    lastGeoFailoverTime: new Date(cloud.clock.now()).toISOString(),
  });
  cloud.store.put({
    ...account,
    region: to,
    changedAt: cloud.clock.now(),
    hidden: { ...account.hidden, [CAME_FROM]: from, lastSyncAtFailover: lastSync },
    resource: { ...account.resource, location: to, sku: { name: sku, tier: 'Standard' }, properties },
  });
  for (const below of cloud.store.below(account.resource.id)) cloud.store.put({ ...below, region: to });
}

/** Without the fields that only a secondary gives. */
export function withoutSecondary(properties: JsonObject): JsonObject {
  const { secondaryLocation: _1, statusOfSecondary: _2, secondaryEndpoints: _3, ...rest } = properties;
  return rest;
}

/** The region that a new secondary would be in, if the account has failed over before. */
export function pairOfOld(account: Stored): string | undefined {
  const from = account.hidden[CAME_FROM];
  return typeof from === 'string' ? from : undefined;
}

/** Notes since when there is a secondary. An empty account has nothing to copy first. */
export function noteSecondary(existing: Stored | undefined, next: Stored, sku: string): void {
  if (!existing || !isGeoRedundant(sku) || isGeoRedundant(skuOf(existing))) return;
  next.hidden[SECONDARY_SINCE] = next.changedAt;
}

function isBootstrapping(cloud: Cloud, account: Stored): boolean {
  const since = account.hidden[SECONDARY_SINCE];
  return typeof since === 'number' && cloud.clock.now() < since + BOOTSTRAP_MS;
}

/** GET with `$expand=geoReplicationStats`. */
export async function expandAccount(cloud: Cloud, account: Stored, names: string[]): Promise<JsonObject> {
  const found: JsonObject = {};
  for (const name of names) {
    const wanted = name.trim().toLowerCase();
    if (wanted === 'georeplicationstats') found.geoReplicationStats = await stats(cloud, account);
    else if (wanted !== 'blobrestorestatus')
      throw refused(
        400,
        'InvalidQueryParameterValue',
        `The value '${name}' is not allowed for query parameter $expand. Allowed values are: geoReplicationStats, blobRestoreStatus.`,
      );
  }
  return found;
}

async function stats(cloud: Cloud, account: Stored): Promise<Json> {
  const secondary = secondaryOf(account);
  if (secondary === undefined) return null;
  const status = await replicationStatus(cloud, account);
  const canFailOver = status.state === 'Live' && account.resource.properties.failoverInProgress !== true;
  const shown: JsonObject = {
    status: status.state,
    canFailover: canFailOver,
    canPlannedFailover: canFailOver && !cloud.isStorageOut(account.region ?? ''),
    postFailoverRedundancy: skuOf(account).includes('GZRS') ? 'Standard_ZRS' : 'Standard_LRS',
    postPlannedFailoverRedundancy: skuOf(account),
  };
  if (status.lastSyncTime !== undefined) shown.lastSyncTime = `${status.lastSyncTime.toISOString().slice(0, 19)}Z`;
  return shown;
}

/** What the secondary says of itself, in management and at its own endpoint. */
export async function replicationStatus(
  cloud: Cloud,
  account: Stored,
): Promise<{ state: 'Live' | 'Bootstrap' | 'Unavailable'; lastSyncTime: Date | undefined }> {
  if (isBootstrapping(cloud, account)) return { state: 'Bootstrap', lastSyncTime: undefined };
  const lastSyncTime = new Date(await cloud.geo.lastSyncTime(account));
  return { state: cloud.isStorageOut(secondaryOf(account) ?? '') ? 'Unavailable' : 'Live', lastSyncTime };
}

/** The secondary answers for an account that it is to take over, or whose replication is asked for. */
export function answersForAccount(account: Stored, ask: { action: string } | { expand: string }): string | null {
  const isItsBusiness =
    'action' in ask ? ask.action === 'failover' : ask.expand.toLowerCase().includes('georeplicationstats');
  return (isItsBusiness ? secondaryOf(account) : undefined) ?? account.region;
}

function refused(status: number, code: string, message: string): ArmError {
  return new ArmError(status, code, message);
}
