/** Online endpoints: a name in a region, keys, and the shares of traffic that their deployments get. */

import type { Call, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { endpointKeys, keyActions, KEYS, newKeys } from '../bodies/endpoint-keys.ts';
import { fillDefaults, isObject, objectOf, setLocation, textOf, WORKSPACES } from '../bodies/fields.ts';
import { byProperties, limited } from '../bodies/lists.ts';
import { conflict, requireName, userError, validationError } from '../bodies/refusals.ts';
import { resolveCompute } from '../bodies/references.ts';

export const ONLINE_ENDPOINTS = `${WORKSPACES}/onlineEndpoints`;
export const ONLINE_DEPLOYMENTS = `${ONLINE_ENDPOINTS}/deployments`;

const AUTH_MODES = ['Key', 'AMLToken', 'AADToken'];

/** Mirrored traffic goes to one deployment, and no more than half of it. */
const MOST_MIRRORED = 50;

export const onlineEndpoints: ResourceType = {
  type: ONLINE_ENDPOINTS,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 3000, patch: 1500, delete: 2500 },
  secrets: [KEYS],
  immutable: ['properties.authMode', 'properties.compute'],
  beforePut(call, next) {
    if (!call.existing) {
      requireName(
        'endpoint',
        call.id.name,
        /^[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]$/,
        '3 to 32 letters, digits and hyphens, the first a letter, the last no hyphen',
      );
      refuseTakenName(call, next);
    }
    // A PATCH is of tags and identity: Azure takes no notice of anything else in it.
    if (call.verb === 'patch' && call.existing)
      next.resource.properties = structuredClone(call.existing.resource.properties);
    fillEndpoint(call, next);
    checkTraffic(call, next);
  },
  list(call, entries) {
    const name = call.query.get('name');
    const kind = call.query.get('computeType')?.toLowerCase();
    const found = entries.filter(
      ({ resource }) =>
        (!name || resource.name === name) &&
        (!kind || (resource.properties.compute ? 'kubernetes' : 'managed') === kind),
    );
    return limited(call, byProperties(call, found));
  },
  actions: keyActions,
};

/** An endpoint's name is a part of its address: one of a kind in its region. */
function refuseTakenName(call: Call, next: Stored): void {
  const taken = call.cloud.store
    .ofType(ONLINE_ENDPOINTS)
    .find((other) => other.region === next.region && other.resource.name.toLowerCase() === call.id.name.toLowerCase());
  if (taken)
    throw conflict(
      `There is already an endpoint with the name '${call.id.name}' in region '${next.region}': choose another name.`,
    );
}

function fillEndpoint(call: Call, next: Stored): void {
  const { resource } = next;
  const { properties } = resource;
  const authMode = textOf(properties.authMode) ?? '';
  if (!AUTH_MODES.includes(authMode))
    throw validationError(
      `properties.authMode: expected one of ${AUTH_MODES.join(', ')}, got '${authMode}'.`,
      'authMode',
    );
  if (textOf(properties.compute) !== undefined) resolveCompute(call.cloud, call.id.parent ?? '', properties.compute);
  setLocation(next);
  resource.tags ??= {};
  resource.identity ??= call.existing?.resource.identity ?? null;
  fillDefaults(properties, {
    description: null,
    properties: {},
    publicNetworkAccess: 'Enabled',
    traffic: {},
    mirrorTraffic: {},
  });
  const base = `${call.cloud.dataPlane(next.region ?? '')}/_/score/${resource.name}`;
  properties.scoringUri = `${base}/score`;
  properties.swaggerUri = `${base}/swagger.json`;
  // Keys may be brought at creation, so that both of two regions have the same; later they are regenerated, not put.
  const brought = call.existing ? endpointKeys(call.existing) : objectOf(properties.keys);
  properties.keys = { ...newKeys(), ...brought };
}

function checkTraffic(call: Call, next: Stored): void {
  const { properties } = next.resource;
  const traffic = sharesOf(call, properties, 'traffic');
  const sum = traffic.reduce((total, [, share]) => total + share, 0);
  if (sum !== 0 && sum !== 100)
    throw userError(`properties.traffic: the shares must sum to 0 or 100, they sum to ${sum}.`, 'traffic');
  const mirrored = sharesOf(call, properties, 'mirrorTraffic').filter(([, share]) => share > 0);
  if (mirrored.length > 1)
    throw userError('properties.mirrorTraffic: traffic can be mirrored to one deployment only.', 'mirrorTraffic');
  for (const [name, share] of mirrored) {
    if (share > MOST_MIRRORED)
      throw userError(
        `properties.mirrorTraffic: at most ${MOST_MIRRORED} can be mirrored, got ${share}.`,
        'mirrorTraffic',
      );
    if (traffic.some(([other, live]) => other === name && live > 0))
      throw userError(
        `properties.mirrorTraffic: '${name}' has live traffic and cannot get mirrored traffic as well.`,
        'mirrorTraffic',
      );
  }
}

/**
 * The shares by deployment. Errors: 400 for one that is no whole number from 0 to 100, or of a deployment that is not
 * there.
 */
function sharesOf(call: Call, properties: JsonObject, field: 'traffic' | 'mirrorTraffic'): [string, number][] {
  const shares = properties[field];
  if (!isObject(shares))
    throw validationError(`properties.${field}: expected an object of deployment names and shares.`, field);
  return Object.entries(shares).map(([name, share]) => {
    if (typeof share !== 'number' || !Number.isInteger(share) || share < 0 || share > 100)
      throw validationError(
        `properties.${field}.${name}: expected a whole number from 0 to 100, got ${JSON.stringify(share)}.`,
        field,
      );
    const deployment = call.cloud.store.get(`${call.id.id}/deployments/${name}`);
    if (!deployment)
      throw userError(`properties.${field}: the endpoint '${call.id.name}' has no deployment '${name}'.`, field);
    if (share > 0 && deployment.resource.properties.provisioningState === 'Failed')
      throw userError(
        `properties.${field}: the deployment '${name}' is in state Failed and cannot take traffic.`,
        field,
      );
    return [name, share];
  });
}

/** The endpoint of that name in a region. */
export function endpointInRegion(endpoints: Stored[], region: string, name: string): Stored | undefined {
  return endpoints.find((entry) => entry.region === region && entry.resource.name.toLowerCase() === name.toLowerCase());
}
