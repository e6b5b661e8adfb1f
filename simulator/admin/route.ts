/** What every call of the admin API is made of. */

import type { GeoReplicas } from '../blobs/geo-replication.ts';
import type { Chaos } from '../chaos/chaos.ts';
import type { CloudClock } from '../clock/clock.ts';
import type { Directory } from '../entra/directory.ts';
import type { TokenService } from '../entra/tokens.ts';
import type { Faults } from '../faults/faults.ts';
import type { Answer } from '../http/answer.ts';
import type { RequestLog } from '../http/request-log.ts';
import type { Cloud, JsonObject } from '../contract/index.ts';

export interface AdminParts {
  cloud: Cloud;
  clock: CloudClock;
  faults: Faults;
  chaos: Chaos;
  geo: GeoReplicas;
  directory: Directory;
  requests: RequestLog;
  tokens: TokenService;
  address: () => object;
}

export type Route = (
  parts: AdminParts,
  body: JsonObject,
  query: URLSearchParams,
  ...names: string[]
) => Answer | Promise<Answer>;

export const done: Answer = { status: 204 };
