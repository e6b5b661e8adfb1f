/** URI functions. */

import { LanguageError } from '../language/language-error.ts';
import { expectObject, expectString, isObject, propertyOf, textOf } from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define } from './define.ts';

function absolute(call: string, text: string, base?: string): URL {
  const url = URL.parse(text, base);
  if (url === null) {
    throw new LanguageError(
      `The template language function '${call}' expects an absolute URI. The provided value '${base ?? text}' is not one. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
  return url;
}

function decodeComponent(call: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // decodeURIComponent tells no more than that it failed.
    throw new LanguageError(`The template language function '${call}': the value '${text}' is not URI encoded.`);
  }
}

/** As .NET's Uri.EscapeDataString: all but letters, digits, '-', '_', '.', '~'. */
function encodeComponent(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function buildUri(parts: JsonObject, call: string): string {
  const scheme = expectString(call, propertyOf(parts, 'scheme'));
  const host = expectString(call, propertyOf(parts, 'host'));
  const port = propertyOf(parts, 'port') ?? null;
  const path = textOf(propertyOf(parts, 'path') ?? '');
  const query = textOf(propertyOf(parts, 'query') ?? '');
  const url = absolute(call, `${scheme}://${host}${port === null ? '' : `:${textOf(port)}`}`);
  url.pathname = path;
  url.search = query;
  return url.toString();
}

function parseUri(text: string, call: string): JsonObject {
  const url = absolute(call, text);
  const standard: Record<string, number> = { 'http:': 80, 'https:': 443, 'ftp:': 21 };
  const port: Json = url.port === '' ? (standard[url.protocol] ?? null) : Number(url.port);
  return {
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    port,
    path: url.pathname,
    query: url.search,
  };
}

export const uriFunctions = [
  define('uri', 2, 2, ([base, relative], _, call) =>
    absolute(call, expectString(call, relative), expectString(call, base)).toString(),
  ),
  define('uriComponent', 1, 1, ([text], _, call) => encodeComponent(expectString(call, text))),
  define('uriComponentToString', 1, 1, ([text], _, call) => decodeComponent(call, expectString(call, text))),
  define('buildUri', 1, 1, ([parts = null], _, call) =>
    buildUri(isObject(parts) ? parts : expectObject(call, parts), call),
  ),
  define('parseUri', 1, 1, ([text], _, call) => parseUri(expectString(call, text), call)),
];
