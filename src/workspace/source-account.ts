/** A storage account of the active side, as a recovery point keeps it. */
import { z } from 'zod';
import { sameName } from '../azure/ids.ts';
import type { Container } from './sharing.ts';

export const SourceAccount = z.strictObject({
  name: z.string(),
  id: z.string(),
  endpoint: z.string(),
  /** The workspace's own account: container names are kept in the standby. */
  own: z.boolean(),
  /** Containers that the standby has as a datastore, too: read where they are, and not copied but for jobs' checkpoints. */
  shared: z.array(z.string()).optional(),
});
export type SourceAccount = z.infer<typeof SourceAccount>;

/** Whether what a container holds is brought to the standby, and not read where it is. */
export function isCopied(accounts: readonly SourceAccount[], { account, container }: Container): boolean {
  const found = accounts.find(({ name }) => sameName(name, account));
  return found !== undefined && found.shared?.includes(container) !== true;
}
