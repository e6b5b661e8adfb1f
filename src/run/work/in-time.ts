/** Waits for an answer for a limited time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Returns the answer. Throws an Error with the text `otherwise` after `ms`; the work itself continues. */
export async function inTime<T>(answer: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const cutOff = new AbortController();
  const late = delay(ms, undefined, { signal: cutOff.signal }).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    cutOff.abort();
  }
}
