/** Writes secrets into an escrow vault, which is read-only while it fails over. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Vault } from '../azure/azure.ts';
import { isOutage } from '../azure/errors.ts';
import { UnderstudyError } from '../errors/error.ts';

export type WriteSecret = (
  secret: string,
  value: string,
  tags: Record<string, string>,
) => Promise<{ version: string }>;

/** A write that fails is tried once more: any server may fail for a moment. */
const pauseMs = 1000;

/**
 * Errors of the writing: AzureUnavailable; AzureError where the vault answers and takes no writes, which may last for hours: a recovery
 * point without a secret is worth more than none. Once that is found, no other secret waits for it.
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
            'the vault answers, and takes no writes: Key Vault is read-only while it fails over',
            { cause: error },
          );
        else await delay(pauseMs, undefined, { signal });
      }
    }
  };
}
