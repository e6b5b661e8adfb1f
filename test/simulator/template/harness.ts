/** One expression or one template, planned and evaluated against a cloud that is a map. */

import { ArmError, type Json, type JsonObject } from '../../../simulator/contract/index.ts';
import {
  type DeploymentInput,
  type DeploymentPlan,
  type Environment,
  type PlannedResource,
  planDeployment,
} from '../../../simulator/template/index.ts';

export const subscriptionId = '00000000-0000-0000-0000-00000000abcd';
export const groupId = `/subscriptions/${subscriptionId}/resourceGroups/rg`;
export const storage = `${groupId}/providers/Microsoft.Storage/storageAccounts`;

export function template(parts: JsonObject): JsonObject {
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    resources: [],
    ...parts,
  };
}

export function input(parts: JsonObject, more: Partial<DeploymentInput> = {}): DeploymentInput {
  return {
    template: template(parts),
    parameters: {},
    mode: 'Incremental',
    deploymentName: 'main',
    scope: {
      kind: 'resourceGroup',
      subscriptionId,
      tenantId: '11111111-2222-3333-4444-555555555555',
      resourceGroup: { name: 'rg', location: 'eastus', id: groupId, tags: { team: 'ml' } },
      location: 'eastus',
    },
    ...more,
  };
}

export function plan(parts: JsonObject, more: Partial<DeploymentInput> = {}): DeploymentPlan {
  return planDeployment(input(parts, more));
}

/** A cloud of `resources` by id; everything asked of it is written to `asked`. */
export function cloud(resources: Record<string, JsonObject> = {}, asked: string[] = []): Environment {
  const byId = new Map(Object.entries(resources).map(([id, resource]) => [id.toLowerCase(), resource]));
  return {
    async reference(id, apiVersion, full) {
      asked.push(`${id} ${apiVersion ?? ''} ${full ? 'full' : 'properties'}`);
      const resource = byId.get(id.toLowerCase());
      if (resource === undefined) throw new ArmError(404, 'ResourceNotFound', `The Resource '${id}' was not found.`);
      return (full ? resource : resource['properties']) as JsonObject;
    },
    async action(id, apiVersion, action, body) {
      asked.push(`${action} ${id} ${apiVersion}`);
      return { keys: [{ value: `key of ${id.split('/').at(-1) ?? ''}` }], body: body ?? null };
    },
    now: () => new Date('2026-01-02T03:04:05Z'),
    async secret(vaultId, name) {
      return `secret ${name} of ${vaultId.split('/').at(-1) ?? ''}`;
    },
  };
}

/** The value of one expression, as an output. */
export async function value(
  expression: Json,
  parts: JsonObject = {},
  more: Partial<DeploymentInput> = {},
): Promise<Json> {
  const outputs = await plan(
    { ...parts, outputs: { o: { type: 'object', value: { v: expression } } } },
    more,
  ).evaluateOutputs(cloud());
  return ((outputs['o'] as JsonObject)['value'] as JsonObject)['v'] ?? null;
}

/** The message of what planning (or evaluating) throws. */
export async function failure(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ArmError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

export function named(planned: DeploymentPlan, name: string): PlannedResource {
  const found = planned.resources.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`'${name}' is not planned: ${planned.resources.map((each) => each.name).join()}`);
  return found;
}

export async function body(planned: DeploymentPlan, name: string, environment = cloud()): Promise<JsonObject> {
  return planned.evaluateBody(named(planned, name), environment);
}

/** A storage account of a template. */
export function account(name: string, more: JsonObject = {}): JsonObject {
  return {
    type: 'Microsoft.Storage/storageAccounts',
    apiVersion: '2023-05-01',
    name,
    location: 'eastus',
    ...more,
  };
}
