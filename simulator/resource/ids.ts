/** ARM ids and paths: parsing, comparison keys, and the canonical spelling. */

import type { ResourceId } from '../contract/index.ts';

/** What a path of the ARM endpoint points at. `rest` is what follows the provider's namespace. */
export type Target =
  | { kind: 'resource'; id: ResourceId }
  /** A list of one type: below a resource, in a resource group, in a subscription or on any scope. */
  | { kind: 'collection'; scope: string; type: string; parent: string | undefined; provider: string }
  | { kind: 'other'; provider: string | undefined };

const SUBSCRIPTION_TYPE = 'Microsoft.Resources/subscriptions';
const GROUP_TYPE = 'Microsoft.Resources/resourceGroups';

/** Parses the path of a request; names are percent-decoded. Never throws: what is no resource is `other`. */
export function parseTarget(path: string): Target {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const providers = segments.findLastIndex((segment, i) => i % 2 === 0 && segment.toLowerCase() === 'providers');
  if (providers < 0 || (providers > 0 && segments.length === providers + 1)) return scopeTarget(segments);
  const provider = segments[providers + 1];
  const rest = segments.slice(providers + 2);
  if (provider === undefined || rest.length === 0) return { kind: 'other', provider };
  const scope = join(segments.slice(0, providers));
  if (rest.length % 2 === 0) return { kind: 'resource', id: providerId(scope, provider, rest) };
  const above = rest.slice(0, -1);
  const type = [provider, ...rest.filter((_, i) => i % 2 === 0)].join('/');
  const parent = above.length > 0 ? providerId(scope, provider, above).id : undefined;
  return { kind: 'collection', scope, type, parent, provider };
}

/** Parses an id that must be a resource's. Undefined if it is not one. */
export function parseResourceId(id: string): ResourceId | undefined {
  const target = parseTarget(id);
  return target.kind === 'resource' ? target.id : undefined;
}

/** The key of what contains `key`: the resource above it, else the scope it stands on. Both in lower case. */
export function containerKey(key: string): string {
  const above = key.slice(0, key.lastIndexOf('/', key.lastIndexOf('/') - 1));
  const provider = above.lastIndexOf('/');
  const marker = above.lastIndexOf('/', provider - 1);
  return above.slice(marker, provider) === '/providers' ? above.slice(0, marker) : above;
}

function scopeTarget(segments: string[]): Target {
  const [first, subscription, second, group] = segments;
  if (first?.toLowerCase() !== 'subscriptions') return { kind: 'other', provider: undefined };
  const resources = { provider: 'Microsoft.Resources' };
  switch (segments.length) {
    case 1:
      return { kind: 'collection', scope: '', type: SUBSCRIPTION_TYPE, parent: undefined, ...resources };
    case 2:
      return { kind: 'resource', id: scopeId(segments, SUBSCRIPTION_TYPE) };
    case 3:
      if (second?.toLowerCase() !== 'resourcegroups') break;
      return {
        kind: 'collection',
        scope: `/subscriptions/${subscription}`,
        type: GROUP_TYPE,
        parent: undefined,
        ...resources,
      };
    case 4:
      if (second?.toLowerCase() !== 'resourcegroups' || group === undefined) break;
      return { kind: 'resource', id: scopeId(segments, GROUP_TYPE) };
  }
  return { kind: 'other', provider: 'Microsoft.Resources' };
}

function scopeId(segments: string[], type: string): ResourceId {
  const id = join(segments);
  const name = segments.at(-1) ?? '';
  const scope = type === GROUP_TYPE ? join(segments.slice(0, 2)) : '';
  return {
    ...places(segments),
    id,
    key: id.toLowerCase(),
    provider: 'Microsoft.Resources',
    type,
    names: [name],
    name,
    scope,
  };
}

function providerId(scope: string, provider: string, rest: string[]): ResourceId {
  const id = `${scope}/providers/${provider}/${rest.join('/')}`;
  const names = rest.filter((_, i) => i % 2 === 1);
  const parsed: ResourceId = {
    ...places(scope.split('/').slice(1)),
    id,
    key: id.toLowerCase(),
    provider,
    type: [provider, ...rest.filter((_, i) => i % 2 === 0)].join('/'),
    names,
    name: names.at(-1) ?? '',
    scope,
  };
  if (names.length > 1) parsed.parent = `${scope}/providers/${provider}/${rest.slice(0, -2).join('/')}`;
  return parsed;
}

function places(segments: string[]): { subscriptionId?: string; resourceGroup?: string } {
  const found: { subscriptionId?: string; resourceGroup?: string } = {};
  if (segments[0]?.toLowerCase() === 'subscriptions' && segments[1]) found.subscriptionId = segments[1];
  if (segments[2]?.toLowerCase() === 'resourcegroups' && segments[3]) found.resourceGroup = segments[3];
  return found;
}

function join(segments: string[]): string {
  return segments.length === 0 ? '' : `/${segments.join('/')}`;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // A stray '%' is part of the name: Azure, too, then finds no such resource.
  }
}
