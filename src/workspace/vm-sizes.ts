/** Reads how many GPUs each VM size of the region has, while the region can be asked. */
import { z } from 'zod';
import { apiVersions, type Azure } from '../azure/azure.ts';
import { isUnderstudyError } from '../errors/error.ts';
import type { GpusOfSizes } from './jobs/gpus.ts';
import type { KnownWorkspace } from './workspace.ts';

const VmSizes = z.looseObject({
  value: z.array(z.looseObject({ name: z.string(), gpus: z.number().optional() })),
});

/**
 * Used only for reports. If it cannot be read, GPU-hours are unknown.
 * Errors: AzureUnavailable.
 */
export async function gpusOfRegion(
  { azure, signal }: { azure: Azure; signal: AbortSignal },
  { subscriptionId, location }: KnownWorkspace,
): Promise<{ gpus?: GpusOfSizes }> {
  const path = `/subscriptions/${subscriptionId}/providers/Microsoft.MachineLearningServices/locations/${location}/vmSizes`;
  try {
    const sizes = VmSizes.safeParse(await azure.arm.get(path, apiVersions.machineLearning, { signal })).data;
    if (!sizes) return {};
    const known = sizes.value.flatMap(({ name, gpus }) => (gpus === undefined ? [] : [[name.toLowerCase(), gpus]]));
    return { gpus: Object.fromEntries(known) as GpusOfSizes };
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return {};
  }
}
