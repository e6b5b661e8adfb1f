/**
 * What an endpoint of Traffic Manager may be. Those of Azure and nested ones name a resource and have its host name for
 * their target; only external ones name a host. Source: Azure, REST API, Endpoints – Create Or Update; "Nested Traffic
 * Manager profiles".
 */

import { isObject, textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type Stored } from '../contract/index.ts';
import { endpointsOf, TM_PROFILE } from './profile.ts';

/** Deeper than Azure nests profiles. */
const DEEPEST = 10;

/**
 * Checks an endpoint against its profile and the profile's others, and fills in what it leaves out. Throws ArmError 400
 * and 409.
 */
export function prepareEndpoint(cloud: Cloud, next: Stored, profile: Stored, others: Stored[]): void {
  const properties: JsonObject = {
    endpointStatus: 'Enabled',
    alwaysServe: 'Disabled',
    weight: 1,
    ...next.resource.properties,
  };
  delete properties.endpointMonitorStatus;
  const kind = next.resource.type.slice(TM_PROFILE.length + 1).toLowerCase();
  properties.target = targetOf(cloud, kind, properties);
  if (kind === 'nestedendpoints') requireNested(cloud, properties, profile);
  const isPlaced = kind !== 'azureendpoints' && profile.resource.properties.trafficRoutingMethod === 'Performance';
  if (isPlaced && textOf(properties.endpointLocation) === '')
    throw invalid('endpointLocation', "a region, for the profile's routing method is Performance", null);
  requireOneOf('endpointStatus', ['Enabled', 'Disabled'], properties.endpointStatus);
  requireOneOf('alwaysServe', ['Enabled', 'Disabled'], properties.alwaysServe);
  requireNumber('weight', properties.weight, 1, 1000);
  requireNumber('priority', properties.priority, 1, 1000);
  requireApart(properties, others);
  properties.priority ??= Math.max(0, ...others.map(({ resource }) => Number(resource.properties.priority))) + 1;
  next.resource.properties = properties;
}

/** No two endpoints of a profile have one target, or one priority. */
function requireApart({ target, priority }: JsonObject, others: Stored[]): void {
  const of = (field: string): Json[] => others.map(({ resource }) => resource.properties[field] ?? null);
  if (priority !== undefined && of('priority').includes(priority))
    throw new ArmError(
      409,
      'Conflict',
      `Another endpoint of the profile has priority ${textOf(priority)}: no two may share one.`,
    );
  if (of('target').includes(target ?? null))
    throw invalid('target', 'one that no other endpoint of the profile has', target);
}

function targetOf(cloud: Cloud, kind: string, { target, targetResourceId }: JsonObject): string {
  if (kind === 'externalendpoints') {
    if (!/^[\w.-]+(:\d{1,5})?$/.test(textOf(target))) throw invalid('target', 'a host name', target);
    return textOf(target);
  }
  const resource = cloud.store.get(textOf(targetResourceId));
  if (!resource) throw invalid('targetResourceId', 'the id of a resource that there is', targetResourceId);
  const host = hostOf(resource);
  if (host === '') throw invalid('targetResourceId', 'a resource with a host name of its own', targetResourceId);
  return host;
}

/** The host name of a public address with a label, of a web site, of a profile. */
function hostOf({ resource: { properties } }: Stored): string {
  const { defaultHostName, dnsSettings, dnsConfig } = properties;
  if (typeof defaultHostName === 'string') return defaultHostName;
  const named = [dnsSettings, dnsConfig].find(isObject);
  return textOf(named?.fqdn);
}

function requireNested(cloud: Cloud, properties: JsonObject, profile: Stored): void {
  const child = cloud.store.get(textOf(properties.targetResourceId));
  if (child?.resource.type !== TM_PROFILE)
    throw invalid('targetResourceId', 'the id of a Traffic Manager profile', properties.targetResourceId);
  requireNumber('minChildEndpoints', properties.minChildEndpoints, 1, 1000);
  if (typeof properties.minChildEndpoints !== 'number')
    throw invalid('minChildEndpoints', 'how many endpoints of the child make it well', null);
  if (leadsTo(cloud, child, profile.resource.id.toLowerCase(), 0))
    throw invalid('targetResourceId', 'a profile that does not lead back to this one', properties.targetResourceId);
}

function leadsTo(cloud: Cloud, profile: Stored, key: string, depth: number): boolean {
  if (profile.resource.id.toLowerCase() === key || depth > DEEPEST) return true;
  return endpointsOf(cloud.store, profile).some(({ resource }) => {
    const child = cloud.store.get(textOf(resource.properties.targetResourceId));
    return child?.resource.type === TM_PROFILE && leadsTo(cloud, child, key, depth + 1);
  });
}

export function requireOneOf(name: string, known: string[], got: Json | undefined): void {
  if (!known.some((one) => one === got)) throw invalid(name, known.join(', '), got);
}

export function requireNumber(name: string, got: Json | undefined, from: number, to: number): void {
  if (got === undefined || got === null) return;
  if (typeof got !== 'number' || !Number.isInteger(got) || got < from || got > to)
    throw invalid(name, `an integer from ${from} to ${to}`, got);
}

export function invalid(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'BadRequest',
    `The property '${name}' is not valid: expected ${expected}, got ${JSON.stringify(got ?? null)}.`,
    { target: name },
  );
}
