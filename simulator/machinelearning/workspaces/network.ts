/** What surrounds a workspace's network: private endpoint connections and the outbound rules of its managed network. */

import { randomUUID } from 'node:crypto';
import type { ActionResult, Call, Cloud, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { fillDefaults, isObject, objectOf, setLocation, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { requireLinkedIds } from '../bodies/linked-ids.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';

const OUTBOUND_RULES = `${WORKSPACES}/outboundRules`;

/** What the destination of a rule must say, by the rule's type. */
const DESTINATIONS: Record<string, readonly string[]> = {
  PrivateEndpoint: ['serviceResourceId', 'subresourceTarget'],
  ServiceTag: ['serviceTag', 'protocol', 'portRanges'],
};

/** Where the rules of a workspace's own body wait until the workspace is there. */
const RULES = 'outboundRules';

export const privateEndpointConnections: ResourceType = {
  type: `${WORKSPACES}/privateEndpointConnections`,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  createdStatus: 200,
  beforePut(call, next) {
    const { properties } = next.resource;
    const state = properties.privateLinkServiceConnectionState;
    if (!isObject(state))
      throw validationError('properties.privateLinkServiceConnectionState: required.', 'properties');
    setLocation(next);
    const known = objectOf(call.existing?.resource.properties.privateEndpoint);
    properties.privateEndpoint ??= {
      id: known.id ?? `${call.id.scope}/providers/Microsoft.Network/privateEndpoints/${randomUUID()}`,
    };
    properties.provisioningState = 'Succeeded';
  },
};

export const outboundRules: ResourceType = {
  type: OUTBOUND_RULES,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 1500, delete: 1000 },
  createdStatus: 202,
  provisioningState: false,
  beforePut(call, next) {
    const workspace = call.cloud.store.get(call.id.parent ?? '');
    requireLinkedIds(next.resource, ['properties.destination.serviceResourceId']);
    requireRule(call.id.name, next.resource.properties, modeOf(workspace));
    fillDefaults(next.resource.properties, { category: 'UserDefined' });
  },
  show(cloud, stored) {
    const workspace = cloud.store.get(workspaceIdOf(stored.resource.id));
    return { ...stored.resource, properties: shownRule(stored, workspace) };
  },
};

function modeOf(workspace: Stored | undefined): string {
  return textOf(objectOf(workspace?.resource.properties.managedNetwork).isolationMode) ?? 'Disabled';
}

/** Errors: 400 for a name or a destination that cannot be, or in a network that has no such rules. */
function requireRule(name: string, rule: JsonObject, mode: string): void {
  requireName(
    'outbound rule',
    name,
    /^[a-zA-Z0-9][\w-]{2,32}$/,
    '3 to 33 letters, digits, hyphens and underscores, the first a letter or a digit',
  );
  const kind = textOf(rule.type) ?? '';
  if (mode === 'Disabled')
    throw userError(
      `The outbound rule '${name}' needs a managed network: set the workspace's managedNetwork.isolationMode first.`,
      'isolationMode',
    );
  if (kind === 'FQDN' && mode !== 'AllowOnlyApprovedOutbound')
    throw userError(
      `The outbound rule '${name}' of type FQDN needs isolationMode AllowOnlyApprovedOutbound; the workspace has ${mode}.`,
      'isolationMode',
    );
  const parts = DESTINATIONS[kind] ?? [];
  const missing = parts.find((part) => textOf(objectOf(rule.destination)[part]) === undefined);
  if (missing !== undefined)
    throw validationError(`properties.destination.${missing}: a rule of type ${kind} must have one.`, 'destination');
  if (kind === 'FQDN' && textOf(rule.destination) === undefined)
    throw validationError('properties.destination: a rule of type FQDN must have one.', 'destination');
}

/** A rule is in force when the network is provisioned. */
function shownRule(rule: Stored, workspace: Stored | undefined): JsonObject {
  const network = objectOf(workspace?.resource.properties.managedNetwork);
  const isActive = objectOf(network.status).status === 'Active';
  return { ...rule.resource.properties, status: isActive ? 'Active' : 'Inactive' };
}

/**
 * The managed network of a workspace that is put: once there it stays, and its rules are resources of their own.
 *
 * Errors: 400 for a network that is taken away again, and for rules that cannot be.
 */
export function prepareNetwork(call: Call, next: Stored): void {
  const { outboundRules: rules, ...network } = objectOf(next.resource.properties.managedNetwork);
  const before = modeOf(call.existing);
  const mode = textOf(network.isolationMode) ?? before;
  if (before !== 'Disabled' && mode === 'Disabled')
    throw userError(
      `The managed network of the workspace '${call.id.name}' cannot be disabled: its isolationMode is ${before}.`,
      'isolationMode',
    );
  for (const [name, rule] of Object.entries(objectOf(rules))) requireRule(name, objectOf(rule), mode);
  const status = objectOf(call.existing?.resource.properties.managedNetwork).status ?? {
    status: 'Inactive',
    sparkReady: false,
  };
  next.resource.properties.managedNetwork = {
    ...network,
    isolationMode: mode,
    ...(mode === 'Disabled' ? {} : { status }),
  };
  next.hidden[RULES] = objectOf(rules);
}

/** Makes resources of the rules that came with their workspace. */
export function writeRules({ cloud }: Call, workspace: Stored): void {
  const now = cloud.clock.now();
  for (const [name, rule] of Object.entries(objectOf(workspace.hidden[RULES])))
    cloud.store.put({
      resource: {
        id: `${workspace.resource.id}/outboundRules/${name}`,
        name,
        type: OUTBOUND_RULES,
        properties: { category: 'UserDefined', ...objectOf(rule) },
        systemData: workspace.resource.systemData ?? null,
      },
      hidden: {},
      etag: `"${randomUUID()}"`,
      region: workspace.region,
      createdAt: now,
      changedAt: now,
    });
}

/** The managed network as the workspace shows it, with its rules. */
export function showNetwork(cloud: Cloud, workspace: Stored): JsonObject {
  const network = objectOf(workspace.resource.properties.managedNetwork);
  if (modeOf(workspace) === 'Disabled') return network;
  const rules = cloud.store.children(workspace.resource.id, OUTBOUND_RULES);
  const shown = rules.map((rule) => [rule.resource.name, shownRule(rule, workspace)] as const);
  return { ...network, outboundRules: Object.fromEntries(shown) };
}

/** POST …/provisionManagedNetwork. Errors: 400 for a workspace without such a network. */
export function provisionNetwork(call: Call): ActionResult {
  if (modeOf(call.existing) === 'Disabled')
    throw userError(`The workspace '${call.id.name}' has no managed network to provision.`, 'isolationMode');
  const finish = (): JsonObject => {
    const status = { status: 'Active', sparkReady: call.body.includeSpark === true };
    const workspace = call.cloud.store.get(call.id.id);
    if (!workspace) return status;
    const managedNetwork = { ...objectOf(workspace.resource.properties.managedNetwork), status };
    const properties = { ...workspace.resource.properties, managedNetwork };
    call.cloud.store.put({ ...workspace, resource: { ...workspace.resource, properties } });
    return status;
  };
  return { longRunning: { milliseconds: 2000, finish } };
}
