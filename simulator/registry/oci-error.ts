/** Refusals in the words of the OCI distribution specification: `{ errors: [{ code, message, detail }] }`. */

import type { Json } from '../contract/index.ts';

export class OciError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'OciError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function ociBody(error: OciError): Json {
  return { errors: [{ code: error.code, message: error.message, detail: null }] };
}

export function unsupported(method: string, path: string): OciError {
  return new OciError(405, 'UNSUPPORTED', `The operation is unsupported: ${method} ${path}.`);
}
