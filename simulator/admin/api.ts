/** The admin API: plain HTTP on 127.0.0.1, for tests, demos and `chaos`. The product never speaks it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { GLOBAL } from '../faults/faults.ts';
import { errorBody, objectBody, type Answer } from '../http/answer.ts';
import { parseJson, readBody, send } from '../http/body.ts';
import { requestUrl, unreadableUrl } from '../http/request-url.ts';
import { ArmError, type Cloud, type Json, type JsonObject } from '../contract/index.ts';
import { setQuota } from '../machinelearning/index.ts';
import { setAccountLag, setRegionLag } from './replication.ts';
import { addPrincipal, addSubscription, delayRoles, removePrincipal } from './principals.ts';
import { done, type AdminParts, type Route } from './route.ts';
import { numberField, readFaults, readOutage } from './bodies.ts';
import { requireNoBrowser } from './browsers.ts';
import { CHAOS_ROUTES, showRunning } from './chaos-calls.ts';

/** Method and path (a regular expression; its groups are the names) of every call. */
const ROUTES: readonly [string, RegExp, Route][] = [
  ...CHAOS_ROUTES,
  ['GET', /^\/health$/, () => ({ status: 200, body: { status: 'ok' } })],
  ['GET', /^\/cloud$/, ({ address }) => ({ status: 200, body: address() as Json })],
  ['GET', /^\/state$/, state],
  [
    'GET',
    /^\/requests$/,
    ({ requests }, _body, query) => ({
      status: 200,
      body: { value: requests.since(readSince(query)) as unknown as Json },
    }),
  ],
  ['POST', /^\/clock$/, driveClock],
  ['POST', /^\/tokens$/, setTokenLifetime],
  ['POST', /^\/regions\/([^/]+)\/outage$/, setOutage],
  ['POST', /^\/regions\/([^/]+)\/faults$/, setFaults],
  ['POST', /^\/regions\/([^/]+)\/quota$/, setRegionQuota],
  [
    'POST',
    /^\/regions\/([^/]+)\/replication$/,
    (parts, body, _query, region = '') => setRegionLag(parts, body, region),
  ],
  ['POST', /^\/accounts\/([^/]+)\/replication$/, (parts, body, _query, name = '') => setAccountLag(parts, body, name)],
  ['DELETE', /^\/faults$/, clearFaults],
  ['POST', /^\/subscriptions$/, addSubscription],
  ['POST', /^\/roles$/, delayRoles],
  ['POST', /^\/principals$/, addPrincipal],
  ['DELETE', /^\/principals\/([^/]+)$/, (parts, _body, _query, clientId = '') => removePrincipal(parts, clientId)],
];

export class AdminApi {
  private readonly parts: AdminParts;

  constructor(parts: AdminParts) {
    this.parts = parts;
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = requestUrl('http://127.0.0.1', message);
    const url = known ?? new URL('http://127.0.0.1');
    let answer: Answer;
    try {
      if (!known) throw unreadableUrl();
      answer = await this.answer(message, url);
    } catch (error) {
      if (message.destroyed && !message.complete) return; // The client left in the middle of its request.
      if (!(error instanceof ArmError)) this.parts.cloud.log(`admin ${url.pathname}: ${String(error)}`);
      const shown = error instanceof ArmError ? error : new ArmError(500, 'InternalServerError', String(error));
      answer = { status: shown.status, body: errorBody(shown) };
    }
    send(response, answer.status, answer.headers ?? {}, answer.body);
  }

  private async answer(message: IncomingMessage, url: URL): Promise<Answer> {
    requireNoBrowser(message.headers);
    const parsed = parseJson(await readBody(message));
    const body = parsed === undefined ? {} : objectBody(parsed);
    const ofPath = ROUTES.filter(([, pattern]) => pattern.test(url.pathname));
    const route = ofPath.find(([method]) => method === message.method);
    if (!route) {
      if (ofPath.length === 0)
        throw new ArmError(404, 'NotFound', `The admin API has no '${url.pathname}'. See simulator/README.md.`);
      throw new ArmError(
        405,
        'MethodNotAllowed',
        `'${url.pathname}' takes ${ofPath.map(([method]) => method).join(', ')}, not ${message.method}.`,
      );
    }
    const names = (route[1].exec(url.pathname) ?? []).slice(1);
    return route[2](this.parts, body, url.searchParams, ...names);
  }
}

