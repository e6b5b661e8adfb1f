/**
 * A workflow type per operation, by the operation's own name; a look that a host's worker is asked for; and what outlives a run.
 */
export { failover } from './failover.ts';
export { lookAtConfigs } from './look-at-configs.ts';
export { replicate } from './replicate.ts';
export { tellOfEnd } from './tell-of-end.ts';
