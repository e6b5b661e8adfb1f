/**
 * Quota: how many cores of a family of sizes a subscription may use in a region. Checked, as Azure does, when a cluster
 * is made or scaled (it must fit the limit whole), and when cores are taken (minimum nodes, compute instances, online
 * deployments).
 */

import { ArmError, type Cloud, type JsonObject, type Stored } from '../../contract/index.ts';
import { NAMESPACE, numberOf, objectOf, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { nodesInUse } from '../job-life/job-queue.ts';
import { FAMILIES, SIZES, type Size } from './sizes.ts';

/** What a subscription has without asking: generous for CPUs, less so for GPUs. */
const DEFAULT_CPU_CORES = 300;
const DEFAULT_GPU_CORES = 96;
const MAX_CLUSTERS = 500;

const QUOTAS = `${NAMESPACE}/locations/quotas`;

/** 'standardDSv2Family' → 'Standard DSv2 Family Cluster Dedicated vCPUs', as usages name it. */
function familyLabel(family: string): string {
  const core = family.replace(/^standard\s*/i, '').replace(/\s*family$/i, '');
  return `Standard ${core} Family Cluster Dedicated vCPUs`;
}

/** The family that a name means: Azure's spelling, the usage's label, or the label with underscores as ids have it. */
function familyOf(name: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[\s_]/g, '');
  const wanted = plain(name);
  return FAMILIES.find((family) => [family, familyLabel(family)].some((spelling) => plain(spelling) === wanted));
}

/**
 * Sets how many cores of a family a subscription may use in a region.
 * Errors: 400 InvalidVMFamilyName, naming the families there are; 400 for a limit that is no whole number from 0.
 */
export function setQuota(cloud: Cloud, region: string, family: string, limit: number): void {
  const known = familyOf(family);
  if (known === undefined)
    throw new ArmError(400, 'InvalidVMFamilyName', `There is no family '${family}'; known: ${FAMILIES.join(', ')}.`);
  if (!Number.isInteger(limit) || limit < 0)
    throw new ArmError(
      400,
      'InvalidQuota',
      `The limit of '${known}' in '${region}' must be a whole number from 0, got ${limit}.`,
    );
  store(cloud, quotaId(region, known), region, limit);
}

/** The limit of a family in a region, in cores. */
export function quotaOf(cloud: Cloud, region: string, family: string): number {
  const isGpu = SIZES.some((size) => size.family === family && size.gpus > 0);
  return limitAt(cloud, quotaId(region, family)) ?? (isGpu ? DEFAULT_GPU_CORES : DEFAULT_CPU_CORES);
}

function quotaId(region: string, family: string): string {
  return `/providers/${NAMESPACE}/locations/${region}/quotas/${family}`;
}

/** What a workspace was given of its subscription's quota; where nothing was, it may use all of it. */
function workspaceQuotaId(region: string, workspaceId: string, family: string): string {
  return `${quotaId(region, family)}|${workspaceId.toLowerCase().replaceAll('/', '|')}`;
}

function limitAt(cloud: Cloud, id: string): number | undefined {
  return numberOf(cloud.store.get(id)?.resource.properties.limit);
}

function store(
  cloud: Cloud,
  id: string,
  region: string,
  limit: number,
  owner?: { workspaceId: string; family: string },
): void {
  const now = cloud.clock.now();
  const resource = { id, name: id.split('/').at(-1) ?? '', type: QUOTAS, properties: { limit, ...owner } };
  cloud.store.put({ resource, hidden: {}, etag: '', region, createdAt: now, changedAt: now });
}

/** One use of cores: by a cluster's nodes, a compute instance, an online deployment. */
export interface CoreUse {
  region: string;
  subscriptionId: string;
  /** The user of the cores, left out of the sum when it is the one that changes. */
  id: string;
  size: Size;
}

/**
 * Refuses what does not fit.
 *
 * - `most`: the most machines it may ever have (a cluster's maximum): must fit the limit by itself.
 * - `now`: the machines it takes at once: must fit what is left.
 *
 * Errors: 400 QuotaExceeded with the limit, the use and what was asked for.
 */
export function requireQuota(cloud: Cloud, use: CoreUse, most: number, now: number): void {
  const { size, region } = use;
  const subscription = `/subscriptions/${use.subscriptionId}`;
  const workspace = workspaceIdOf(use.id);
  const scopes = [
    { id: subscription, limit: quotaOf(cloud, region, size.family) },
    { id: workspace, limit: limitAt(cloud, workspaceQuotaId(region, workspace, size.family)) ?? Infinity },
  ];
  for (const { id, limit } of scopes) {
    const used = coresInUse(cloud, id, region, size.family, use.id);
    if (most * size.vCPUs > limit) throw exceeded(use, limit, 0, most * size.vCPUs);
    if (used + now * size.vCPUs > limit) throw exceeded(use, limit, used, now * size.vCPUs);
  }
}

function exceeded({ size, region }: CoreUse, limit: number, used: number, asked: number): ArmError {
  return new ArmError(
    400,
    'QuotaExceeded',
    `Operation results in exceeding the quota of ${familyLabel(size.family)} in location '${region}'. Maximum allowed: ${limit}, ` +
      `current in use: ${used}, additional requested: ${asked}.`,
    { target: size.family },
  );
}

