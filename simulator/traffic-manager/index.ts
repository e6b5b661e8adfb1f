/**
 * Microsoft.Network/trafficManagerProfiles: profiles, and endpoints as resources of their own that the profile shows.
 */

import { isObject, textOf } from '../resource/fields.ts';
import { serviceSuffixes } from '../http/service-hosts.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Provider,
  type Resource,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { ENDPOINT_KINDS, endpointsOf, TM_PROFILE } from './profile.ts';
import { relativeNameOf, type TrafficManager } from './traffic-manager.ts';
import { placeGlobally, row } from '../resource/table.ts';
import { invalid, prepareEndpoint, requireNumber, requireOneOf } from './endpoints.ts';

const METHODS = ['Performance', 'Priority', 'Weighted', 'Geographic', 'MultiValue', 'Subnet'];
const PROTOCOLS = ['HTTP', 'HTTPS', 'TCP'];

export function trafficManager(stand: TrafficManager): Provider {
  return {
    namespace: 'Microsoft.Network',
    types: [
      row(TM_PROFILE, {
        region: 'global',
        beforePut(call, next) {
          prepareProfile(call, next);
          planned(call, next); // What is wrong with an endpoint is said before anything changes.
        },
        spreads: storeEndpoints,
        afterPut(call, stored) {
          if (listsEndpoints(call))
            for (const { resource } of endpointsOf(call.cloud.store, stored)) stand.forget(resource.id);
          stand.refresh();
        },
        show: (cloud, stored) => showProfile(cloud, stored, stand),
      }),
      ...ENDPOINT_KINDS.map((kind) => endpointRow(kind, stand)),
    ],
    start: () => stand.refresh(),
    route({ cloud, method, path, body }) {
      const isAsked = /\/providers\/Microsoft\.Network\/checkTrafficManagerNameAvailability(V2)?$/i.test(path);
      if (method !== 'POST' || !isAsked) return Promise.resolve(undefined);
      return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
    },
  };
}

function endpointRow(kind: string, stand: TrafficManager): ResourceType {
  return row(`${TM_PROFILE}/${kind}`, {
    region: 'global',
    beforePut({ cloud, id }, next) {
      const profile = cloud.store.get(id.parent ?? '');
      if (!profile) return; // The envelope has refused a profile that is not there.
      const others = endpointsOf(cloud.store, profile).filter(({ resource }) => resource.id.toLowerCase() !== id.key);
      prepareEndpoint(cloud, next, profile, others);
    },
    afterPut: (_call, stored) => stand.forget(stored.resource.id),
    show(cloud, stored) {
      const profile = cloud.store.get(stored.resource.id.split('/').slice(0, -2).join('/'));
      return {
        ...stored.resource,
        properties: {
          ...stored.resource.properties,
          endpointMonitorStatus: monitored(stored, profile, stand),
        },
      };
    },
  });
}

function prepareProfile({ cloud, id }: Call, next: Stored): void {
  const { properties } = next.resource;
  requireOneOf('trafficRoutingMethod', METHODS, properties.trafficRoutingMethod);
  const dns = isObject(properties.dnsConfig) ? properties.dnsConfig : {};
  const name = textOf(dns.relativeName);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(name))
    throw invalid('dnsConfig.relativeName', 'a label of a host name', dns.relativeName);
  requireFree(cloud, name, id.key);
  requireNumber('dnsConfig.ttl', dns.ttl, 0, 2_147_483_647);
  const suffix = serviceSuffixes(cloud.armEndpoint).trafficManager;
  properties.profileStatus ??= 'Enabled';
  properties.trafficViewEnrollmentStatus ??= 'Disabled';
  properties.dnsConfig = { ttl: 60, ...dns, fqdn: `${name.toLowerCase()}.${suffix}` };
  properties.monitorConfig = monitorOf(properties.monitorConfig);
  placeGlobally(next.resource);
}

function monitorOf(value: Json | undefined): JsonObject {
  const monitor = isObject(value) ? value : {};
  requireOneOf('monitorConfig.protocol', PROTOCOLS, textOf(monitor.protocol).toUpperCase());
  requireNumber('monitorConfig.port', monitor.port, 1, 65_535);
  const interval = monitor.intervalInSeconds ?? 30;
  if (interval !== 10 && interval !== 30) throw invalid('monitorConfig.intervalInSeconds', '10 or 30', interval);
  requireNumber('monitorConfig.timeoutInSeconds', monitor.timeoutInSeconds, 5, interval === 10 ? 9 : 10);
  requireNumber('monitorConfig.toleratedNumberOfFailures', monitor.toleratedNumberOfFailures, 0, 9);
  return {
    intervalInSeconds: interval,
    timeoutInSeconds: interval === 10 ? 9 : 10,
    toleratedNumberOfFailures: 3,
    ...(textOf(monitor.protocol).toUpperCase() === 'TCP' ? {} : { path: '/' }),
    ...monitor,
  };
}

