/**
 * Microsoft.ResourceHealth: what Azure says of a resource from outside its region, so that it is answered while the
 * region is dark. The state is read from the faults that are there now; since when it has been so is remembered as it
 * changes.
 */

import type { Disturbance, Faults } from '../faults/faults.ts';
import type { Part } from '../faults/parts.ts';
import { parseFilter } from '../resource/filter.ts';
import { textOf } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import { notFound } from '../resource/refusals.ts';
import { parameter } from '../http/paging.ts';
import { ArmError, type Cloud, type JsonObject, type Provider, type Stored } from '../contract/index.ts';
import { routeEvents, type Course } from './service-issues.ts';

type State = 'Available' | 'Unavailable' | 'Degraded' | 'Unknown';

const NAMESPACE = 'Microsoft.ResourceHealth';
const TYPE = `${NAMESPACE}/AvailabilityStatuses`;
const OBSERVED = `${NAMESPACE}/observations`;
/** How many changes of state are remembered of each service in each region. */
const KEPT = 50;

/** The types whose health Azure tells, and the parts of a region that they live by. */
const WATCHED: Record<string, readonly Part[]> = {
  'microsoft.machinelearningservices/workspaces': ['ml'],
  'microsoft.machinelearningservices/workspaces/onlineendpoints': ['ml'],
  'microsoft.storage/storageaccounts': ['storage', 'blob'],
  'microsoft.keyvault/vaults': ['keyvault'],
  'microsoft.containerregistry/registries': [],
};

/** What Azure calls the services that the subscription is told of. */
const SERVICES: Record<string, string> = {
  'microsoft.machinelearningservices/workspaces': 'Machine Learning',
  'microsoft.storage/storageaccounts': 'Storage',
  'microsoft.keyvault/vaults': 'Key Vault',
  'microsoft.containerregistry/registries': 'Container Registry',
};

const PATH = /^(.*)\/providers\/Microsoft\.ResourceHealth\/availabilityStatuses(?:\/([^/]+))?$/i;

export function resourceHealth(faults: Faults): Provider {
  return {
    namespace: NAMESPACE,
    types: [],
    start(cloud) {
      cloud.onOutage((region) => {
        for (const parts of Object.values(WATCHED)) observe(cloud, faults, region, parts);
      });
    },
    route({ cloud, method, path, query }) {
      if (method !== 'GET') return Promise.resolve(undefined);
      const match = PATH.exec(path);
      if (!match)
        return Promise.resolve(
          routeEvents(cloud, path, query, (subscription) => coursesOf(cloud, faults, subscription)),
        );
      const [, scope = '', name] = match;
      const isContainer = /^\/subscriptions\/[^/]+(\/resourcegroups\/[^/]+)?$/i.test(scope);
      if (isContainer && name === undefined)
        return Promise.resolve({ status: 200, body: { value: listBelow(cloud, faults, scope, query) } });
      const stored = requireResource(cloud, scope);
      const statuses = history(cloud, faults, stored);
      if (name === undefined) return Promise.resolve({ status: 200, body: { value: statuses } });
      const found = statuses.find((one) => textOf(one.name).toLowerCase() === name.toLowerCase());
      if (!found) throw new ArmError(404, 'NotFound', `There is no availability status '${name}' of '${scope}'.`);
      return Promise.resolve({ status: 200, body: found });
    },
  };
}

/** What every watched service went through, in each region where the subscription has something of it. */
function coursesOf(cloud: Cloud, faults: Faults, subscriptionId: string): Course[] {
  const used = new Map<string, Course>();
  for (const { resource, region } of cloud.store.below(`/subscriptions/${subscriptionId}`)) {
    const service = SERVICES[resource.type.toLowerCase()];
    const parts = WATCHED[resource.type.toLowerCase()];
    const key = `${region}|${service}`;
    if (!service || !parts || region === null || used.has(key)) continue;
    used.set(key, { region, service, changes: observe(cloud, faults, region, parts) });
  }
  return Array.from(used.values());
}

function requireResource(cloud: Cloud, id: string): Stored {
  const parsed = parseResourceId(id);
  if (!parsed || parsed.names.length > 2)
    throw new ArmError(
      400,
      'UnsupportedResourceType',
      `The health of '${id}' is not told: expected the id of a resource, at most one level below another.`,
    );
  const stored = cloud.store.get(id);
  if (!stored) throw notFound(parsed);
  return stored;
}

