/** The keys of endpoints: both sides have the same, so that clients need not change theirs. Values stay in the activity that asks. */
import { escrowed } from '../artifacts/escrowed.ts';
import type { Standby } from '../artifacts/standby.ts';
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import type { StepContext } from '../run/step-context.ts';

export interface Keys {
  [name: string]: string;
  primaryKey: string;
  secondaryKey: string;
}

/** Undefined: it has none, or they are not in escrow, and `lost` says so. Errors: AzureUnavailable. */
export async function escrowedKeys(
  context: StepContext,
  { point }: Standby,
  endpoint: ArmResource,
  lost: string[],
): Promise<Keys | undefined> {
  if (endpoint.properties.authMode !== 'Key') return undefined;
  const secret = await escrowed(context, point.sealed, 'endpoint', endpoint.name);
  if ('value' in secret) return secret.value as Keys;
  lost.push(`endpoint ${endpoint.name}: clients must take the standby's own keys: ${secret.reason}`);
  return undefined;
}

/** A key is set, not only made anew: `keyValue` of RegenerateEndpointKeysRequest. */
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