/** The cores of a family that are taken now in a subscription or a workspace, but for those of `except`. */
function coresInUse(cloud: Cloud, scope: string, region: string, family: string, except = ''): number {
  const inScope = (entry: Stored): boolean =>
    entry.region === region &&
    entry.resource.id.toLowerCase().startsWith(`${scope.toLowerCase()}/`) &&
    entry.resource.id.toLowerCase() !== except.toLowerCase();
  const cores = (entry: Stored): number => {
    const { sizeName, machines } = machinesOf(cloud, entry);
    const size = SIZES.find((known) => known.name.toLowerCase() === sizeName.toLowerCase());
    return size?.family === family ? machines * size.vCPUs : 0;
  };
  const types = [`${WORKSPACES}/computes`, `${WORKSPACES}/onlineEndpoints/deployments`];
  return types
    .flatMap((type) => cloud.store.ofType(type))
    .reduce((sum, entry) => (inScope(entry) ? sum + cores(entry) : sum), 0);
}

function machinesOf(cloud: Cloud, entry: Stored): { sizeName: string; machines: number } {
  const { properties } = entry.resource;
  if (entry.resource.type.endsWith('/deployments'))
    return {
      sizeName: textOf(properties.instanceType) ?? '',
      machines: numberOf(objectOf(entry.resource.sku).capacity) ?? 1,
    };
  const inner = objectOf(properties.properties);
  const sizeName = textOf(inner.vmSize) ?? '';
  if (properties.computeType === 'ComputeInstance') return { sizeName, machines: inner.state === 'Stopped' ? 0 : 1 };
  return { sizeName, machines: properties.computeType === 'AmlCompute' ? nodesInUse(cloud, entry) : 0 };
}

/** The answer of `…/locations/{region}/usages`. */
export function listUsages(cloud: Cloud, subscriptionId: string, region: string): JsonObject[] {
  const clusters = cloud.store
    .ofType(`${WORKSPACES}/computes`)
    .filter((entry) => entry.region === region && entry.resource.properties.computeType === 'AmlCompute').length;
  const row = (id: string, kind: string, label: string, currentValue: number, limit: number): JsonObject => ({
    id: `/subscriptions/${subscriptionId}/usages${id}`,
    type: `${NAMESPACE}/${kind}/usages`,
    unit: 'Count',
    currentValue,
    limit,
    name: { value: label, localizedValue: label },
  });
  const families = FAMILIES.map((family) =>
    row(
      `/${labelId(family)}`,
      'vmFamily',
      familyLabel(family),
      coresInUse(cloud, `/subscriptions/${subscriptionId}`, region, family),
      quotaOf(cloud, region, family),
    ),
  );
  const total = families.reduce((sum, usage) => sum + (numberOf(usage.currentValue) ?? 0), 0);
  const limit = families.reduce((sum, usage) => sum + (numberOf(usage.limit) ?? 0), 0);
  return [
    row('', 'totalCores', 'Clusters', clusters, MAX_CLUSTERS),
    row('', 'dedicatedCores', 'Total Cluster Dedicated Regional vCPUs', total, limit),
    ...families,
  ];
}

/**
 * The answer of `…/locations/{region}/quotas`: the subscription's families, each followed by the shares of workspaces.
 */
export function listQuotas(cloud: Cloud, subscriptionId: string, region: string): JsonObject[] {
  const shares = cloud.store.ofType(QUOTAS).filter(({ resource }) => textOf(resource.properties.workspaceId));
  return FAMILIES.flatMap((family) => {
    const row = (scope: string, kind: string, limit: number): JsonObject => ({
      id: `${scope}/quotas/${labelId(family)}`,
      type: `${NAMESPACE}/${kind}/quotas`,
      limit,
      unit: 'Count',
      name: { value: familyLabel(family), localizedValue: familyLabel(family) },
    });
    const scope = `/subscriptions/${subscriptionId}`;
    const own = shares
      .filter((share) => share.region === region && share.resource.properties.family === family)
      .map(({ resource: { properties } }) => ({
        workspace: textOf(properties.workspaceId) ?? '',
        limit: numberOf(properties.limit) ?? 0,
      }))
      .filter(({ workspace }) => workspace.toLowerCase().startsWith(`${scope.toLowerCase()}/`));
    return [
      row(scope, 'vmFamily', quotaOf(cloud, region, family)),
      ...own.map((share) => row(share.workspace, 'workspaces', share.limit)),
    ];
  });
}

function labelId(family: string): string {
  return familyLabel(family).replaceAll(' ', '_');
}

/**
 * POST …/locations/{region}/updateQuotas: shares a family's quota out to workspaces. Each entry is answered by its own
 * status; none may be given more than the subscription has.
 */
export function updateQuotas(cloud: Cloud, region: string, body: JsonObject): JsonObject[] {
  if (!Array.isArray(body.value))
    throw new ArmError(400, 'ValidationError', 'value: expected a list of quotas.', { target: 'value' });
  return body.value.map((entry) => {
    const { id: idValue, limit: limitValue } = objectOf(entry);
    const id = textOf(idValue) ?? '';
    const limit = numberOf(limitValue) ?? -1;
    const type = textOf(objectOf(entry).type) ?? `${NAMESPACE}/workspaces/quotas`;
    const answer = (status: string): JsonObject => ({ id, type, limit, unit: 'Count', status });
    const family = familyOf(id.split('/').at(-1) ?? '');
    if (family === undefined || limit < 0) return answer('InvalidVMFamilyName');
    if (limit > quotaOf(cloud, region, family)) return answer('InvalidQuotaExceedsSubscriptionLimit');
    const workspaceId = workspaceIdOf(id);
    if (!cloud.store.get(workspaceId)) return answer('Failure');
    store(cloud, workspaceQuotaId(region, workspaceId, family), region, limit, { workspaceId, family });
    return answer('Success');
  });
}
