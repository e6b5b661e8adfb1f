/** Planning; see index.ts. */

import { ArmError } from '../provider.ts';
import type { DeploymentInput, DeploymentPlan, Problem } from './types.ts';

/** Expands a template. Throws ArmError 400 `InvalidTemplate` (or `InvalidRequestContent`) that names the place. */
export function planDeployment(input: DeploymentInput): DeploymentPlan {
  throw new ArmError(
    501,
    'NotImplemented',
    `The deployment '${input.deploymentName}' cannot be planned yet.`,
  );
}

/** The problems a plan of this input would meet; empty if it can be planned. */
export function validateTemplate(input: DeploymentInput): Problem[] {
  try {
    planDeployment(input);
    return [];
  } catch (error) {
    if (error instanceof ArmError) return [{ code: error.code, message: error.message }];
    throw error;
  }
}
