/**
 * A platform of jobs that does what the test says, a function a method; a method that is not given must not be called.
 */
import type { AzureJobs } from '../../src/workspace/jobs/azure-jobs.ts';

export function fakeJobs(does: Partial<AzureJobs>): AzureJobs {
  const missing = (method: string) => () => {
    throw new Error(`the test gives no "${method}"`);
  };
  return {
    unfinished: does.unfinished ?? missing('unfinished'),
    find: does.find ?? missing('find'),
    cancel: does.cancel ?? missing('cancel'),
    submit: does.submit ?? missing('submit'),
  };
}
