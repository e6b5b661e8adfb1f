/**
 * `lookAtConfigs`: a host's worker looks at its config files before a move, within a short deadline. Changes
 * nothing.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { LookActivities } from '../activities/index.ts';
import type { HostLookRequest, TargetLook } from '../src/switch/look-at-configs.ts';
import { lookOn } from './profiles.ts';

/**
 * What the worker found, one a target. Fails where no worker of the host takes it up in time, or the worker
 * cannot look.
 */
export async function lookAtConfigs(request: HostLookRequest): Promise<TargetLook[]> {
  const onHost = proxyActivities<LookActivities>(lookOn(request.host, request.deadlineSeconds));
  return onHost.lookAtConfigs(request);
}
