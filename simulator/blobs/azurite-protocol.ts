/** What the local Azure and its Azurite child process say to each other. */

/** From the parent: all accounts there are, with their base64 keys. */
export interface AccountsMessage {
  sequence: number;
  accounts: Record<string, { key1: string; key2: string }>;
}
/** To the parent: where Azurite listens, then that the accounts of a message are in force. */
export type ChildMessage = { port: number } | { applied: number };

/** The header by which the parent vouches for a request whose bearer token it has checked. Its value is a secret of this run. */
export const VOUCHED_HEADER = 'local-azure-vouched';
