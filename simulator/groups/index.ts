/**
 * Microsoft.Resources: resource groups, tags, the list of all resources, subscriptions, tenants and the list of
 * providers.
 */

import type { Directory, Subscription } from '../entra/directory.ts';
import { requireTags } from '../resource/body-shape.ts';
import { notFound } from '../resource/refusals.ts';
import { isObject } from '../resource/fields.ts';
import { parseFilter } from '../resource/filter.ts';
import { parseResourceId } from '../resource/ids.ts';
import { page, parameter } from '../http/paging.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type JsonObject,
  type Provider,
  type Resource,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { displayName } from '../resource/regions.ts';
import { templateHash } from '../template/index.ts';
import { exportGroup, requireExport } from './export-template.ts';
import { routeProviders } from './providers.ts';
import { refuseOnResources } from './published.ts';
import { tags } from './tags.ts';
import { DEPLOYMENT, row } from '../resource/table.ts';

type RouteRequest = Parameters<NonNullable<Provider['route']>>[0];
type RouteAnswer = Awaited<ReturnType<NonNullable<Provider['route']>>>;

const GROUP = 'Microsoft.Resources/resourceGroups';
const LONGEST_GROUP_NAME = 90;
/** They have a location, and are no resources of a list. */
const NOT_LISTED = new Set([GROUP, DEPLOYMENT]);
/** Generic lists come in larger pages than a provider's own, but still in pages. */
const PAGE = 50;

const groups: ResourceType = row(GROUP, {
  region: 'own',
  longRunning: { delete: 3000 },
  provisioningState: true,
  beforePut(call, next) {
    requireGroupName(call.id.name);
    next.resource.properties = {};
    // A PATCH of a group takes all its tags for those that it names; elsewhere they are merged.
    if (call.verb === 'patch' && isObject(call.body.tags)) {
      requireTags(call.body.tags);
      next.resource.tags = { ...call.body.tags };
    }
    requireSameLocation(call, next);
  },
  deleteMissing({ id }) {
    throw notFound(id);
  },
  show: withoutSystemData,
  list: filtered,
  actions: {
    exporttemplate(call) {
      requireExport(call);
      return { longRunning: { milliseconds: 1000, finish: () => exportGroup(call) } };
    },
  },
});

/** Throws ArmError 400 `InvalidResourceGroup`; a GET of such a name finds nothing. */
function requireGroupName(name: string): void {
  const wrong = [...new Set(name.match(/[^-\w.()]/gu) ?? [])].join('');
  if (wrong !== '')
    throw badGroupName(
      `The provided resource group name '${name}' has these invalid characters: '${wrong}'. The name can only be a letter, digit, '-', '.', '(', ')' or '_'.`,
    );
  if (name.length > LONGEST_GROUP_NAME)
    throw badGroupName(
      `The provided resource group name '${name}' has ${name.length} characters: expected at most ${LONGEST_GROUP_NAME}.`,
    );
  if (name.endsWith('.'))
    throw badGroupName(`The provided resource group name '${name}' ends in a '.', which it must not.`);
}

function badGroupName(message: string): ArmError {
  return new ArmError(400, 'InvalidResourceGroup', message);
}

/** ARM's own types show nobody who made them. */
export function withoutSystemData(_cloud: Cloud, { resource }: Stored): Resource {
  const shown = { ...resource };
  delete shown.systemData;
  return shown;
}

/** A PUT that moves a group is refused before a provider sees it; this is for PATCH. */
function requireSameLocation({ existing }: Call, { resource }: Stored): void {
  if (existing && regionOf(resource.location) !== regionOf(existing.resource.location))
    throw new ArmError(
      409,
      'InvalidResourceGroupLocation',
      `Invalid resource group location '${resource.location ?? ''}'. The Resource group already exists in location '${existing.resource.location ?? ''}'.`,
      { target: 'location' },
    );
}

function regionOf(location: string | undefined): string | undefined {
  return location?.toLowerCase().replaceAll(' ', '');
}

/**
 * The provider; `all` gives every provider of the cloud, for the list that clients read api-versions and locations
 * from.
 */
export function resources(directory: Directory, all: () => readonly Provider[]): Provider {
  return {
    namespace: 'Microsoft.Resources',
    types: [groups, tags],
    refuses: refuseOnResources,
    route: (request) => Promise.resolve(route(directory, all, request)),
  };
}

