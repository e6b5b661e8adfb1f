/**
 * The service issues that Microsoft.ResourceHealth tells a subscription of: one for each time that a service, in a
 * region where the subscription has something of it, did not answer, or not as it should.
 */

import { createHash } from 'node:crypto';
import { parameter } from '../http/paging.ts';
import { ArmError, type Cloud, type JsonObject } from '../contract/index.ts';
import { displayName } from '../resource/regions.ts';

const TYPE = 'Microsoft.ResourceHealth/events';
const PATH = /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.ResourceHealth\/events(?:\/([^/]+))?$/i;

/** What a service in a region went through, the oldest first. */
export interface Course {
  region: string;
  /** As Azure names the service: 'Machine Learning'. */
  service: string;
  changes: { state: 'Available' | 'Unavailable' | 'Degraded' | 'Unknown'; since: number }[];
}

/** Answers the list of events, or one of them; undefined for any other path. Throws ArmError 400 and 404. */
export function routeEvents(
  cloud: Cloud,
  path: string,
  query: URLSearchParams,
  coursesOf: (subscriptionId: string) => Course[],
): { status: number; body: JsonObject } | undefined {
  const [, subscriptionId, trackingId] = PATH.exec(path) ?? [];
  if (subscriptionId === undefined) return undefined;
  const all = coursesOf(subscriptionId).flatMap((course) => eventsOf(cloud, subscriptionId, course));
  if (trackingId === undefined) return { status: 200, body: { value: all.filter(asked(query)) } };
  const found = all.find(({ name }) => name === trackingId.toUpperCase());
  if (!found) throw new ArmError(404, 'NotFound', `There is no event '${trackingId}'.`);
  return { status: 200, body: found };
}

type Event = JsonObject & { name: string; properties: JsonObject & { lastUpdateTime: string } };

function eventsOf(cloud: Cloud, subscriptionId: string, { region, service, changes }: Course): Event[] {
  return changes.flatMap(({ state, since }, i) => {
    if (state !== 'Unavailable' && state !== 'Degraded') return [];
    const until = changes[i + 1]?.since;
    const name = trackingIdOf(`${region}|${service}|${since}`);
    const status = until === undefined ? 'Active' : 'Resolved';
    const what = state === 'Unavailable' ? 'is unavailable' : 'is degraded';
    const lastUpdateTime = new Date(until ?? cloud.clock.now()).toISOString();
    const impactedRegion = {
      impactedRegion: displayName(region),
      status,
      impactedSubscriptions: [subscriptionId],
      lastUpdateTime,
    };
    const properties = {
      eventType: 'ServiceIssue',
      eventSource: 'ServiceHealth',
      status,
      title: `${service} ${what} in ${displayName(region)}`,
      summary: `Customers using ${service} in ${displayName(region)} may find that it ${what}.`,
      level: state === 'Unavailable' ? 'Critical' : 'Warning',
      eventLevel: state === 'Unavailable' ? 'Error' : 'Warning',
      isHIR: false,
      priority: state === 'Unavailable' ? 1 : 2,
      impactStartTime: new Date(since).toISOString(),
      ...(until === undefined ? {} : { impactMitigationTime: new Date(until).toISOString() }),
      lastUpdateTime,
      impact: [{ impactedService: service, impactedRegions: [impactedRegion] }],
    };
    return [{ id: `/subscriptions/${subscriptionId}/providers/${TYPE}/${name}`, name, type: TYPE, properties }];
  });
}

/** `queryStartTime`, and comparisons of `eventType` and `status` joined by `and`, as Azure takes them. */
function asked(query: URLSearchParams): (event: Event) => boolean {
  const start = parameter(query, 'querystarttime');
  const from = start === undefined ? -Infinity : Date.parse(start);
  if (Number.isNaN(from)) throw new ArmError(400, 'BadRequest', `queryStartTime: expected a date, got '${start}'.`);
  const filter = parameter(query, '$filter')?.trim() ?? '';
  const terms = filter === '' ? [] : filter.split(/\s+and\s+/i).map((term) => termOf(term, filter));
  return ({ properties }) =>
    Date.parse(properties.lastUpdateTime) >= from && terms.every(({ field, value }) => properties[field] === value);
}

function termOf(term: string, filter: string): { field: string; value: string } {
  const match = /^(?:properties\/)?(eventType|status)\s+eq\s+'?(\w+)'?$/i.exec(term.trim());
  if (!match)
    throw new ArmError(
      400,
      'InvalidFilter',
      `The filter '${filter}' is not supported: '${term}'. Use eventType and status with eq, joined by 'and'.`,
    );
  const [, field = '', value = ''] = match;
  return { field: field.toLowerCase() === 'status' ? 'status' : 'eventType', value };
}

/** In the shape of Azure's: 'AB12-C3D'. */
function trackingIdOf(text: string): string {
  const letters = createHash('sha256').update(text).digest('hex').toUpperCase();
  return `${letters.slice(0, 4)}-${letters.slice(4, 7)}`;
}
