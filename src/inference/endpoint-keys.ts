/**
 * The keys of endpoints. Both sides have the same, so that clients do not have to change theirs. Values stay in the
 * activity that reads them.
 */
import { escrowed } from '../secrets/escrowed.ts';
import type { SealedManifest } from '../recovery-point/manifest.ts';
import type { Standby } from '../standby/standby.ts';
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepContext } from '../run/work/step-context.ts';

/** The keys of an endpoint. */
export interface Keys {
  [name: string]: string;
  primaryKey: string;
  secondaryKey: string;
}

/**
 * Returns an endpoint's keys from escrow. Undefined if it has none, or if escrow does not return them: `lost` then says
 * why.
 * Errors: AzureUnavailable.
 */
export async function escrowedKeys(
  context: StepContext,
  { point }: Standby,
  endpoint: ArmResource,
  lost: string[],
): Promise<Keys | undefined> {
  if (endpoint.properties.authMode !== 'Key') return undefined;
  const secret = await escrowedUnlessRefused(context, point.sealed, endpoint.name);
  if ('value' in secret) return secret.value as Keys;
  lost.push(`endpoint ${endpoint.name}: clients must take the standby's own keys: ${secret.reason}`);
  return undefined;
}

async function escrowedUnlessRefused(
  context: StepContext,
  sealed: SealedManifest,
  name: string,
): Promise<{ value: JsonObject } | { reason: string }> {
  try {
    return await escrowed(context, sealed, 'endpoint', name);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return { reason: messageOf(error) };
  }
}

/** Sets a key to a given value: `keyValue` of RegenerateEndpointKeysRequest. */
export async function giveKeys({ azure, signal }: StepContext, path: string, keys: Keys): Promise<void> {
  const options = { signal };
  const now = (await azure.arm.post(
    `${path}/listKeys`,
    apiVersions.machineLearning,
    undefined,
    options,
  )) as Partial<Keys> | null;
  for (const [keyType, name] of [
    ['Primary', 'primaryKey'],
    ['Secondary', 'secondaryKey'],
  ] as const) {
    if (now?.[name] === keys[name]) continue;
    const body = { keyType, keyValue: keys[name] };
    await azure.arm.post(`${path}/regenerateKeys`, apiVersions.machineLearning, body, options);
  }
}
