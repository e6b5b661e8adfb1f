/** A deployment's operations at the path that resource-group deployments have had since before `providers`. */

import { page } from '../http/paging.ts';
import { ArmError, type JsonObject, type Provider, type Stored } from '../contract/index.ts';
import { OPERATION } from './notes.ts';
import { DEPLOYMENT } from '../resource/table.ts';

/**
 * `…/resourcegroups/{g}/deployments/{d}/operations`: the path that resource-group deployments have had since before
 * `providers`.
 */
export function legacyOperations(
  request: Parameters<NonNullable<Provider['route']>>[0],
): { status: number; body: JsonObject } | undefined {
  const match =
    /^(\/subscriptions\/[^/]+\/resourcegroups\/[^/]+)\/deployments\/([^/]+)\/operations(?:\/([^/]+))?$/i.exec(
      request.path,
    );
  if (!match || request.method !== 'GET') return undefined;
  const { cloud, path, query } = request;
  const [, group = '', name = '', operation] = match;
  const id = `${decodeURIComponent(group)}/providers/${DEPLOYMENT}/${decodeURIComponent(name)}`;
  if (!cloud.store.get(id)) throw new ArmError(404, 'DeploymentNotFound', `Deployment '${name}' could not be found.`);
  const all = cloud.store.children(id, OPERATION);
  if (operation === undefined) {
    const { items, nextLink } = page(cloud.armEndpoint, { path, query }, all, 25);
    const value = items.map(shownOperation);
    return { status: 200, body: nextLink === undefined ? { value } : { value, nextLink } };
  }
  const found = all.find(({ resource }) => resource.name.toLowerCase() === operation.toLowerCase());
  if (!found)
    throw new ArmError(404, 'DeploymentOperationNotFound', `Deployment operation '${operation}' could not be found.`);
  return { status: 200, body: shownOperation(found) };
}

function shownOperation({ resource }: Stored): JsonObject {
  return { id: resource.id, operationId: resource.name, properties: resource.properties };
}