/** A PATCH that says nothing of endpoints leaves them, and what is known of them. */
function listsEndpoints({ body, verb }: Call): boolean {
  const sent = isObject(body.properties) ? body.properties.endpoints : undefined;
  return verb !== 'patch' || (sent !== undefined && sent !== null);
}

/** The endpoints that a PUT or PATCH of the profile names, checked; undefined where it says nothing of them. */
function planned({ cloud, body, verb }: Call, profile: Stored): Stored[] | undefined {
  const sent = isObject(body.properties) ? body.properties.endpoints : undefined;
  if (sent === undefined || sent === null) return verb === 'patch' ? undefined : [];
  if (!Array.isArray(sent) || !sent.every(isObject)) throw invalid('endpoints', 'a list of endpoints', sent);
  const found: Stored[] = [];
  for (const endpoint of sent) {
    const type = ENDPOINT_KINDS.find((kind) => textOf(endpoint.type).toLowerCase().endsWith(kind.toLowerCase()));
    const name = textOf(endpoint.name);
    if (!type || name === '')
      throw invalid('endpoints', `each with a name, and a type of ${ENDPOINT_KINDS.join(', ')}`, endpoint);
    const properties = isObject(endpoint.properties) ? { ...endpoint.properties } : {};
    const id = `${profile.resource.id}/${type}/${name}`;
    const next: Stored = {
      ...profile,
      hidden: {},
      resource: { id, name, type: `${TM_PROFILE}/${type}`, properties },
    };
    prepareEndpoint(cloud, next, profile, found);
    found.push(next);
  }
  return found;
}

/** Endpoints are resources of their own: a PUT's replace those there were, a PATCH without any leaves them. */
function storeEndpoints(call: Call, stored: Stored): void {
  const { store } = call.cloud;
  const { endpoints: _, ...properties } = stored.resource.properties;
  store.put({ ...stored, resource: { ...stored.resource, properties } });
  const next = planned(call, stored);
  if (!next) return;
  for (const { resource } of endpointsOf(store, stored)) store.remove(resource.id);
  for (const endpoint of next) store.put(endpoint);
}

function showProfile(cloud: Cloud, stored: Stored, stand: TrafficManager): Resource {
  const endpoints = endpointsOf(cloud.store, stored).map(({ resource, ...rest }) => ({
    id: resource.id,
    name: resource.name,
    type: resource.type,
    properties: {
      ...resource.properties,
      endpointMonitorStatus: monitored({ resource, ...rest }, stored, stand),
    },
  }));
  const { properties } = stored.resource;
  const monitorConfig = {
    ...(isObject(properties.monitorConfig) ? properties.monitorConfig : {}),
    profileMonitorStatus: profileStatus(
      properties,
      endpoints.map((one) => one.properties.endpointMonitorStatus),
    ),
  };
  return { ...stored.resource, properties: { ...properties, monitorConfig, endpoints } };
}

function monitored(endpoint: Stored, profile: Stored | undefined, stand: TrafficManager): string {
  const { endpointStatus, alwaysServe } = endpoint.resource.properties;
  if (endpointStatus === 'Disabled') return 'Disabled';
  if (profile?.resource.properties.profileStatus === 'Disabled') return 'Inactive';
  return alwaysServe === 'Enabled' ? 'Unmonitored' : stand.status(endpoint.resource.id);
}

function profileStatus({ profileStatus: set }: JsonObject, statuses: string[]): string {
  if (set === 'Disabled') return 'Disabled';
  const enabled = statuses.filter((one) => one !== 'Disabled');
  if (enabled.length === 0) return 'Inactive';
  if (enabled.includes('Degraded')) return 'Degraded';
  return enabled.includes('CheckingEndpoint') ? 'CheckingEndpoints' : 'Online';
}

function requireFree(cloud: Cloud, name: string, key: string): void {
  const isTaken = cloud.store
    .ofType(TM_PROFILE)
    .some((one) => relativeNameOf(one) === name.toLowerCase() && one.resource.id.toLowerCase() !== key);
  if (isTaken)
    throw new ArmError(
      409,
      'Conflict',
      `Domain name ${name}.trafficmanager.localhost already exists. Please choose a different DNS prefix.`,
    );
}

function nameAvailability(cloud: Cloud, name: string): Json {
  const shown = { name, type: TM_PROFILE };
  const isTaken = cloud.store.ofType(TM_PROFILE).some((one) => relativeNameOf(one) === name.toLowerCase());
  if (!isTaken) return { ...shown, nameAvailable: true };
  return {
    ...shown,
    nameAvailable: false,
    reason: 'AlreadyExists',
    message: `Domain name ${name}.trafficmanager.localhost already exists.`,
  };
}
