/**
 * One workflow type per operation, with the operation's own name; the check that a host's worker makes; and what
 * outlives a run.
 */
export { failback } from './failback.ts';
export { failover } from './failover.ts';
export { followMove } from './follow-move.ts';
export { lookAtConfigs } from './look-at-configs.ts';
export { replicate } from './replicate.ts';
export { reprotect } from './reprotect.ts';
export { resubmit } from './resubmit.ts';
export { switchover } from './switchover.ts';
export { tellOfEnd } from './tell-of-end.ts';
