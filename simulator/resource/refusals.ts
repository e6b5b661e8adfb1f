/** Refusals in ARM's own words: of what is not there, not yet gone, or nowhere to be had. */

import { ArmError, type ResourceId } from '../contract/index.ts';

/** What Azure says of a location that it does not have: of groups in other words than of resources. */
export function notAvailable(type: string, location: string, regions: readonly string[]): ArmError {
  const all = regions.join(',');
  return type.toLowerCase() === 'microsoft.resources/resourcegroups'
    ? new ArmError(
        400,
        'LocationNotAvailableForResourceGroup',
        `The provided location '${location}' is not available for resource group. List of available regions is '${all}'.`,
      )
    : new ArmError(
        400,
        'LocationNotAvailableForResourceType',
        `The provided location '${location}' is not available for resource type '${type}'. List of available regions for the resource type is '${all}'.`,
      );
}

export function locationRequired(): ArmError {
  return new ArmError(400, 'LocationRequired', 'The location property is required for this definition.');
}

/** Types whose absence Azure tells in words of their own. */
const MISSING: Record<string, { code: string; what: string }> = {
  'microsoft.resources/resourcegroups': { code: 'ResourceGroupNotFound', what: 'Resource group' },
  'microsoft.resources/deployments': { code: 'DeploymentNotFound', what: 'Deployment' },
  'microsoft.resources/deployments/operations': {
    code: 'DeploymentOperationNotFound',
    what: 'Deployment operation',
  },
};

export function notFound(id: ResourceId): ArmError {
  const own = MISSING[id.type.toLowerCase()];
  if (own) return new ArmError(404, own.code, `${own.what} '${id.name}' could not be found.`);
  const typeAndName = [
    id.provider,
    ...id.type
      .split('/')
      .slice(1)
      .flatMap((segment, i) => [segment, id.names[i] ?? '']),
  ].join('/');
  const where = id.resourceGroup ? ` under resource group '${id.resourceGroup}'` : '';
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${typeAndName}'${where} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** Does Azure tell the absence of such a thing in words of its own, wherever it is missed? */
export function isNamedWhenMissing({ type }: ResourceId): boolean {
  return MISSING[type.toLowerCase()] !== undefined;
}

/** 409 for whatever would be written to a group that is on its way out. */
export function beingDeleted(group: string): ArmError {
  return new ArmError(
    409,
    'ResourceGroupBeingDeleted',
    `The resource group '${group}' is in deprovisioning state and cannot perform this operation.`,
  );
}

/** What a long-running operation ended with, for one inside the cloud that waited for it: it was accepted at first. */
export class FailedOperation extends ArmError {
  readonly state: 'Failed' | 'Canceled';
  constructor(state: 'Failed' | 'Canceled', ...error: ConstructorParameters<typeof ArmError>) {
    super(...error);
    this.state = state;
  }
}
