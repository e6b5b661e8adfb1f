/**
 * Reading the admin API's bodies: anything that is not understood is an error, for a fault that is not set would pass
 * every test.
 */

import { PARTS, type Outage, type Part, type RegionFaults } from '../faults/faults.ts';
import { isObject } from '../resource/fields.ts';
import { ArmError, type Json, type JsonObject } from '../contract/index.ts';

/** More than this (thirty years, in seconds) is a slip, and leads to moments that no calendar has. */
const LARGEST = 1e9;

export function numberField(body: JsonObject, name: string, largest = LARGEST): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > largest)
    throw bad(name, `a number from 0 to ${largest}`, value);
  return value;
}

export function stringField(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw bad(name, 'a string', value);
  return value;
}

export function readOutage(body: JsonObject): Outage {
  requireKnown(body, ['mode', 'parts', 'jobs']);
  const { mode, parts, jobs } = body;
  if (mode !== 'none' && mode !== 'dark' && mode !== 'hang' && mode !== 'read-only')
    throw bad('mode', "'dark', 'hang', 'read-only' or 'none'", mode);
  if (jobs !== undefined && (mode !== 'dark' || (jobs !== 'unseen' && jobs !== 'killed')))
    throw bad('jobs', "'unseen' or 'killed', of a region that is dark", jobs);
  const ofJobs: Pick<Outage, 'jobs'> = jobs === undefined ? {} : { jobs };
  if (parts === undefined) return { mode, ...ofJobs };
  const isPart = (part: Json): part is Part => PARTS.some((known) => known === part);
  if (!Array.isArray(parts) || parts.length === 0 || !parts.every(isPart))
    throw bad('parts', `a list of ${PARTS.join(', ')}`, parts);
  return { mode, parts, ...ofJobs };
}

/** Fields that are null take the fault away; fields that are absent leave it. */
export function readFaults(body: JsonObject): RegionFaults {
  requireKnown(body, ['throttle', 'errorRate', 'status', 'latencyMs', 'failNextLongRunning', 'dropNextAnswer']);
  const faults: Record<string, unknown> = {};
  for (const name of ['errorRate', 'status', 'latencyMs']) {
    if (body[name] === null) faults[name] = undefined;
    else if (body[name] !== undefined) faults[name] = numberField(body, name);
  }
  if (typeof faults.errorRate === 'number' && faults.errorRate > 1)
    throw bad('errorRate', 'a share from 0 to 1', faults.errorRate);
  if (faults.status !== undefined && (Number(faults.status) < 400 || Number(faults.status) > 599))
    throw bad('status', 'an HTTP status from 400 to 599', body.status);
  if (body.throttle !== undefined) faults.throttle = readThrottle(body.throttle);
  if (body.failNextLongRunning !== undefined)
    faults.failNextLongRunning = listOf(body.failNextLongRunning, 'failNextLongRunning').map(readFailure);
  if (body.dropNextAnswer !== undefined)
    faults.dropNextAnswer = listOf(body.dropNextAnswer, 'dropNextAnswer').map(readDrop);
  return faults;
}

function readThrottle(value: Json): RegionFaults['throttle'] {
  if (value === null) return undefined;
  if (!isObject(value)) throw bad('throttle', '{ perSecond, burst } or null', value);
  requireKnown(value, ['perSecond', 'burst']);
  const perSecond = numberField(value, 'perSecond');
  if (perSecond === undefined) throw bad('throttle.perSecond', 'a number from 0 on', value.perSecond);
  return { perSecond, burst: numberField(value, 'burst') ?? Math.max(1, perSecond) };
}

function readFailure(value: JsonObject): NonNullable<RegionFaults['failNextLongRunning']>[number] {
  requireKnown(value, ['type', 'after', 'code', 'message']);
  const after = numberField(value, 'after');
  if (after !== undefined && after > 1) throw bad('failNextLongRunning.after', 'a share from 0 to 1', after);
  const texts = Object.fromEntries(
    ['type', 'code', 'message']
      .filter((name) => value[name] !== undefined)
      .map((name) => [name, stringField(value, name)]),
  );
  return after === undefined ? texts : { ...texts, after };
}

function readDrop(value: JsonObject): NonNullable<RegionFaults['dropNextAnswer']>[number] {
  requireKnown(value, ['method', 'path', 'match']);
  const match = value.match;
  if (match !== undefined) {
    if (!isObject(match)) throw bad('dropNextAnswer.match', '{ method?, path? }', match);
    return readDrop(match);
  }
  const texts = Object.fromEntries(
    ['method', 'path'].filter((name) => value[name] !== undefined).map((name) => [name, stringField(value, name)]),
  );
  if (texts.path !== undefined && !isPattern(texts.path))
    throw bad('dropNextAnswer.path', 'a regular expression', texts.path);
  return texts;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp;
  } catch {
    return false;
  }
}

/** One object, or a list of them: what is to happen more than once. */
function listOf(value: Json, name: string): JsonObject[] {
  const list = value === null ? [] : Array.isArray(value) ? value : [value];
  if (!list.every(isObject)) throw bad(name, 'an object or a list of objects', value);
  return list;
}

export function requireKnown(body: JsonObject, known: string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new ArmError(400, 'BadRequest', `unknown field '${unknown}': expected ${known.join(', ')}`);
}

function bad(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'BadRequest',
    `'${name}': expected ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`,
  );
}
