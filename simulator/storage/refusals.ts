/** How the storage provider refuses a setting that it cannot take. */

import { ArmError, type Json } from '../contract/index.ts';

export function invalid(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'InvalidValuesForRequestParameters',
    `Values for request parameters are invalid: ${name}: expected ${expected}, got ${JSON.stringify(got ?? null)}.`,
    { target: name },
  );
}
