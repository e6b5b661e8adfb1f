/**
 * What an origin gets to see of a request. Source: Azure Front Door, "Protocol support for HTTP headers in Azure Front
 * Door".
 */

import type { IncomingMessage } from 'node:http';
import type { Origin } from './configuration.ts';

/** Those of one connection, which end at the front. */
export const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authorization',
  'host',
]);

/** The client's own headers, but those that are the front's to set, and what the front adds. */
export function forwardedHeaders(
  message: IncomingMessage,
  origin: Origin,
  frontDoorId: string,
  reference: string,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined && !HOP_HEADERS.has(name) && !name.startsWith('x-fd-')) headers[name] = value;
  }
  const socket = message.socket.remoteAddress ?? '';
  const callers = listed(message.headers['x-forwarded-for']);
  const hops = /^hops=(\d{1,3})$/.exec(String(message.headers['x-azure-requestchain']))?.[1] ?? '0';
  const asked = message.headers.host ?? '';
  return {
    ...headers,
    // "If you leave this blank, the request hostname determines this value."
    host: origin.hostHeader ?? asked,
    via: [...listed(message.headers.via), `${message.httpVersion} Azure`].join(', '),
    'x-forwarded-for': [...callers, socket].join(', '),
    'x-forwarded-host': asked,
    'x-forwarded-proto': 'https',
    'x-azure-clientip': callers[0] ?? socket,
    'x-azure-socketip': socket,
    'x-azure-ref': reference,
    'x-azure-requestchain': `hops=${Number(hops) + 1}`,
    'x-azure-fdid': frontDoorId,
  };
}

function listed(value: string | string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
