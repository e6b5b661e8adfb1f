/** Errors of the blob service: XML, with the code in a header, too. */

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

export class StorageError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'StorageError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Sends the error as Azure Storage does; answers its status. */
export function sendStorageError(response: ServerResponse, error: StorageError, method: string): number {
  const requestId = randomUUID();
  const text = `${error.message}\nRequestId:${requestId}\nTime:${new Date().toISOString()}`;
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${error.code}</Code><Message>${escaped(text)}</Message></Error>`;
  if (response.headersSent) {
    response.destroy();
    return error.status;
  }
  response.writeHead(error.status, {
    ...error.headers,
    'x-ms-error-code': error.code,
    'x-ms-request-id': requestId,
    'x-ms-version': '2024-11-04',
    'Content-Type': 'application/xml',
    'Content-Length': method === 'HEAD' ? 0 : Buffer.byteLength(xml),
  });
  response.end(method === 'HEAD' ? undefined : xml);
  return error.status;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
