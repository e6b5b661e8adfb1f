/** Compares a workspace with what it was in the other region, field by field. Answers what differs, one line each. */
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { differing, isObject, moved, words, without, type Expect } from './expected.ts';
import type { Held, Seen, SeenBlob } from './look.ts';

/** Filled in by Azure, each workspace on its own account. */
const azuresOwn = ['provisioningState', 'scoringUri', 'swaggerUri', 'subscriptionId', 'resourceGroup'];
const around = ['tags', 'sku', 'kind'] as const;

export interface Judged {
  before: Seen;
  after: Seen;
  expect: Expect;
}

export function judgeAssets({ before, after, expect }: Judged, notCarried: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const [key, asset] of before.assets) {
    const held = after.assets.get(key);
    if (notCarried.has(key)) {
      if (held) found.push(`${key}: was not to be carried, and is there`);
      continue;
    }
    const wanted = moved(without(asset.properties, azuresOwn), expect, words);
    found.push(...compare(key, wanted, held));
  }
  for (const key of after.assets.keys()) if (!before.assets.has(key)) found.push(`${key}: nobody made it`);
  for (const [key, versions] of before.versions) {
    const wanted = versions.filter((version) => !notCarried.has(`${key}/${version}`));
    found.push(...differing(wanted, after.versions.get(key) ?? [], `${key}: versions, newest first`));
  }
  return found;
}

function compare(key: string, wanted: Json, held: Held | undefined, but: readonly string[] = []): string[] {
  if (!held) return [`${key}: missing`];
  const skipped = [...azuresOwn, ...but];
  return differing(isObject(wanted) ? without(wanted, but) : wanted, without(held.properties, skipped)).map(
    (line) => `${key}: ${line}`,
  );
}

export function judgeConnections({ before, after, expect }: Judged): string[] {
  return [...before.connections].flatMap(([name, { properties }]) => [
    ...compare(`connection ${name}`, moved(without(properties, azuresOwn), expect, words), after.connections.get(name)),
    ...differing(
      before.secrets.get(`connection ${name}`) as Json,
      after.secrets.get(`connection ${name}`) as Json,
      `secrets of connection ${name}`,
    ),
  ]);
}

export function judgeSchedules({ before, after, expect }: Judged): string[] {
  return [...before.schedules].flatMap(([name, { properties }]) =>
    compare(`schedule ${name}`, moved(without(properties, azuresOwn), expect, words), after.schedules.get(name)),
  );
}

export function judgeEndpoints({ before, after, expect }: Judged): string[] {
  const one = (kind: 'endpoints' | 'deployments') =>
    [...before[kind]].flatMap(([name, source]) => {
      const held = after[kind].get(name);
      const key = `${kind} ${name}`;
      return [
        ...compare(key, moved(without(source.properties, azuresOwn), expect, words), held),
        ...around.flatMap((field) => differing(source[field] as Json, held?.[field] as Json, `${key}: ${field}`)),
      ];
    });
  return [...one('endpoints'), ...one('deployments')];
}

/** State of a cluster, and what depends on the region. */
const ofTheCluster = [
  'allocationState',
  'allocationStateTransitionTime',
  'errors',
  'currentNodeCount',
  'targetNodeCount',
  'nodeStateCounts',
];
const ofTheCompute = ['createdOn', 'modifiedOn', 'computeLocation', 'provisioningErrors', 'resourceId'];

export function judgeComputes({ before, after }: Judged): string[] {
  const clusters = [...before.computes].filter(([, { properties }]) => properties.computeType === 'AmlCompute');
  return clusters.flatMap(([name, source]) => {
    const held = after.computes.get(name);
    const bare = ({ properties }: Held) => ({
      ...without(properties, [...azuresOwn, ...ofTheCompute]),
      properties: without(properties.properties as JsonObject, ofTheCluster),
    });
    if (!held) return [`compute ${name}: missing`];
    return [
      ...differing(bare(source), bare(held), `compute ${name}`),
      ...differing(source.tags as Json, held.tags as Json, `compute ${name}: tags`),
    ];
  });
}

/** `expect` gives each datastore that is carried the place it must have; those it does not know are not carried. */
export function judgeDatastores({ before, after }: Judged, places: Record<string, JsonObject | undefined>): string[] {
  const found: string[] = [];
  for (const [name, { properties }] of before.datastores) {
    if (name.startsWith('workspace')) continue;
    const place = places[name];
    const held = after.datastores.get(name);
    if (place) {
      const wanted = { ...without(properties, [...azuresOwn, 'credentials']), ...place };
      found.push(...compare(`datastore ${name}`, wanted, held, 'credentials' in place ? [] : ['credentials']));
    } else if (held) found.push(`datastore ${name}: was not to be carried, and is there`);
  }
  return found;
}

/** Blobs that must be there, by `container/path` of the target; nothing else may be in these containers. */
export function judgeBlobs(wanted: ReadonlyMap<string, SeenBlob>, held: ReadonlyMap<string, SeenBlob>): string[] {
  const found: string[] = [];
  for (const [key, blob] of wanted) {
    const there = held.get(key);
    if (!there) found.push(`blob ${key}: missing`);
    else
      found.push(
        ...differing(
          {
            sha256: blob.sha256,
            size: blob.sizeBytes,
            headers: blob.headers as JsonObject,
            metadata: blob.metadata,
          },
          {
            sha256: there.sha256,
            size: there.sizeBytes,
            headers: there.headers as JsonObject,
            metadata: there.metadata,
          },
          `blob ${key}`,
        ),
      );
  }
  for (const key of held.keys()) if (!wanted.has(key)) found.push(`blob ${key}: nobody carried it there on purpose`);
  return found;
}
