/** Finds what a workspace has that Understudy does not carry, so that it can be reported. */
import { apiVersions, type Arm } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { LeftBehindList } from '../recovery-point/drafts.ts';
import type { KnownWorkspace } from '../workspace/workspace.ts';

const others: Record<string, string> = {
  batchEndpoints: 'batch endpoints',
  serverlessEndpoints: 'serverless endpoints',
  featuresets: 'feature sets',
  featurestoreEntities: 'feature store entities',
};

const reason = 'of a kind that is not carried: make them in the standby yourself';

/**
 * Lists what is not carried.
 * Errors: AzureUnavailable.
 */
export async function listOthers(
  arm: Arm,
  { id }: KnownWorkspace,
  leftBehind: LeftBehindList,
  signal: AbortSignal,
): Promise<void> {
  for (const [type, kind] of Object.entries(others)) {
    try {
      const all = arm.list(`${id}/${type}`, apiVersions.machineLearning, { signal });
      for await (const { name } of all) leftBehind.add(kind, reason, name);
    } catch (error) {
      if (!isUnderstudyError(error, 'AzureError')) throw error;
      // Not every cloud and region offers every kind. Where a kind is not offered, none can exist.
      const { status } = error.details.azure ?? {};
      if (status !== 400 && status !== 404) leftBehind.add(kind, `could not be listed: ${messageOf(error)}`, type);
    }
  }
}
