/**
 * What Azure Machine Learning's API (2024-04-01) says a body is made of: the fields of each resource and action, their
 * types, which must be there, and which words an enumeration has. `body-shapes.json` is written from the published
 * description. Fields that the description does not know are kept: a later version of the API may have them.
 */

import { ArmError, type Call, type Json, type JsonObject, type ResourceType } from '../../contract/index.ts';
import table from './body-shapes.json' with { type: 'json' };
import { isObject, NAMESPACE } from './fields.ts';
import { validationError } from './refusals.ts';

export interface Shapes {
  /** The name of the shape, by type and action below the namespace: 'workspaces/computes'. */
  bodies: Record<string, string>;
  /**
   * The fields of a definition, as `name:type`, or `name!:type` where it must be there; `name=Value:@Shape` is one more
   * shape of bodies whose field has that value. A type is text, plain (a text that may be written as a number or a
   * flag), whole, number, flag, duration, time, object or any; `=A|B` (words), `[]type` (a list), `{}type` (by name),
   * `@Shape`.
   */
  shapes: Record<string, string>;
}

interface Field {
  name: string;
  isRequired: boolean;
  /** The shape counts only where the field has this value. */
  kind: string | undefined;
  type: string;
}

const { bodies, shapes }: Shapes = table;
const read = new Map<string, Field[]>();

function fieldsOf(shape: string): Field[] {
  const known = read.get(shape);
  if (known) return known;
  const fields = (shapes[shape] ?? '').split(' ').flatMap((line) => {
    const [, name = '', mark, kind, type = ''] = /^([^:=!]+)(!)?(?:=([^:]+))?:(.+)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, isRequired: mark === '!', kind, type }];
  });
  read.set(shape, fields);
  return fields;
}

const spelt = new Map<string, Map<string, string>>();

/** The fields of a definition as they are published, by their names in lower case. */
function spellingsOf(shape: string): ReadonlyMap<string, string> {
  let names = spelt.get(shape);
  if (names === undefined) {
    names = new Map(fieldsOf(shape).map(({ name }) => [name.toLowerCase(), name]));
    spelt.set(shape, names);
  }
  return names;
}

const DURATION = /^P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/;

const NUMBER = /^-?\d+(\.\d+)?$/;

/** The plain types: what is expected, in words, and whether a value is that. */
const PLAIN: Record<string, { expected: string; fits(value: Json): boolean }> = {
  text: { expected: 'a string', fits: (value) => typeof value === 'string' },
  whole: { expected: 'a whole number', fits: (value) => Number.isInteger(value) },
  number: { expected: 'a number', fits: (value) => typeof value === 'number' },
  flag: { expected: 'true or false', fits: (value) => typeof value === 'boolean' },
  duration: {
    expected: 'a duration in ISO 8601 (PT30S)',
    fits: (value) => typeof value === 'string' && DURATION.test(value),
  },
  time: {
    expected: 'a date and time in ISO 8601',
    fits: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  },
  object: { expected: 'an object', fits: isObject },
  any: { expected: 'anything', fits: () => true },
};

/** What only previews of the API have, by shape and field: jobs that fine-tune have not been in any other version. */
const WORDS_OF_PREVIEWS: Record<string, string> = { 'JobBase.jobType': 'FineTuning' };

/** A place in a body, and the secrets of its resource: they are kept from before where they are not sent again. */
interface Place {
  path: string;
  secrets: readonly string[];
  isPreview: boolean;
}

/** The row, holding its bodies to their published shapes before anything else looks at them. */
export function shaped(row: ResourceType): ResourceType {
  const path = row.type.slice(NAMESPACE.length + 1);
  const own = bodies[path];
  const actions = Object.entries(row.actions ?? {}).map(([name, act]) => {
    const shape = actionShape(path, name);
    const checked = (call: Call): ReturnType<typeof act> => {
      if (shape !== undefined) requireShape(call.body, shape, topOf(call, []));
      return act(call);
    };
    return [name, checked] as const;
  });
  const held: ResourceType = row.actions ? { ...row, actions: Object.fromEntries(actions) } : { ...row };
  if (own === undefined) return held;
  held.beforePut = async (call, next) => {
    requireShape(next.resource, own, topOf(call, row.secrets ?? []));
    await row.beforePut?.(call, next);
  };
  return held;
}

function topOf(call: Call, secrets: readonly string[]): Place {
  return { path: '', secrets, isPreview: /-preview$/i.test(call.apiVersion) };
}

function actionShape(path: string, action: string): string | undefined {
  const wanted = `${path}/${action}`.toLowerCase();
  const name = Object.keys(bodies).find((one) => one.toLowerCase() === wanted);
  return name === undefined ? undefined : bodies[name];
}

