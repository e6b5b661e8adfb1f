/** `lookAtConfigs`: a host's worker checks its config files before a move, within a short deadline. Changes nothing. */
import { proxyActivities } from '@temporalio/workflow';
import type { LookActivities } from '../activities/index.ts';
import type { HostLookRequest, TargetLook } from '../src/switch/look-at-configs.ts';
import { lookOn } from './profiles.ts';

/**
 * Returns what the worker found, one per target. Fails if no worker of the host starts it in time, or the worker cannot
 * check.
 */
export async function lookAtConfigs(request: HostLookRequest): Promise<TargetLook[]> {
  const onHost = proxyActivities<LookActivities>(lookOn(request.host, request.deadlineSeconds));
  return onHost.lookAtConfigs(request);
}
