/** Computes: clusters that scale, instances that start and stop, and what is merely attached. */

import type { Call, Cloud, JsonObject, Resource, ResourceType, Stored } from '../../contract/index.ts';
import { nodeActions, settleInstance } from './compute-actions.ts';
import { holdChosen, keepButScale } from './compute-changes.ts';
import {
  fillDefaults,
  isObject,
  numberOf,
  objectOf,
  setLocation,
  textOf,
  workspaceIdOf,
  WORKSPACES,
} from '../bodies/fields.ts';
import { lifeChanged } from '../job-life/job-events.ts';
import { lifeOf, FINISHED, statusAt, withLife } from '../job-life/job-life.ts';
import { busyNodes, JOBS, nodesInUse, reschedule } from '../job-life/job-queue.ts';
import { requireLinkedIds } from '../bodies/linked-ids.ts';
import { requireQuota } from './quota.ts';
import { checkResource } from '../bodies/references.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';
import { requireSize } from './sizes.ts';

/** What Azure makes itself; all other kinds of compute are attached to a workspace by their resource id. */
const MANAGED = ['AmlCompute', 'ComputeInstance'];
const ATTACHED = [
  'Kubernetes',
  'AKS',
  'VirtualMachine',
  'HDInsight',
  'DataFactory',
  'Databricks',
  'DataLakeAnalytics',
  'SynapseSpark',
];

/** As Azure's naming rules have them; other types of computes have names of 2 to 16. */
const NAME_LENGTHS: Record<string, { least: number; most: number }> = {
  AmlCompute: { least: 3, most: 32 },
  ComputeInstance: { least: 3, most: 24 },
};

/** The size of a cluster that names none. */
const DEFAULT_SIZE = 'STANDARD_DS3_V2';

/** The ids of other resources in the body of a compute. */
const LINKED = [
  'properties.resourceId',
  'properties.properties.subnet.id',
  'properties.properties.virtualMachineImage.id',
  'properties.properties.loadBalancerSubnet',
  'properties.properties.aksNetworkingConfiguration.subnetId',
];

/** Secrets of attached computes and of the users of nodes. */
const SECRETS = [
  'properties.properties.userAccountCredentials.adminUserPassword',
  'properties.properties.userAccountCredentials.adminUserSshPublicKey',
  'properties.properties.administratorAccount.password',
  'properties.properties.administratorAccount.privateKeyData',
  'properties.properties.databricksAccessToken',
  'properties.properties.relayConnectionString',
  'properties.properties.serviceBusConnectionString',
];

export const computes: ResourceType = {
  type: `${WORKSPACES}/computes`,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 3000, patch: 2000, delete: 2000 },
  secrets: SECRETS,
  immutable: [
    'properties.computeType',
    'properties.computeLocation',
    'properties.resourceId',
    'properties.disableLocalAuth',
  ],
  beforePut(call, next) {
    if (!call.existing) requireComputeName(call.id.name, textOf(next.resource.properties.computeType) ?? '');
    if (call.verb === 'patch') keepButScale(call, next);
    fillCompute(call, next);
  },
  afterPut(call, stored) {
    if (objectOf(stored.resource.properties.properties).state === 'Creating') settleInstance(call, stored, 'Create');
    // A new number of nodes lets waiting jobs start, or holds them back.
    reschedule(call.cloud, stored.resource.id);
  },
  beforeDelete(call) {
    const action = call.query.get('underlyingResourceAction');
    if (action !== 'Delete' && action !== 'Detach')
      throw validationError(
        `underlyingResourceAction: expected Delete or Detach, got '${action ?? ''}'.`,
        'underlyingResourceAction',
      );
    const kind = textOf(call.existing?.resource.properties.computeType) ?? '';
    if (action === 'Detach' && MANAGED.includes(kind))
      throw userError(`The compute '${call.id.name}' of type ${kind} cannot be detached: it can only be deleted.`);
  },
  afterDelete(call, stored) {
    failJobsOf(call.cloud, stored);
  },
  show: showCompute,
  actions: nodeActions,
};

/** How long the name of a compute may be depends on its type. */
function requireComputeName(name: string, kind: string): void {
  const { least, most } = NAME_LENGTHS[kind] ?? { least: 2, most: 16 };
  requireName(
    'compute',
    name,
    new RegExp(`^(?=.{${least},${most}}$)[a-zA-Z][a-zA-Z0-9-]*[a-zA-Z0-9]$`),
    `${least} to ${most} letters, digits and hyphens, the first a letter, the last no hyphen`,
  );
}

function fillCompute(call: Call, next: Stored): void {
  const { resource } = next;
  const { properties } = resource;
  const kind = textOf(properties.computeType) ?? '';
  if (![...MANAGED, ...ATTACHED].includes(kind))
    throw validationError(
      `properties.computeType: expected one of ${[...MANAGED, ...ATTACHED].join(', ')}, got '${kind}'.`,
      'computeType',
    );
  const now = new Date(call.cloud.clock.now()).toISOString();
  setLocation(next);
  fillDefaults(properties, {
    computeLocation: next.region,
    description: null,
    disableLocalAuth: false,
    resourceId: null,
  });
  properties.createdOn = call.existing?.resource.properties.createdOn ?? now;
  properties.modifiedOn = now;
  properties.isAttachedCompute = !MANAGED.includes(kind);
  properties.provisioningErrors = null;
  if (!isObject(properties.properties)) properties.properties = {};
  if (!call.existing) {
    requireLinkedIds(resource, LINKED);
    checkResource(call, properties.resourceId, 'properties.resourceId');
    checkResource(call, objectOf(properties.properties.subnet).id, 'properties.properties.subnet.id');
  }
  holdChosen(call, kind, properties.properties);
  if (kind === 'AmlCompute') fillCluster(call, next, properties.properties);
  else if (kind === 'ComputeInstance') fillInstance(call, next, properties.properties);
  else if (kind === 'Kubernetes') fillDefaults(properties.properties, { namespace: 'default' });
}

