/** Reads a secret back from the standby's escrow vault. The value stays inside the activity that asked. */
import type { JsonObject } from '../azure/azure.ts';
import type { StepContext } from '../run/step-context.ts';
import type { SealedManifest, SecretRef } from './manifest.ts';

/** The secret as Azure's `listSecrets` answered it, or why there is none. Errors: AzureUnavailable. */
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
  if (value === undefined)
    return { reason: `secret "${known.secret}" is gone from the vault of ${to.region}` };
  return { value: JSON.parse(value) as JsonObject };
}
