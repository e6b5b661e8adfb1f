/** A workflow type per operation, by the operation's own name. */
export { failover } from './failover.ts';
export { replicate } from './replicate.ts';
