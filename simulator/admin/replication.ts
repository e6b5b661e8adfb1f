/** The admin API's calls for geo-redundant storage: how far the secondaries are behind. */

import type { GeoReplicas } from '../blobs/geo-replication.ts';
import type { Answer } from '../http/answer.ts';
import { ArmError, type Cloud, type JsonObject } from '../contract/index.ts';
import { findAccount } from '../storage/places.ts';
import { numberField, requireKnown } from './bodies.ts';

interface Parts {
  cloud: Cloud;
  geo: GeoReplicas;
}

const done: Answer = { status: 204 };

/** `{ "lagSeconds": 60 }` for every geo-redundant account whose primary is in the region; null: none. */
export async function setRegionLag({ cloud, geo }: Parts, body: JsonObject, region: string): Promise<Answer> {
  if (!cloud.regions.includes(region))
    throw new ArmError(404, 'NotFound', `no region '${region}': expected ${cloud.regions.join(', ')}`);
  await geo.setRegionLag(region, lagOf(body));
  return done;
}

/** The same for one account, whatever its region's lag. */
export async function setAccountLag({ cloud, geo }: Parts, body: JsonObject, name: string): Promise<Answer> {
  const account = findAccount(cloud, name);
  if (!account) throw new ArmError(404, 'NotFound', `no storage account '${name}'`);
  await geo.setAccountLag(account, lagOf(body));
  return done;
}

function lagOf(body: JsonObject): number | undefined {
  requireKnown(body, ['lagSeconds']);
  if (body.lagSeconds === null) return undefined;
  const seconds = numberField(body, 'lagSeconds');
  if (seconds === undefined)
    throw new ArmError(400, 'BadRequest', "'lagSeconds': expected a number from 0 on, or null, got nothing");
  return seconds * 1000;
}
