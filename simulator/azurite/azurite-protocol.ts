/** What the local Azure and its Azurite child process say to each other. */

/** From the parent: all accounts there are, with their base64 keys. */
export interface AccountsMessage {
  sequence: number;
  accounts: Record<string, { key1: string; key2: string }>;
}

/**
 * From the parent: what is to become of an account's replica in the secondary region. `track` begins one with what the
 * account holds now; `sync` brings it to the state that the account had at `to` (milliseconds on the cloud's clock);
 * `failOver` makes it the account, and what it has not is lost; `forget` ends it, and the secondary is again read from
 * the account itself.
 */
export interface ReplicaMessage {
  sequence: number;
  replica: { act: 'track' | 'failOver' | 'forget'; account: string } | ReplicaSync;
}
export interface ReplicaSync {
  act: 'sync';
  account: string;
  to: number;
}

export type ParentMessage = AccountsMessage | ReplicaMessage;
/** To the parent: where Azurite listens, then that a message is carried out. */
export type ChildMessage = { port: number } | { applied: number; error?: string };

/**
 * The header by which the parent vouches for a request whose bearer token it has checked. Its value is a secret of this
 * run.
 */
export const VOUCHED_HEADER = 'local-azure-vouched';
/** The cloud's clock at the moment the parent sends a request on, in milliseconds since 1970. */
export const CLOCK_HEADER = 'local-azure-clock';
