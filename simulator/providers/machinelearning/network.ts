/** What surrounds a workspace's network: private endpoint connections and the outbound rules of its managed network. */

import { randomUUID } from 'node:crypto';
import type { ResourceType } from '../../provider.ts';
import { fillDefaults, isObject, objectOf, textOf, WORKSPACES } from './fields.ts';
import { requireName, validationError } from './refusals.ts';

const RULE_TYPES = ['FQDN', 'PrivateEndpoint', 'ServiceTag'];

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
    next.resource.location ??= next.region ?? '';
    const known = objectOf(call.existing?.resource.properties.privateEndpoint);
    properties.privateEndpoint ??= {
      id: known.id ?? `${call.id.scope}/providers/Microsoft.Network/privateEndpoints/${randomUUID()}`,
    };
    properties.provisioningState = 'Succeeded';
  },
};

export const outboundRules: ResourceType = {
  type: `${WORKSPACES}/outboundRules`,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 1500, delete: 1000 },
  createdStatus: 202,
  provisioningState: false,
  beforePut(call, next) {
    requireName(
      'outbound rule',
      call.id.name,
      /^[a-zA-Z0-9][\w-]{2,32}$/,
      '3 to 33 letters, digits, hyphens and underscores, the first a letter or a digit',
    );
    const kind = textOf(next.resource.properties.type) ?? '';
    if (!RULE_TYPES.includes(kind))
      throw validationError(
        `properties.type: expected one of ${RULE_TYPES.join(', ')}, got '${kind}'.`,
        'type',
      );
    fillDefaults(next.resource.properties, { category: 'UserDefined' });
    next.resource.properties.status = 'Active';
  },
};
