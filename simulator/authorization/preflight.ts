/** Before a deployment begins: may its deployer make all that its template has? */

import { ArmError, type Cloud, type Principal } from '../contract/index.ts';
import { mayBeAllowed } from './access.ts';

/**
 * Throws ArmError 403 `InvalidTemplateDeployment` in Azure's words, naming each resource that the deployer may not
 * write.
 */
export function requireDeployable(
  cloud: Cloud,
  principal: Principal,
  resources: readonly { id: string; name: string; type: string; existing?: boolean }[],
): void {
  const refused = resources.filter(
    ({ id, type, existing }) => existing !== true && !mayBeAllowed(cloud, principal, `${type}/write`, id),
  );
  if (refused.length === 0) return;
  const reasons = refused.map(
    ({ id, name, type }) =>
      `Authorization failed for template resource '${name}' of type '${type}'. The client '${principal.clientId}' with object id '${principal.objectId}' does not have permission to perform action '${type}/write' at scope '${id}'.`,
  );
  const errors = refused.length === 1 ? 'error' : 'multiple errors';
  throw new ArmError(403, 'InvalidTemplateDeployment', `Deployment failed with ${errors}: '${reasons.join(':')}'`);
}
