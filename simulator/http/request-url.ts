/** The URL of a request as it came: clients send paths, whole URLs, and nonsense. */

import type { IncomingMessage } from 'node:http';
import { ArmError } from '../contract/index.ts';

/** The URL below `base`, whatever host the client named; undefined if it cannot be read. */
export function requestUrl(base: string, { url = '/' }: IncomingMessage): URL | undefined {
  const path = /^https?:\/\/[^/?#]*(.*)$/is.exec(url)?.[1] ?? url;
  const target = base + (path.startsWith('/') ? path.replace(/^[/\\]+/, '/') : `/${path}`);
  return URL.canParse(target) ? new URL(target) : undefined;
}

export function unreadableUrl(): ArmError {
  return new ArmError(400, 'InvalidRequestUri', 'The URI of the request cannot be read.');
}
