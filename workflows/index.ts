/**
 * A workflow type per operation, by the operation's own name; and a look that a host's worker is asked for.
 */
export { failover } from './failover.ts';
export { lookAtConfigs } from './look-at-configs.ts';
export { replicate } from './replicate.ts';
