/** Writes secrets into an escrow vault. A vault is read-only while it fails over. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Vault } from '../azure/azure.ts';
import { isOutage } from '../azure/errors.ts';
import { UnderstudyError } from '../errors/error.ts';

/** Writes a secret and returns its version. */
export type WriteSecret = (secret: string, value: string, tags: Record<string, string>) => Promise<{ version: string }>;

/** How long to wait before a failed write is retried once: any server may fail for a moment. */
const pauseMs = 1000;

/**
 * Returns a writer of secrets. Once a vault is found to be read-only, which may last for hours, further writes fail at
 * once: a recovery point without a secret is better than none.
 * Errors of the writer: AzureUnavailable; AzureError if the vault answers but refuses writes.
 */
export function secretWriter(vault: Vault, signal: AbortSignal): WriteSecret {
  let readOnly: UnderstudyError | undefined;
  return async (secret, value, tags) => {
    for (let attempt = 1; ; attempt++) {
      if (readOnly) throw readOnly;
      try {
        return await vault.set(secret, value, tags);
      } catch (error) {
        if (!isOutage(error)) throw error;
        await vault.get(secret); // If that fails, too, the vault is out.
        if (attempt > 1)
          readOnly = new UnderstudyError(
            'AzureError',
            'the vault answers, but refuses writes: Key Vault is read-only while it fails over',
            { cause: error },
          );
        else await delay(pauseMs, undefined, { signal });
      }
    }
  };
}
