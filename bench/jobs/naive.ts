/**
 * What anyone would write first: the typed client of Azure's SDK with its own retries, 64 jobs in flight, and no
 * pacing.
 */
import { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import { forEachBounded } from '../../src/run/work/bounded.ts';
import type { Outcome, Settings } from './benchmark.ts';
import { credential } from './credential.ts';

const inFlight = 64;

export async function resubmitAll({ endpoint, jobs }: Settings): Promise<Outcome> {
  const client = new AzureMachineLearningWorkspaces(credential, 'sub-1', { endpoint, $host: endpoint });
  const names = Array.from({ length: jobs }, (_, index) => `train-${index}`);
  let lost = 0;
  const began = performance.now();
  await forEachBounded(names, inFlight, async (name) => {
    const body = {
      properties: {
        jobType: 'Command' as const,
        command: 'python train.py',
        environmentId: 'e',
        displayName: name,
      },
    };
    try {
      await client.jobs.createOrUpdate('ml-west', 'fraud-west', name, body);
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 429) throw error;
      lost += 1;
    }
  });
  return { seconds: (performance.now() - began) / 1000, lost, peakMiB: 0 };
}