/** The state now of every watched resource in a group or a subscription. */
function listBelow(cloud: Cloud, faults: Faults, scope: string, query: URLSearchParams): JsonObject[] {
  const filter = parameter(query, '$filter');
  const matches = filter ? parseFilter(filter) : (): boolean => true;
  return cloud.store
    .below(scope)
    .filter(({ resource }) => WATCHED[resource.type.toLowerCase()] !== undefined)
    .filter(matches)
    .flatMap((stored) => history(cloud, faults, stored).slice(0, 1));
}

/** The state now, named 'current', then those before it since the resource was made, the newest first. */
function history(cloud: Cloud, faults: Faults, stored: Stored): JsonObject[] {
  const parts = WATCHED[stored.resource.type.toLowerCase()];
  if (!parts || stored.region === null)
    return [shown(cloud, stored, 'current', { state: 'Unknown', since: stored.createdAt })];
  const changes = observe(cloud, faults, stored.region, parts);
  const own = changes.filter(({ since }, i) => {
    const until = changes[i + 1]?.since ?? Infinity;
    return until > stored.createdAt && since <= cloud.clock.now();
  });
  return own.toReversed().map((change, i) =>
    shown(cloud, stored, i === 0 ? 'current' : new Date(change.since).toISOString(), {
      ...change,
      since: Math.max(change.since, stored.createdAt),
    }),
  );
}

interface Change {
  state: State;
  /** Milliseconds on the cloud's clock. */
  since: number;
}

/** What was seen of a service in a region so far, the oldest first, with what is so now. */
function observe(cloud: Cloud, faults: Faults, region: string, parts: readonly Part[]): Change[] {
  const id = `/providers/${OBSERVED}/${region}|${parts.join('+')}`;
  const before = cloud.store.get(id);
  const seen = (before?.resource.properties.changes ?? []) as unknown as Change[];
  const state = stateOf(faults, region, parts);
  if (seen.at(-1)?.state === state) return seen;
  const now = cloud.clock.now();
  const changes = [...seen, { state, since: seen.length === 0 && state === 'Available' ? 0 : now }];
  const kept = changes.slice(-KEPT);
  const properties: JsonObject = { changes: kept.map((change) => ({ ...change })) };
  const resource = { id, name: id.slice(id.lastIndexOf('/') + 1), type: OBSERVED, properties };
  cloud.store.put({ resource, hidden: {}, etag: '', region, createdAt: now, changedAt: now });
  return kept;
}

function stateOf(faults: Faults, region: string, parts: readonly Part[]): State {
  if (faults.modeOf(region, parts) !== 'none') return 'Unavailable';
  // The service itself may serve, but it cannot be asked how it is.
  if (faults.modeOf(region, ['arm']) !== 'none') return 'Unknown';
  const isOut = faults
    .outagesOf(region)
    .some(({ parts: out }) => out === undefined || parts.some((part) => out.includes(part)));
  const disturbed = [faults.of(region), ...faults.disturbancesOf(region)].some(isHarmful);
  return isOut || disturbed ? 'Degraded' : 'Available';
}

function isHarmful({ throttle, errorRate, latencyMs, jitterMs, lostAnswerRate }: Disturbance): boolean {
  const rates = [errorRate, latencyMs, jitterMs, lostAnswerRate];
  return throttle !== undefined || rates.some((rate) => rate !== undefined && rate > 0);
}

const SUMMARIES: Record<State, string> = {
  Available: "There aren't any known Azure platform problems affecting this resource.",
  Unavailable:
    "We're sorry, your resource is unavailable: the service does not answer in its region. We are working on it.",
  Degraded:
    'Your resource is degraded: its service answers in its region, but not all requests, or not as fast as it should.',
  Unknown: 'We are currently unable to determine the health of this resource.',
};

function shown(cloud: Cloud, { resource, region }: Stored, name: string, { state, since }: Change): JsonObject {
  const isPlatform = state === 'Unavailable' || state === 'Degraded';
  const properties: JsonObject = {
    availabilityState: state,
    title: state,
    summary: SUMMARIES[state],
    reasonType: isPlatform ? 'Unplanned' : '',
    reasonChronicity: isPlatform ? 'Persistent' : 'Transient',
    category: isPlatform ? 'Unplanned' : '',
    context: isPlatform ? 'Platform Initiated' : '',
    // Azure's own spelling.
    occuredTime: new Date(since).toISOString(),
    reportedTime: new Date(cloud.clock.now()).toISOString(),
  };
  return {
    id: `${resource.id}/providers/${TYPE}/${name}`,
    name,
    type: TYPE,
    location: region ?? 'global',
    properties,
  };
}
