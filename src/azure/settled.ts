/** Reads a resource once no operation on it is in progress. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Arm, ArmResource, CallOptions } from './azure.ts';

const underWay = new Set(['Accepted', 'Creating', 'Deleting', 'Provisioning', 'Running', 'Scaling', 'Updating']);

const pauseMs = 1000;

/**
 * Waits until an operation that an earlier attempt began has ended, because Azure refuses a second change meanwhile.
 * Returns undefined if the resource does not exist.
 * Errors: those of ARM; the signal's, once it is aborted.
 */
export async function findSettled(
  arm: Arm,
  path: string,
  apiVersion: string,
  options: CallOptions,
): Promise<ArmResource | undefined> {
  for (;;) {
    const found = await arm.find(path, apiVersion, options);
    const state = found?.properties.provisioningState;
    if (typeof state !== 'string' || !underWay.has(state)) return found;
    await delay(pauseMs, undefined, options.signal ? { signal: options.signal } : {});
  }
}
