/** `onErrorDeployment`: a deployment that fails is followed by an earlier one that succeeded, deployed again. */

import { isObject, textOf } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import { ArmError, type Cloud, type JsonObject, type Stored } from '../contract/index.ts';
import { DEPLOYMENT } from '../resource/table.ts';

export interface Rollback {
  type: 'LastSuccessful' | 'SpecificDeployment';
  deploymentName?: string;
}

/**
 * What a deployment asks for should it fail; undefined: nothing.
 *
 * Errors: ArmError 400 for what cannot be meant, 404 for a deployment that is not there, 409 for one that did not
 * succeed.
 */
export function rollbackOf(cloud: Cloud, deploymentId: string, properties: JsonObject): Rollback | undefined {
  const asked = properties.onErrorDeployment;
  if (asked === undefined || asked === null) return undefined;
  const type = isObject(asked) ? asked.type : undefined;
  const name = isObject(asked) ? asked.deploymentName : undefined;
  if (type === 'LastSuccessful' && (name === undefined || name === null)) return { type };
  if (type !== 'SpecificDeployment' || typeof name !== 'string')
    throw new ArmError(
      400,
      'InvalidOnErrorDeployment',
      "'properties.onErrorDeployment' is invalid: expected type 'LastSuccessful', or type 'SpecificDeployment' with a 'deploymentName'.",
    );
  const found = sibling(cloud, deploymentId, name);
  if (!found) throw new ArmError(404, 'DeploymentNotFound', `Deployment '${name}' could not be found.`);
  if (!isUsable(found))
    throw new ArmError(
      409,
      'OnErrorDeploymentNotSuccessful',
      `The deployment '${name}' cannot be deployed on error: its provisioning state is '${textOf(found.resource.properties.provisioningState)}', expected 'Succeeded'.`,
    );
  return { type, deploymentName: name };
}

/** The deployment to go back to; undefined where none has succeeded. */
export function rollbackTarget(cloud: Cloud, deploymentId: string, rollback: Rollback): Stored | undefined {
  if (rollback.deploymentName !== undefined) return sibling(cloud, deploymentId, rollback.deploymentName);
  const scope = parseResourceId(deploymentId)?.scope ?? '';
  return cloud.store
    .children(scope, DEPLOYMENT)
    .filter((one) => isUsable(one) && one.resource.id.toLowerCase() !== deploymentId.toLowerCase())
    .sort((a, b) => b.changedAt - a.changedAt)[0];
}

function sibling(cloud: Cloud, deploymentId: string, name: string): Stored | undefined {
  return cloud.store.get(`${parseResourceId(deploymentId)?.scope ?? ''}/providers/${DEPLOYMENT}/${name}`);
}

/** It succeeded, and what it deployed is still known. */
function isUsable({ resource, hidden }: Stored): boolean {
  return resource.properties.provisioningState === 'Succeeded' && isObject(hidden.template);
}
