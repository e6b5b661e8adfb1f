/** The admin API's calls for scenarios. */

import type { Running } from '../chaos/chaos.ts';
import type { Parameter } from '../chaos/parameters.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { SCENARIOS } from '../chaos/scenarios.ts';
import type { Answer } from '../http/answer.ts';
import { isObject } from '../resource/fields.ts';
import { ArmError, type JsonObject } from '../contract/index.ts';
import { numberField, requireKnown, stringField } from './bodies.ts';
import type { AdminParts, Route } from './route.ts';

export const CHAOS_ROUTES: readonly [string, RegExp, Route][] = [
  ['GET', /^\/chaos$/, list],
  ['DELETE', /^\/chaos$/, stop],
  ['POST', /^\/chaos\/([^/]+)$/, start],
  ['DELETE', /^\/chaos\/([^/]+)$/, stop],
];

function list({ chaos }: AdminParts): Answer {
  return {
    status: 200,
    body: { scenarios: listedScenarios(), running: chaos.running().map(showRunning) },
  };
}

/** The scenarios there are, with their parameters. */
export function listedScenarios(): JsonObject[] {
  return SCENARIOS.map(showScenario);
}

async function start({ chaos }: AdminParts, body: JsonObject, _query: URLSearchParams, name = ''): Promise<Answer> {
  requireKnown(body, ['region', 'parameters', 'seed', 'for']);
  const { parameters = {} } = body;
  if (!isObject(parameters))
    throw new ArmError(400, 'BadRequest', `'parameters': expected an object, got ${JSON.stringify(parameters)}`);
  const running = await chaos.start(decodeName(name), {
    region: body.region === undefined ? undefined : stringField(body, 'region'),
    parameters,
    seed: numberField(body, 'seed', 2 ** 31),
    for: body.for,
  });
  return { status: 201, body: showRunning(running) };
}

/** `?region=` chooses where; without a name, all. */
async function stop({ chaos }: AdminParts, _body: JsonObject, query: URLSearchParams, name?: string): Promise<Answer> {
  const stopped = await chaos.stop(name === undefined ? undefined : decodeName(name), query.get('region') ?? undefined);
  return { status: 200, body: { stopped: stopped.map(showRunning) } };
}

export function showRunning({ name, region, parameters, seed, startedAt, endsAt }: Running): JsonObject {
  return {
    name,
    region,
    parameters,
    seed,
    startedAt: new Date(startedAt).toISOString(),
    endsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
  };
}

function showScenario({ name, summary, scope, parameters }: Scenario): JsonObject {
  return {
    name,
    summary,
    scope,
    parameters: Object.entries(parameters).map(([parameter, described]) => show(parameter, described)),
  };
}

function show(name: string, { kind, about, default: standard, options }: Parameter): JsonObject {
  const shown: JsonObject = { name, kind, about, default: standard };
  if (options) shown.options = [...options];
  return shown;
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // No scenario is called so: the refusal names those there are.
  }
}