/**
 * Holds an object to a shape, and writes its fields and the words of enumerations as they are published: they are read
 * in any case.
 *
 * Errors: 400 ValidationError naming the field, what is there and what should be; 400 LocationRequired as ARM has it.
 */
function requireShape(value: JsonObject, shape: string, place: Place): void {
  spellFields(value, shape);
  for (const field of fieldsOf(shape)) {
    const more = place.isPreview ? WORDS_OF_PREVIEWS[`${shape}.${field.name}`] : undefined;
    const type = more === undefined ? field.type : `${field.type}|${more}`;
    if (field.kind === undefined) requireField(value, { ...field, type }, place);
    else if (value[field.name] === field.kind) requireShape(value, field.type.slice(1), place);
  }
}

/**
 * What was sent in another spelling takes the place of what there is in the published one: a PATCH may have merged the
 * two.
 */
function spellFields(value: JsonObject, shape: string): void {
  const names = spellingsOf(shape);
  for (const [sent, field] of Object.entries(value)) {
    const name = names.get(sent.toLowerCase());
    if (name === undefined || name === sent) continue;
    value[name] = field;
    delete value[sent];
  }
}

function requireField(value: JsonObject, { name, isRequired, type }: Field, place: Place): void {
  const inner = { ...place, path: place.path === '' ? name : `${place.path}.${name}` };
  const found = value[name];
  if (found !== undefined && found !== null) value[name] = requireType(found, type, inner);
  else if (isRequired && !isKept(inner)) throw missing(inner.path);
}

/** Is this a secret, or inside of one, that the envelope keeps apart? */
function isKept({ path, secrets }: Place): boolean {
  return secrets.some((secret) => path === secret || path.startsWith(`${secret}.`));
}

/** Answers the value in its published spelling. */
function requireType(value: Json, type: string, place: Place): Json {
  if (type.startsWith('=')) return requireWord(value, type.slice(1).split('|'), place);
  if (type.startsWith('[]')) {
    if (!Array.isArray(value)) throw misshapen(place, 'a list', value);
    return value.map((entry, i) => inside(entry, type.slice(2), { ...place, path: `${place.path}[${i}]` }));
  }
  if (type.startsWith('{}')) return requireEach(value, type.slice(2), place);
  if (type.startsWith('@')) {
    if (!isObject(value)) throw misshapen(place, 'an object', value);
    requireShape(value, type.slice(1), place);
    return value;
  }
  // The template that azure-ai-ml makes a workspace by says 'false'.
  if (type === 'flag' && typeof value === 'string' && /^(true|false)$/i.test(value))
    return value.toLowerCase() === 'true';
  // The published scripts of batch endpoints say '4', and templates hand texts on.
  if ((type === 'whole' || type === 'number') && typeof value === 'string' && NUMBER.test(value))
    return requireType(Number(value), type, place);
  if (type === 'plain') return requireType(plainText(value), 'text', place);
  const plain = PLAIN[type];
  if (plain && !plain.fits(value)) throw misshapen(place, plain.expected, value);
  return value;
}

/** Tags and their kin: a number or a flag is taken for the text of it. */
function requireEach(value: Json, type: string, place: Place): Json {
  if (!isObject(value)) throw misshapen(place, 'an object', value);
  const entries = Object.entries(value).map(([name, entry]) => {
    const kept = type === 'text' ? plainText(entry) : entry;
    return [name, inside(kept, type, { ...place, path: `${place.path}.${name}` })] as const;
  });
  return Object.fromEntries(entries);
}

function plainText(value: Json): Json {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function inside(value: Json, type: string, place: Place): Json {
  return value === null ? null : requireType(value, type, place);
}

function requireWord(value: Json, words: string[], place: Place): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(' ', '');
  const word = typeof value === 'string' ? words.find((one) => plain(one) === plain(value)) : undefined;
  if (word === undefined)
    throw misshapen(place, words.length > 1 ? `one of ${words.join(', ')}` : (words[0] ?? ''), value);
  return word;
}

function missing(path: string): ArmError {
  if (path === 'location')
    return new ArmError(400, 'LocationRequired', 'The location property is required for this definition.', {
      target: 'location',
    });
  return validationError(`${path}: required.`, targetOf(path));
}

function misshapen({ path }: Place, expected: string, value: Json): ArmError {
  const got = typeof value === 'string' ? `'${value.slice(0, 60)}'` : JSON.stringify(value).slice(0, 60);
  return validationError(`${path}: expected ${expected}, got ${got}.`, targetOf(path));
}

/** The field of the properties that is wrong, as the other refusals name it. */
function targetOf(path: string): string {
  const [first = '', second] = path.split('.');
  return second ?? first;
}
