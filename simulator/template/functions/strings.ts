/** String functions. */

import { randomUUID } from 'node:crypto';
import { formatText } from '../language/dotnet-format.ts';
import { hashedGuid, uniqueText } from '../language/hashes.ts';
import { LanguageError, MisplacedFault } from '../language/language-error.ts';
import { expectInteger, expectOneOf, expectString, textOf } from '../language/values.ts';
import type { Json } from '../../contract/index.ts';
import { define } from './define.ts';
import { parseJson } from './objects.ts';

function substring([value, start, length]: Json[], call: string): string {
  const text = expectString(call, value);
  const from = start === undefined ? 0 : expectInteger(call, start);
  const size = length === undefined ? text.length - from : expectInteger(call, length);
  if (from < 0 || size < 0 || from + size > text.length) {
    throw new LanguageError(
      `The template language function '${call}' parameters are invalid. The index and length parameters must refer to a location within the string. The index parameter: '${from}', the length parameter: '${size}', the length of the string parameter: '${text.length}'. Please see https://aka.ms/arm-functions#substring for usage details.`,
    );
  }
  return text.slice(from, from + size);
}

function split([value, delimiter = null]: Json[], call: string): string[] {
  const delimiters = (Array.isArray(delimiter) ? delimiter : [delimiter]).map((each) => expectString(call, each));
  let parts = [expectString(call, value)];
  for (const each of delimiters) {
    if (each !== '') parts = parts.flatMap((part) => part.split(each));
  }
  return parts;
}

/** Source: the most characters that a text of a template may have. */
const PADDED_LIMIT = 131_072;

function padLeft([value = null, width, padding]: Json[], call: string): string {
  if (typeof value !== 'string' && typeof value !== 'number') return expectOneOf(call, 'String, Integer', value);
  const fill = padding === undefined ? ' ' : expectString(call, padding);
  if (fill.length !== 1) {
    throw new LanguageError(
      `The template language function '${call}' expects its third parameter to be one character. The provided value is '${fill}'.`,
    );
  }
  const length = expectInteger(call, width);
  if (length < 0 || length > PADDED_LIMIT) {
    throw new LanguageError(
      `The template language function '${call}' expects its second parameter to be from 0 to ${PADDED_LIMIT}. The provided value is '${length}'.`,
    );
  }
  return String(value).padStart(length, fill);
}

function decode(call: string, value: Json | undefined): string {
  const text = expectString(call, value);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new LanguageError(
      `The template language function '${call}' was invoked with a parameter that is not valid. The value cannot be decoded from base64 representation. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
  return Buffer.from(text, 'base64').toString('utf8');
}

/** '*' stands for any text, '?' for any character; the case does not count. */
function like(text: string, pattern: string): boolean {
  const quoted = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${quoted.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`, 'is').test(text);
}

/** Characters that .NET's invariant culture leaves as they are: their other case would be an ASCII letter. */
const CASELESS = /[\u0130\u0131\u017f]/;

/** As .NET does it: character by character, so that none becomes two ('ß' stays) or depends on its neighbours ('Σ'). */
function inCase(text: string, change: (character: string) => string): string {
  return Array.from(text, (one) => {
    const other = change(one);
    return other.length === one.length && !CASELESS.test(one) ? other : one;
  }).join('');
}

function words(call: string, args: Json[]): string[] {
  return args.map((arg) => expectString(call, arg));
}

export const stringFunctions = [
  define('base64', 1, 1, ([text], _, call) => Buffer.from(expectString(call, text), 'utf8').toString('base64')),
  define('base64ToString', 1, 1, ([text], _, call) => decode(call, text)),
  define('base64ToJson', 1, 1, ([text], _, call) => parseJson(call, decode(call, text))),
  define('endsWith', 2, 2, ([text, end], _, call) =>
    expectString(call, text).toLowerCase().endsWith(expectString(call, end).toLowerCase()),
  ),
  define('startsWith', 2, 2, ([text, start], _, call) =>
    expectString(call, text).toLowerCase().startsWith(expectString(call, start).toLowerCase()),
  ),
  define('format', 1, Infinity, ([text, ...args], _, call) => formatText(expectString(call, text), args)),
  define('guid', 1, Infinity, (args, _, call) => hashedGuid(words(call, args))),
  define('uniqueString', 1, Infinity, (args, _, call) => uniqueText(words(call, args))),
  define('newGuid', 0, 0, (_args, scope, call) => {
    if (scope.place !== 'parameterDefault') {
      throw new MisplacedFault(
        call,
        '. It can only be used in the default value of a parameter. Please see https://aka.ms/arm-functions for usage details',
      );
    }
    return randomUUID();
  }),
  define('like', 2, 2, ([text, pattern], _, call) => like(expectString(call, text), expectString(call, pattern))),
  define('padLeft', 2, 3, (args, _, call) => padLeft(args, call)),
  define('replace', 3, 3, ([text, from, to], _, call) => {
    const wanted = expectString(call, from);
    if (wanted === '')
      throw new LanguageError(`The template language function '${call}' cannot replace an empty string.`);
    return expectString(call, text).replaceAll(wanted, () => expectString(call, to));
  }),
  define('split', 2, 2, (args, _, call) => split(args, call)),
  define('substring', 2, 3, (args, _, call) => substring(args, call)),
  define('toLower', 1, 1, ([text], _, call) => inCase(expectString(call, text), (one) => one.toLowerCase())),
  define('toUpper', 1, 1, ([text], _, call) => inCase(expectString(call, text), (one) => one.toUpperCase())),
  define('trim', 1, 1, ([text = null], _, call) => expectString(call, text).trim()),
  define('dataUri', 1, 1, ([value = null]) => {
    return `data:text/plain;charset=utf8;base64,${Buffer.from(textOf(value), 'utf8').toString('base64')}`;
  }),
  define('dataUriToString', 1, 1, ([value], _, call) => {
    const text = expectString(call, value);
    const match = /^data:(?<type>[^,]*),(?<data>.*)$/s.exec(text);
    if (match?.groups === undefined) {
      throw new LanguageError(`The template language function '${call}': the value '${text}' is not a data URI.`);
    }
    const { type = '', data = '' } = match.groups;
    return /;\s*base64$/i.test(type) ? decode(call, data) : decodeURIComponent(data);
  }),
];
