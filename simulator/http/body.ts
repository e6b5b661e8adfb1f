/** Reading what a client sends and writing what it gets. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { ArmError, type Json } from '../contract/index.ts';
import { requireShallow } from '../resource/body-shape.ts';
import { parseLenientJson } from './lenient-json.ts';

/** ARM's own limit for a request is 4 MiB; code snapshots' inline templates stay below it, too. */
const LARGEST_BODY = 4 << 20;

/** The whole body. Throws ArmError 413 above `limit` bytes. */
export async function readBody(request: IncomingMessage, limit = LARGEST_BODY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) {
    throw new ArmError(
      413,
      'RequestContentTooLarge',
      `The request content size of ${size} bytes exceeds the maximum of ${limit} bytes.`,
    );
  }
  return Buffer.concat(chunks);
}

const texts = new WeakMap<object, string>();

/** The text that a body was parsed from: errors tell their line and column in it. */
export function textOfBody(body: object): string | undefined {
  return texts.get(body);
}

/** Parses a JSON body; undefined for an empty one. Throws ArmError 400 `InvalidRequestContent`. */
export function parseJson(body: Buffer): Json | undefined {
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '') return undefined;
  let parsed: Json;
  try {
    parsed = parseStrictFirst(text);
  } catch (error) {
    throw new ArmError(
      400,
      'InvalidRequestContent',
      `The request content was invalid and could not be deserialized: ${(error as Error).message}.`,
    );
  }
  requireShallow(parsed);
  if (typeof parsed === 'object' && parsed !== null) texts.set(parsed, text);
  return parsed;
}

/** The built-in parser is the fast one, and nearly everything is plain JSON. */
function parseStrictFirst(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return parseLenientJson(text);
  }
}

/** The headers as one value each, names in lower case. */
export function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Sends an answer: JSON unless the body is a string or bytes, with a content type if the headers give none. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Json | Buffer | undefined,
): void {
  // A text goes out together with the headers, bytes in a write of their own.
  const content = Buffer.isBuffer(body) ? body : body === undefined ? '' : JSON.stringify(body);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body !== undefined && !response.hasHeader('Content-Type')) {
    response.setHeader(
      'Content-Type',
      Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json; charset=utf-8',
    );
  }
  const isEmpty = status === 204 || status === 304;
  if (!isEmpty) response.setHeader('Content-Length', Buffer.byteLength(content));
  response.end(isEmpty ? undefined : content);
}
