/** The fields that all resources have in common must be of their types before any provider sees them. */

import { ArmError, type Json, type JsonObject } from '../provider.ts';
import { isObject } from './fields.ts';

type Check = (value: Json) => boolean;

/** How many objects and lists may stand in each other. */
const DEEPEST = 200;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) =>
  isObject(value) && Object.values(value).every((one) => one === null || typeof one === 'string');

const SHAPES: Record<string, { expected: string; fits: Check }> = {
  properties: { expected: 'an object', fits: isObject },
  location: { expected: 'a string', fits: isText },
  kind: { expected: 'a string', fits: isText },
  tags: { expected: 'an object of strings', fits: isTexts },
  sku: { expected: 'an object', fits: isObject },
  identity: { expected: 'an object', fits: isObject },
  zones: { expected: 'a list', fits: Array.isArray },
};

/** Throws ArmError 400 `InvalidRequestContent` naming the field; null counts as absent. */
export function requireEnvelope(body: JsonObject): void {
  for (const [field, { expected, fits }] of Object.entries(SHAPES)) {
    const value = body[field];
    if (value === undefined || value === null || fits(value)) continue;
    throw new ArmError(
      400,
      'InvalidRequestContent',
      `The request content was invalid and could not be deserialized: '${field}': expected ${expected}, got ${JSON.stringify(value).slice(0, 60)}.`,
      { target: field },
    );
  }
}

/** What reads a body, and what shows it, goes down it level by level. Throws ArmError 400 `InvalidRequestContent` for one too deep. */
export function requireShallow(body: Json): void {
  let level: Json[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST)
      throw new ArmError(
        400,
        'InvalidRequestContent',
        `The request content was invalid and could not be deserialized: expected at most ${DEEPEST} objects and lists in each other, got more.`,
      );
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value).filter(isNested) : [],
    );
  }
}

function isNested(value: Json): boolean {
  return typeof value === 'object' && value !== null;
}
