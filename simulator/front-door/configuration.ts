/** What the front does, as far as it is in force: read from the resources of Microsoft.Cdn that management holds. */

import { isObject, textOf } from '../resource/fields.ts';
import type { Json, JsonObject, ResourceStore, Stored } from '../contract/index.ts';

export const PROFILE = 'Microsoft.Cdn/profiles';
export const ENDPOINT = `${PROFILE}/afdEndpoints`;
export const ROUTE = `${ENDPOINT}/routes`;
export const RULE = `${PROFILE}/ruleSets/rules`;
export const ORIGIN_GROUP = `${PROFILE}/originGroups`;
export const ORIGIN = `${ORIGIN_GROUP}/origins`;

/**
 * Where `hidden` keeps the properties that the front goes by: a change is in force only when its operation has ended.
 */
export const IN_FORCE = 'inForce';

export type Protocol = 'http' | 'https';

export interface Origin {
  id: string;
  /** The origin's hostName, without a port. */
  host: string;
  /** By protocol: `httpPort` and `httpsPort`; for 'localhost:PORT' as hostName that port, whatever is spoken there. */
  ports: Record<Protocol, number>;
  /** What requests name as their host; undefined: what the client named. */
  hostHeader: string | undefined;
  priority: number;
  weight: number;
}

export interface ProbeSettings {
  path: string;
  method: 'HEAD' | 'GET';
  protocol: Protocol;
  intervalSeconds: number;
}

export interface OriginGroup {
  id: string;
  origins: Origin[];
  /** Undefined: the group is not probed, its origins count as healthy. */
  probe: ProbeSettings | undefined;
  sampleSize: number;
  successesRequired: number;
}

export interface Match {
  group: OriginGroup;
  /** The path and query to ask the origin for. */
  path: string;
  /** How to ask it. */
  protocol: Protocol;
  timeoutSeconds: number;
  /** The `frontDoorId` of the profile: origins tell by it whose front is asking. */
  frontDoorId: string;
}

/** The route that an endpoint has for a path, or undefined. `path` starts with '/', without the query. */
export function matchRoute(store: ResourceStore, endpoint: Stored, path: string): Match | undefined {
  const routes = store.children(endpoint.resource.id, ROUTE).map(inForce).filter(isEnabled);
  const candidates = routes
    .flatMap((route) => texts(route.patternsToMatch ?? ['/*']).map((pattern) => ({ route, pattern })))
    .filter(({ pattern }) => matches(pattern, path))
    .sort((a, b) => b.pattern.length - a.pattern.length);
  const [best] = candidates;
  const groupId = best && isObject(best.route.originGroup) ? best.route.originGroup.id : undefined;
  const group = typeof groupId === 'string' ? store.get(groupId) : undefined;
  if (!best || !group) return undefined;
  const { originPath } = best.route;
  const rest = path.slice(best.pattern.replace(/\*$/, '').length);
  const forwarded =
    typeof originPath === 'string' && originPath !== ''
      ? `/${[originPath.replace(/^\/+|\/+$/g, ''), rest.replace(/^\/+/, '')].filter(Boolean).join('/')}`
      : path;
  const profile = store.get(
    endpoint.resource.id.slice(0, endpoint.resource.id.toLowerCase().lastIndexOf('/afdendpoints/')),
  );
  return {
    group: readGroup(store, group),
    path: forwarded,
    // MatchRequest: as the client asked, and the front listens for HTTPS alone.
    protocol: best.route.forwardingProtocol === 'HttpOnly' ? 'http' : 'https',
    timeoutSeconds: numeric(profile?.resource.properties.originResponseTimeoutSeconds, 60),
    frontDoorId: textOf(profile?.resource.properties.frontDoorId),
  };
}

export function readGroup(store: ResourceStore, group: Stored): OriginGroup {
  const properties = inForce(group);
  const balancing = isObject(properties.loadBalancingSettings) ? properties.loadBalancingSettings : {};
  const health = properties.healthProbeSettings;
  const origins = store.children(group.resource.id, ORIGIN).filter((origin) => isEnabled(inForce(origin)));
  return {
    id: group.resource.id,
    origins: origins.map(readOrigin),
    probe: isObject(health) && health.probeRequestType !== 'NotSet' ? readProbe(health) : undefined,
    sampleSize: numeric(balancing.sampleSize, 4),
    successesRequired: numeric(balancing.successfulSamplesRequired, 3),
  };
}

function readOrigin(stored: Stored): Origin {
  const properties = inForce(stored);
  const { hostName = '', originHostHeader } = properties;
  const host = typeof hostName === 'string' ? hostName : '';
  const [name = '', port] = host.split(':');
  return {
    id: stored.resource.id,
    host: name,
    ports:
      port === undefined
        ? { http: numeric(properties.httpPort, 80), https: numeric(properties.httpsPort, 443) }
        : { http: Number(port), https: Number(port) },
    hostHeader: typeof originHostHeader === 'string' && originHostHeader !== '' ? originHostHeader : undefined,
    priority: numeric(properties.priority, 1),
    weight: numeric(properties.weight, 1000),
  };
}

function readProbe(health: JsonObject): ProbeSettings {
  return {
    path: typeof health.probePath === 'string' ? health.probePath : '/',
    method: health.probeRequestType === 'GET' ? 'GET' : 'HEAD',
    protocol: health.probeProtocol === 'Http' ? 'http' : 'https',
    intervalSeconds: numeric(health.probeIntervalInSeconds, 240),
  };
}

export function inForce({ hidden, resource }: Stored): JsonObject {
  const held = hidden[IN_FORCE];
  // Until its first operation has ended, a resource is not there for the front.
  return isObject(held)
    ? held
    : { enabledState: 'Disabled', ...(resource.type === ORIGIN_GROUP ? resource.properties : {}) };
}

export function isEnabled(properties: JsonObject): boolean {
  return properties.enabledState !== 'Disabled';
}

function matches(pattern: string, path: string): boolean {
  const lower = path.toLowerCase();
  const wanted = pattern.toLowerCase();
  if (!wanted.endsWith('*')) return lower === wanted;
  const prefix = wanted.slice(0, -1);
  return lower.startsWith(prefix) || `${lower}/` === prefix;
}

function texts(value: Json): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function numeric(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