function readSince(query: URLSearchParams): number {
  const text = query.get('since') ?? '0';
  if (/^\d+$/.test(text)) return Number(text);
  throw new ArmError(400, 'BadRequest', `'since': expected the number of a request, from 0 on, got "${text}"`);
}

function state({ chaos, cloud, clock, faults, directory }: AdminParts): Answer {
  const regions = Object.fromEntries(
    cloud.regions.map((region) => [region, { outage: plain(faults.outage(region)), faults: plain(faults.of(region)) }]),
  );
  const subscriptions = directory.subscriptions().map((subscription) => ({ ...subscription }));
  const counts: Record<string, number> = {};
  for (const { subscriptionId } of subscriptions) {
    for (const { resource } of cloud.store.below(`/subscriptions/${subscriptionId}`))
      counts[resource.type] = (counts[resource.type] ?? 0) + 1;
  }
  return {
    status: 200,
    body: {
      clock: { now: new Date(clock.now()).toISOString(), speed: clock.speed },
      regions,
      global: { faults: plain(faults.of(GLOBAL)) },
      chaos: chaos.running().map(showRunning),
      subscriptions,
      principals: directory
        .allPrincipals()
        .map(({ displayName, clientId, objectId }) => ({ displayName, clientId, objectId })),
      resources: counts,
    },
  };
}

/** What was read from JSON and is plain JSON again. */
function plain(value: object): Json {
  return structuredClone(value) as Json;
}

function driveClock({ clock }: AdminParts, body: JsonObject): Answer {
  const seconds = numberField(body, 'advanceSeconds');
  const speed = numberField(body, 'speed', 1e5);
  if (seconds === undefined && speed === undefined)
    throw new ArmError(400, 'BadRequest', "expected 'advanceSeconds' or 'speed' (0: stop the clock)");
  if (speed !== undefined) clock.setSpeed(speed);
  if (seconds !== undefined) clock.advance(seconds * 1000);
  return { status: 200, body: { now: new Date(clock.now()).toISOString(), speed: clock.speed } };
}

function setTokenLifetime({ tokens }: AdminParts, body: JsonObject): Answer {
  const seconds = numberField(body, 'lifetimeSeconds');
  if (seconds === undefined || seconds < 1)
    throw new ArmError(400, 'BadRequest', "'lifetimeSeconds': expected a number from 1 on");
  tokens.lifetimeSeconds = Math.floor(seconds);
  return done;
}

async function setOutage(
  { cloud, faults }: AdminParts,
  body: JsonObject,
  _query: URLSearchParams,
  region = '',
): Promise<Answer> {
  requireRegion(cloud, region);
  await faults.setOutage(region, readOutage(body));
  return done;
}

function setFaults({ cloud, faults }: AdminParts, body: JsonObject, _query: URLSearchParams, region = ''): Answer {
  if (region !== GLOBAL) requireRegion(cloud, region);
  faults.set(region, { ...faults.of(region), ...readFaults(body) });
  return done;
}

function setRegionQuota({ cloud }: AdminParts, body: JsonObject, _query: URLSearchParams, region = ''): Answer {
  requireRegion(cloud, region);
  for (const family of Object.keys(body)) setQuota(cloud, region, family, numberField(body, family) ?? 0);
  return done;
}

async function clearFaults({ cloud, faults, chaos, geo }: AdminParts): Promise<Answer> {
  await chaos.stop();
  await faults.clear(cloud.regions);
  await geo.clearLags();
  return done;
}

function requireRegion(cloud: Cloud, region: string): void {
  if (!cloud.regions.includes(region))
    throw new ArmError(404, 'NotFound', `There is no region '${region}': the regions are ${cloud.regions.join(', ')}.`);
}
