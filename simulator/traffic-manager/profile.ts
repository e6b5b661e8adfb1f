/** What Traffic Manager goes by, read from the resources that management holds. */

import { isObject, textOf } from '../resource/fields.ts';
import type { Json, ResourceStore, Stored } from '../contract/index.ts';

export const TM_PROFILE = 'Microsoft.Network/trafficManagerProfiles';
export const ENDPOINT_KINDS = ['azureEndpoints', 'externalEndpoints', 'nestedEndpoints'] as const;

export interface Endpoint {
  id: string;
  host: string;
  /** Where its clients and its probes go: the target's own port, else the monitor's. */
  port: number;
  isEnabled: boolean;
  alwaysServe: boolean;
  weight: number;
  priority: number;
  /** Of a nested endpoint: the profile that it leads to, and how many of its endpoints make it well. */
  child?: { id: string; least: number };
}

export interface Monitor {
  protocol: 'HTTP' | 'HTTPS' | 'TCP';
  path: string;
  intervalSeconds: number;
  timeoutSeconds: number;
  toleratedFailures: number;
  expected: { min: number; max: number }[];
  /** What its probes send along. */
  headers: Record<string, string>;
}

export interface Profile {
  id: string;
  isEnabled: boolean;
  method: string;
  ttlSeconds: number;
  maxReturn: number;
  monitor: Monitor;
  endpoints: Endpoint[];
}

/** The endpoints of a profile, in order of priority where they have one, else as they were made. */
export function endpointsOf(store: ResourceStore, profile: Stored): Stored[] {
  const found = ENDPOINT_KINDS.flatMap((kind) => store.children(profile.resource.id, `${TM_PROFILE}/${kind}`));
  return found.sort((a, b) => numeric(a.resource.properties.priority, 0) - numeric(b.resource.properties.priority, 0));
}

export function readProfile(store: ResourceStore, stored: Stored): Profile {
  const { properties, id } = stored.resource;
  const dns = isObject(properties.dnsConfig) ? properties.dnsConfig : {};
  const monitor = isObject(properties.monitorConfig) ? properties.monitorConfig : {};
  const protocol = textOf(monitor.protocol).toUpperCase();
  const port = numeric(monitor.port, protocol === 'HTTP' ? 80 : 443);
  const interval = numeric(monitor.intervalInSeconds, 30);
  return {
    id,
    isEnabled: properties.profileStatus !== 'Disabled',
    method: textOf(properties.trafficRoutingMethod),
    ttlSeconds: numeric(dns.ttl, 60),
    maxReturn: numeric(properties.maxReturn, 1),
    monitor: {
      protocol: protocol === 'HTTP' || protocol === 'TCP' ? protocol : 'HTTPS',
      path: textOf(monitor.path) || '/',
      intervalSeconds: interval,
      timeoutSeconds: numeric(monitor.timeoutInSeconds, interval === 10 ? 9 : 10),
      toleratedFailures: numeric(monitor.toleratedNumberOfFailures, 3),
      expected: rangesOf(monitor.expectedStatusCodeRanges),
      headers: headersOf(monitor.customHeaders),
    },
    endpoints: endpointsOf(store, stored).map((one, i) => readEndpoint(one, port, i)),
  };
}

function readEndpoint({ resource }: Stored, monitored: number, place: number): Endpoint {
  const { target, targetResourceId, minChildEndpoints, endpointStatus, alwaysServe, weight, priority } =
    resource.properties;
  const isNested = resource.type === `${TM_PROFILE}/nestedEndpoints`;
  const [host = '', port] = textOf(target).split(':');
  return {
    id: resource.id,
    host,
    port: port === undefined ? monitored : Number(port),
    isEnabled: endpointStatus !== 'Disabled',
    alwaysServe: alwaysServe === 'Enabled',
    weight: numeric(weight, 1),
    priority: numeric(priority, place + 1),
    ...(isNested ? { child: { id: textOf(targetResourceId), least: numeric(minChildEndpoints, 1) } } : {}),
  };
}

function rangesOf(value: Json | undefined): Monitor['expected'] {
  const ranges = (Array.isArray(value) ? value : []).filter(isObject);
  return ranges.length === 0
    ? [{ min: 200, max: 200 }]
    : ranges.map(({ min, max }) => ({ min: numeric(min, 200), max: numeric(max, 200) }));
}

function headersOf(value: Json | undefined): Record<string, string> {
  const headers = (Array.isArray(value) ? value : []).filter(isObject);
  return Object.fromEntries(headers.map(({ name, value: text }) => [textOf(name).toLowerCase(), textOf(text)]));
}

function numeric(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
