/** Reads a secret back from the standby's escrow vault. The value never leaves the activity that reads it. */
import type { Json, JsonObject } from '../azure/azure.ts';
import { isObject } from '../azure/body/json.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { SealedManifest, SecretRef } from '../recovery-point/manifest.ts';

/**
 * Returns the secret as Azure's `listSecrets` returned it, or why there is none.
 * Errors: AzureUnavailable; AzureError if the vault refuses it.
 */
export async function escrowed(
  { azure, topology, to }: StepContext,
  sealed: SealedManifest,
  kind: SecretRef['kind'],
  name: string,
): Promise<{ value: JsonObject } | { reason: string }> {
  const known = sealed.secrets.find((each) => each.kind === kind && each.name === name);
  if (!known) return { reason: 'its secret is not in escrow' };
  const uri = topology.escrow?.vaults[to.region];
  if (uri === undefined) return { reason: `no escrow vault is declared for ${to.region}` };
  const value = await azure.vault(uri).get(known.secret);
  if (value === undefined) return { reason: `secret "${known.secret}" is gone from the vault of ${to.region}` };
  const parsed = parse(value);
  if (isObject(parsed)) return { value: parsed };
  return { reason: `secret "${known.secret}" in the vault of ${to.region} is not what was put into it` };
}

/** Undefined if it is not JSON: the parser's error would quote the secret. */
function parse(value: string): Json | undefined {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}
