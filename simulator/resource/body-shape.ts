/** The fields that all resources have in common must be of their types before any provider sees them. */

import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import { isObject } from './fields.ts';

type Check = (value: Json) => boolean;

/** How many objects and lists may stand in each other. */
const DEEPEST = 200;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) =>
  isObject(value) && Object.values(value).every((one) => one === null || typeof one !== 'object');

/** `emptyIsNone`: templates leave these out with an empty text, which Azure reads as null. */
const SHAPES: Record<string, { expected: string; fits: Check; emptyIsNone?: true }> = {
  properties: { expected: 'an object', fits: isObject, emptyIsNone: true },
  location: { expected: 'a string', fits: isText },
  kind: { expected: 'a string', fits: isText },
  tags: { expected: 'an object of strings', fits: isTexts },
  sku: { expected: 'an object', fits: isObject },
  identity: { expected: 'an object', fits: isObject },
  zones: { expected: 'a list', fits: Array.isArray, emptyIsNone: true },
};

/**
 * Throws ArmError 400 `InvalidRequestContent` naming the field; null counts as absent, and in a PATCH takes a tag away.
 * What is left out with an empty text is taken out of the body; a number or a flag among the tags becomes its text.
 */
export function requireEnvelope(body: JsonObject, verb: 'put' | 'patch'): void {
  for (const [field, { expected, fits, emptyIsNone }] of Object.entries(SHAPES)) {
    if (emptyIsNone && body[field] === '') delete body[field];
    const value = body[field];
    if (value === undefined || value === null || fits(value)) continue;
    throw new ArmError(
      400,
      'InvalidRequestContent',
      `The request content was invalid and could not be deserialized: '${field}': expected ${expected}, got ${JSON.stringify(value).slice(0, 60)}.`,
      { target: field },
    );
  }
  if (isObject(body.tags)) body.tags = withTexts(body.tags);
  requireTags(verb === 'patch' && isObject(body.tags) ? withoutNulls(body.tags) : body.tags);
}

function withTexts(tags: JsonObject): JsonObject {
  const text = (value: Json): Json => (value === null || typeof value === 'string' ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, text(value)]));
}

function withoutNulls(tags: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== null));
}

const MOST_TAGS = 50;
const LONGEST_TAG_NAME = 512;
const LONGEST_TAG_VALUE = 256;

/**
 * Throws ArmError 400 for tags that Azure takes on nothing: too many, too long, with characters that it reserves, or of
 * no value.
 */
export function requireTags(tags: Json | undefined): void {
  if (!isObject(tags)) return;
  const names = Object.keys(tags);
  if (names.length > MOST_TAGS)
    throw badTags('TooManyTags', `expected at most ${MOST_TAGS} tags, got ${names.length}.`);
  // Names that begin so are Azure's own: the portal keeps links in them.
  const reserved = names.filter((name) => /[<>%&\\?/\p{Cc}]/u.test(name) && !/^(hidden|link)/i.test(name));
  if (reserved.length > 0)
    throw badTags(
      'InvalidTagNameCharacters',
      `The tag names '${reserved.join(', ')}' have reserved characters '<,>,%,&,\\,?,/' or control characters. These characters are only allowed for tags that start with the prefix 'hidden, link'.`,
    );
  for (const [name, value] of Object.entries(tags)) {
    if (name === '' || name.length > LONGEST_TAG_NAME)
      throw badTags(
        'InvalidTagName',
        `The tag name '${name.slice(0, 60)}' is invalid: expected 1 to ${LONGEST_TAG_NAME} characters, got ${name.length}.`,
      );
    if (value === null)
      throw badTags(
        'InvalidTagValue',
        `The value of the tag '${name}' is invalid: expected a string of at most ${LONGEST_TAG_VALUE} characters, got null.`,
      );
    if (typeof value === 'string' && value.length > LONGEST_TAG_VALUE)
      throw badTags(
        'InvalidTagValue',
        `The value of the tag '${name}' is invalid: expected at most ${LONGEST_TAG_VALUE} characters, got ${value.length}.`,
      );
  }
}

function badTags(code: string, message: string): ArmError {
  return new ArmError(400, code, message, { target: 'tags' });
}

/**
 * What reads a body, and what shows it, goes down it level by level. Throws ArmError 400 `InvalidRequestContent` for
 * one too deep.
 */
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
