/**
 * Which computes really run jobs: only those that say so, for what they run is code from job specs, on this machine.
 */

import type { Stored } from '../../../contract/index.ts';
import { objectOf } from '../../bodies/fields.ts';

/** The tag of a compute whose command jobs run as processes of this machine. */
const EXECUTE_TAG = 'local-azure-execute';

export function executesJobs(compute: Stored | undefined): boolean {
  return objectOf(compute?.resource.tags)[EXECUTE_TAG] === 'true';
}