function route(directory: Directory, all: () => readonly Provider[], request: RouteRequest): RouteAnswer {
  const { cloud, method, path } = request;
  const segments = path.split('/').slice(1);
  const shape = segments.map((segment, i) => (i === 1 || i === 3 ? '*' : segment.toLowerCase())).join('/');
  if (/^\/tenants$/i.test(path) && method === 'GET') {
    return {
      status: 200,
      body: {
        value: [
          {
            id: `/tenants/${cloud.tenantId}`,
            tenantId: cloud.tenantId,
            displayName: 'Local Azure',
            tenantCategory: 'Home',
          },
        ],
      },
    };
  }
  if (/^\/subscriptions$/i.test(path) && method === 'GET') {
    return { status: 200, body: { value: directory.subscriptions().map((one) => describe(cloud, one)) } };
  }
  if (/^\/providers\/Microsoft\.Resources\/operations$/i.test(path) && method === 'GET')
    return { status: 200, body: { value: operationsOf(all()) } };
  if (/^\/providers\/Microsoft\.Resources\/calculateTemplateHash$/i.test(path) && method === 'POST')
    return { status: 200, body: hashed(request.body) };
  const subscription =
    segments[0]?.toLowerCase() === 'subscriptions' ? directory.subscription(segments[1] ?? '') : undefined;
  if (subscription || segments[0]?.toLowerCase() === 'providers') {
    const answer = routeProviders(request, all());
    if (answer) return answer;
  }
  if (!subscription) return undefined;
  if (shape === 'subscriptions/*' && method === 'GET') return { status: 200, body: describe(cloud, subscription) };
  if (shape === 'subscriptions/*/locations' && method === 'GET')
    return { status: 200, body: { value: locations(cloud, subscription) } };
  if (shape === 'subscriptions/*/resources' && method === 'GET')
    return listAll(request, `/subscriptions/${subscription.subscriptionId}`);
  if (shape === 'subscriptions/*/resourcegroups/*/resources' && method === 'GET') return listGroup(request, segments);
  return undefined;
}

function listGroup(request: RouteRequest, segments: string[]): RouteAnswer {
  const id = `/subscriptions/${segments[1]}/resourceGroups/${decodeURIComponent(segments[3] ?? '')}`;
  if (!request.cloud.store.get(id)) {
    throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${segments[3]}' could not be found.`);
  }
  return listAll(request, id);
}

/** ARM's own index of tracked resources: it answers whatever regions are dark. */
function listAll({ cloud, path, query }: RouteRequest, scope: string): RouteAnswer {
  const filter = parameter(query, '$filter');
  const matches = filter ? parseFilter(filter) : (): boolean => true;
  const expand = (parameter(query, '$expand') ?? '').toLowerCase();
  const below = `${scope.toLowerCase()}/`;
  const tracked = cloud
    .asListed(cloud.store.below(scope), ({ resource }) => resource.id.toLowerCase().startsWith(below))
    .filter(({ resource }) => resource.location !== undefined && !NOT_LISTED.has(resource.type))
    .filter(matches)
    .sort((a, b) => a.createdAt - b.createdAt);
  const { items, nextLink } = page(cloud.armEndpoint, { path, query }, tracked, PAGE);
  const value = items.map((stored) => brief(stored, expand));
  return { status: 200, body: nextLink === undefined ? { value } : { value, nextLink } };
}

function brief({ resource, createdAt, changedAt }: Stored, expand: string): JsonObject {
  // A nested resource has its whole name here, as nowhere else: 'workspace/endpoint'.
  const name = parseResourceId(resource.id)?.names.join('/') ?? resource.name;
  const shown: JsonObject = { id: resource.id, name, type: resource.type };
  for (const field of [
    'location',
    'tags',
    'kind',
    'sku',
    'identity',
    'plan',
    'managedBy',
    'zones',
    'extendedLocation',
  ]) {
    const value = resource[field];
    if (value !== undefined) shown[field] = value;
  }
  if (expand.includes('createdtime')) shown.createdTime = new Date(createdAt).toISOString();
  if (expand.includes('changedtime')) shown.changedTime = new Date(changedAt).toISOString();
  if (expand.includes('provisioningstate'))
    shown.provisioningState = resource.properties.provisioningState ?? 'Succeeded';
  return shown;
}

function filtered({ query }: Call, entries: Stored[]): Stored[] {
  const filter = parameter(query, '$filter');
  return filter ? entries.filter(parseFilter(filter)) : entries;
}

function describe(cloud: Cloud, { subscriptionId, displayName }: Subscription): JsonObject {
  return {
    id: `/subscriptions/${subscriptionId}`,
    authorizationSource: 'RoleBased',
    managedByTenants: [],
    subscriptionId,
    tenantId: cloud.tenantId,
    displayName,
    state: 'Enabled',
    subscriptionPolicies: {
      locationPlacementId: 'Public_2014-09-01',
      quotaId: 'PayAsYouGo_2014-09-01',
      spendingLimit: 'Off',
    },
  };
}

function locations(cloud: Cloud, { subscriptionId }: Subscription): JsonObject[] {
  return cloud.regions.map((name) => ({
    id: `/subscriptions/${subscriptionId}/locations/${name}`,
    name,
    type: 'Region',
    displayName: displayName(name),
    regionalDisplayName: displayName(name),
    metadata: {
      regionType: 'Physical',
      regionCategory: 'Recommended',
      geography: 'Local',
      physicalLocation: 'localhost',
    },
  }));
}

/** What may be done in this namespace, as a list of operations that roles can name. */
function operationsOf(providers: readonly Provider[]): JsonObject[] {
  const types = providers
    .flatMap((provider) => provider.types)
    .filter(({ type }) => type.startsWith('Microsoft.Resources/'));
  return types.flatMap(({ type }) =>
    ['read', 'write', 'delete'].map((verb) => ({
      name: `${type}/${verb}`,
      display: {
        provider: 'Microsoft Resources',
        resource: type.slice(type.indexOf('/') + 1),
        operation: verb,
        description: `${verb} ${type}`,
      },
    })),
  );
}

/** The template without what stands between its members, and its hash. */
function hashed(template: JsonObject): JsonObject {
  return { minifiedTemplate: JSON.stringify(template), templateHash: templateHash(template) };
}
