/**
 * The ARM template language, whole and by itself: it knows nothing of the local Azure but what an `Environment` tells.
 *
 *     const plan = planDeployment(input);                       // throws ArmError InvalidTemplate
 *     for (const r of inOrderOfDependsOn(plan.resources))       // the caller's own order and parallelism
 *       await put(r.id, await plan.evaluateBody(r, environment), r.apiVersion);
 *     const outputs = await plan.evaluateOutputs(environment);
 */

export { requireContentVersion } from './content-version.ts';
export { missingMember } from './language/language-error.ts';
export { locatedIn } from './located.ts';
export { planDeployment, validateTemplate } from './plan.ts';
export { templateHash } from './template-hash.ts';
export { whatIf } from './what-if.ts';
export type {
  DeploymentInput,
  DeploymentPlan,
  DeploymentScope,
  Environment,
  PlannedResource,
  WhatIfChange,
} from './language/types.ts';
