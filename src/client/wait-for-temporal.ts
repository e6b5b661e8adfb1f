/**
 * Waits for a Temporal that is not up yet, for programs that are started at the same time. Settings that cannot be
 * right fail at once: an unknown name, an untrusted certificate, rejected credentials, a missing namespace.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isUnderstudyError } from '../errors/error.ts';
import { connectTemporal, temporalSettings } from './connect.ts';

/** How to wait. */
export interface Waiting {
  /** Called at once with what it waits for, then now and again. */
  say: (line: string) => void;
  everyMs?: number;
  sayEveryMs?: number;
}

/**
 * Connects, however long Temporal takes to start.
 * Errors: TemporalError if waiting cannot help.
 */
export async function waitForTemporal({ say, everyMs = 2000, sayEveryMs = 60_000 }: Waiting): Promise<Client> {
  let saidAt = -Infinity;
  for (;;) {
    try {
      return await connectTemporal();
    } catch (error) {
      if (!isUnderstudyError(error, 'TemporalError') || error.details.passes !== true) throw error;
      if (performance.now() - saidAt >= sayEveryMs) {
        saidAt = performance.now();
        const { address } = temporalSettings();
        say(`Temporal at ${address} does not answer yet (${error.details.reason}): waiting for it`);
      }
    }
    await delay(everyMs);
  }
}
