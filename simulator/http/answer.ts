/** What a handler of the ARM endpoint answers, and the ways it may not. */

import { ArmError, type Json, type JsonObject, type Principal } from '../contract/index.ts';

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Json;
}

/** A request at the ARM endpoint, read whole and authenticated. */
export interface ArmRequest {
  method: string;
  /** As the client spelt it, without the query. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Undefined: no body was sent. */
  body: Json | undefined;
  apiVersion: string;
  principal: Principal;
  /** Asked by the cloud itself, or by a deployment in it: no client's request. */
  within?: true;
}

/** Thrown where the client gets no answer: its socket is destroyed, or left open and silent. */
export class Unanswered extends Error {
  readonly mode: 'dark' | 'hang';
  readonly region: string;
  constructor(mode: 'dark' | 'hang', region: string) {
    super(`${region} is ${mode === 'dark' ? 'dark' : 'hanging'}`);
    this.region = region;
    this.name = 'Unanswered';
    this.mode = mode;
  }
}

/** `{ error: { code, message, … } }`. */
export function errorBody(error: ArmError): JsonObject {
  const inner: JsonObject = { code: error.code, message: error.message };
  if (error.target !== undefined) inner.target = error.target;
  if (error.details !== undefined) inner.details = error.details.map((detail) => ({ ...detail }));
  if (error.additionalInfo !== undefined) inner.additionalInfo = error.additionalInfo;
  return { error: inner };
}

export function errorAnswer(error: ArmError): Answer {
  return { status: error.status, headers: error.headers, body: errorBody(error) };
}

/** The body as an object. Throws ArmError 400 `InvalidRequestContent` if it is anything else. */
export function objectBody(body: Json | undefined): JsonObject {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  const got = body === undefined ? 'no body' : Array.isArray(body) ? 'an array' : JSON.stringify(body).slice(0, 40);
  throw new ArmError(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: expected a JSON object, got ${got}.`,
  );
}