function fillCluster(call: Call, next: Stored, cluster: JsonObject): void {
  fillDefaults(cluster, {
    vmSize: DEFAULT_SIZE,
    vmPriority: 'Dedicated',
    osType: 'Linux',
    isolatedNetwork: false,
    remoteLoginPortPublicAccess: 'NotSpecified',
    enableNodePublicIp: true,
    scaleSettings: { maxNodeCount: 1 },
  });
  const scale = objectOf(cluster.scaleSettings);
  fillDefaults(scale, { minNodeCount: 0, nodeIdleTimeBeforeScaleDown: 'PT120S' });
  const maximum = wholeNumber(scale.maxNodeCount, 'scaleSettings.maxNodeCount');
  const minimum = wholeNumber(scale.minNodeCount, 'scaleSettings.minNodeCount');
  if (minimum > maximum)
    throw validationError(
      `properties.properties.scaleSettings: minNodeCount (${minimum}) must not exceed maxNodeCount (${maximum}).`,
      'scaleSettings',
    );
  cluster.scaleSettings = scale;
  const size = requireSize(call.cloud, next.region ?? '', textOf(cluster.vmSize) ?? '');
  if (cluster.vmPriority === 'LowPriority') return; // Low-priority cores have a quota of their own, without end here.
  const before = call.existing ? nodesInUse(call.cloud, call.existing) : 0;
  requireQuota(call.cloud, coreUse(call, next, size), maximum, Math.max(minimum, before));
}

function fillInstance(call: Call, next: Stored, instance: JsonObject): void {
  const before = objectOf(call.existing?.resource.properties.properties);
  fillDefaults(instance, {
    applicationSharingPolicy: 'Shared',
    computeInstanceAuthorizationType: 'personal',
    sshSettings: { sshPublicAccess: 'Disabled', adminUserName: 'azureuser', sshPort: 22 },
    enableNodePublicIp: true,
    errors: [],
  });
  const vmSize = textOf(instance.vmSize);
  if (vmSize === undefined)
    throw validationError('properties.properties.vmSize: a compute instance must have one.', 'vmSize');
  const size = requireSize(call.cloud, next.region ?? '', vmSize);
  if (!call.existing) requireQuota(call.cloud, coreUse(call, next, size), 1, 1);
  const { clientId, objectId, tenantId } = call.principal;
  instance.createdBy = before.createdBy ?? { userName: clientId, userOrgId: tenantId, userId: objectId };
  instance.state = before.state ?? 'Creating';
  instance.lastOperation = before.lastOperation ?? null;
}

function coreUse(call: Call, next: Stored, size: ReturnType<typeof requireSize>): Parameters<typeof requireQuota>[1] {
  return {
    region: next.region ?? '',
    subscriptionId: call.id.subscriptionId ?? '',
    id: next.resource.id,
    size,
  };
}

function wholeNumber(value: JsonObject[string] | undefined, field: string): number {
  const number = numberOf(value);
  if (number === undefined || !Number.isInteger(number) || number < 0)
    throw validationError(
      `properties.properties.${field}: expected a whole number from 0, got ${JSON.stringify(value ?? null)}.`,
      field,
    );
  return number;
}

/** A cluster shows its nodes as the jobs on it have them now. */
function showCompute(cloud: Cloud, stored: Stored): Resource {
  const { resource } = stored;
  if (resource.properties.computeType !== 'AmlCompute') return resource;
  const running = busyNodes(cloud, stored);
  const current = nodesInUse(cloud, stored);
  const nodes: JsonObject = {
    allocationState: resource.properties.provisioningState === 'Succeeded' ? 'Steady' : 'Resizing',
    allocationStateTransitionTime: new Date(stored.changedAt).toISOString(),
    errors: null,
    currentNodeCount: current,
    targetNodeCount: current,
    nodeStateCounts: {
      idleNodeCount: current - running,
      runningNodeCount: running,
      preparingNodeCount: 0,
      unusableNodeCount: 0,
      leavingNodeCount: 0,
      preemptedNodeCount: 0,
    },
  };
  return {
    ...resource,
    properties: {
      ...resource.properties,
      properties: { ...objectOf(resource.properties.properties), ...nodes },
    },
  };
}

/** Jobs on a compute that is deleted fail: they have nowhere to run. */
function failJobsOf(cloud: Cloud, compute: Stored): void {
  const now = cloud.clock.now();
  const key = compute.resource.id.toLowerCase();
  for (const job of cloud.store.children(workspaceIdOf(compute.resource.id), JOBS)) {
    const life = lifeOf(job);
    if (life.compute !== key || FINISHED.has(statusAt(life, now))) continue;
    const failed = withLife(job, { ...life, failedAt: now });
    cloud.store.put(failed);
    lifeChanged(cloud, failed);
  }
  reschedule(cloud, key);
}
