/**
 * What a region does to a request at one of its data planes before and after that is served: outage, latency, errors, a
 * lost answer.
 */

import type { IncomingMessage } from 'node:http';
import type { Faults } from './faults.ts';
import type { Part } from './parts.ts';
import { Unanswered } from '../http/answer.ts';

/** A request that reached the front of a region, for these parts of it. */
export interface Reached {
  faults: Faults;
  region: string;
  parts: readonly Part[];
  message: IncomingMessage;
}

/**
 * Serves a request unless the region is out; answers the status, null where the client got none. `refuse` sends what
 * went wrong. Throws `Unanswered` where the client is to hear nothing.
 */
export async function underFaults(
  { faults, region, parts, message }: Reached,
  serve: () => Promise<number | null>,
  refuse: (error: unknown) => number | Promise<number>,
): Promise<number | null> {
  try {
    const asked = { method: message.method ?? 'GET', path: pathOf(message) };
    faults.requireUp(region, parts, asked);
    await faults.disturb(region, asked);
    return await serve();
  } catch (error) {
    if (error instanceof Unanswered) throw error;
    message.resume();
    return refuse(error);
  }
}

/** Sends the answer to what was carried out, unless it is to be lost. */
export async function unlessLost(
  { faults, region, message }: Reached,
  send: () => Promise<number>,
): Promise<number | null> {
  if (!faults.takeDrop(region, message.method ?? 'GET', pathOf(message))) return send();
  message.socket.destroy();
  return null;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}
