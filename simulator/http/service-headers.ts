/** Headers that every answer of Azure has, whichever service gives it and whatever it says. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** `message` absent: what came could not be read as a request. */
export function serviceHeaders(message?: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {
    'x-ms-request-id': randomUUID(),
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
  };
  const client = message?.headers['x-ms-client-request-id'];
  if (typeof client === 'string' && message?.headers['x-ms-return-client-request-id'] === 'true')
    headers['x-ms-client-request-id'] = client;
  return headers;
}

/** Those of Resource Manager, which come on top. */
export function armHeaders(message?: IncomingMessage): Record<string, string> {
  const own = serviceHeaders(message);
  const requestId = own['x-ms-request-id'] ?? '';
  const correlation = message?.headers['x-ms-correlation-request-id'];
  return {
    ...own,
    'x-ms-correlation-request-id': typeof correlation === 'string' ? correlation : requestId,
    'x-ms-routing-request-id': `LOCAL:${basicTime(new Date())}:${requestId}`,
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
  };
}

/** '20260102T030405Z'. */
function basicTime(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
