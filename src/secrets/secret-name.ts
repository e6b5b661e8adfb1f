/** Names the secret of a datastore or a connection in an escrow vault. Pure. */
import { createHash } from 'node:crypto';
import type { SecretRef } from '../recovery-point/manifest.ts';

/** A secret to name. */
export interface NamedSecret {
  topology: string;
  /** The region whose secret it is: one vault may keep those of both regions. */
  region: string;
  kind: SecretRef['kind'];
  resource: string;
}

/** Key Vault allows letters, digits and "-", at most 127 characters. The hash distinguishes names that become equal. */
export function secretName({ topology, region, kind, resource }: NamedSecret): string {
  const readable = resource.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 18);
  const whole = [topology, region, kind, resource].join('/');
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 12);
  return `understudy-${topology}-${region}-${kind}-${readable}-${hash}`.replaceAll(/-+/g, '-');
}

/** Kinds of connection (`authType`) that have no credentials of their own. */
export const secretless: ReadonlySet<string> = new Set(['None', 'AAD', 'AccountManagedIdentity', 'UserEntraToken']);
