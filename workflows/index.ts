/** A workflow type per operation, by the operation's own name; and what outlives a run. */
export { failover } from './failover.ts';
export { replicate } from './replicate.ts';
export { tellOfEnd } from './tell-of-end.ts';
