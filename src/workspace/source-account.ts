/** A storage account of the active side, as recorded in a recovery point. */
import { z } from 'zod';
import { sameName } from '../azure/ids.ts';
import type { Container } from './sharing.ts';

/** A storage account that is copied. */
export const SourceAccount = z.strictObject({
  name: z.string(),
  id: z.string(),
  endpoint: z.string(),
  /** The workspace's own account: container names stay the same in the standby. */
  own: z.boolean(),
  /**
   * Containers that the standby also has as a datastore. They are read in place and not copied, except for checkpoints
   * of jobs.
   */
  shared: z.array(z.string()).optional(),
});
export type SourceAccount = z.infer<typeof SourceAccount>;

/** Whether a container is copied to the standby, instead of being read in place. */
export function isCopied(accounts: readonly SourceAccount[], { account, container }: Container): boolean {
  const found = accounts.find(({ name }) => sameName(name, account));
  return found !== undefined && found.shared?.includes(container) !== true;
}
