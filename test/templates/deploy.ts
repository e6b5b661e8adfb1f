/** Deploys the project's templates to a cloud that is only a map. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import {
  type DeploymentInput,
  type DeploymentPlan,
  type Environment,
  planDeployment,
} from '../../simulator/template/index.ts';

const folder = join(import.meta.dirname, '../../templates');

function readTemplate(name: string): JsonObject {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as JsonObject;
}

export const subscriptionId = '0b1f6471-1bf0-4dda-aec3-111122223333';
export const groupId = `/subscriptions/${subscriptionId}/resourceGroups/ml-east`;

/** The plan of one of the project's templates, in resource group 'ml-east' of eastus. */
export function plan(name: string, parameters: Record<string, Json>): DeploymentPlan {
  const input: DeploymentInput = {
    template: readTemplate(name),
    parameters: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, { value }])),
    mode: 'Incremental',
    deploymentName: 'main',
    scope: {
      kind: 'resourceGroup',
      subscriptionId,
      tenantId: '11111111-2222-3333-4444-555555555555',
      resourceGroup: { name: 'ml-east', location: 'eastus', id: groupId },
      location: 'eastus',
    },
  };
  return planDeployment(input);
}

/** A cloud that keeps what is put, and answers with the read-only fields that the outputs read. */
function fakeCloud(made: Map<string, JsonObject>): Environment {
  return {
    async reference(id, _apiVersion, full) {
      const resource = made.get(id.toLowerCase());
      if (resource === undefined) throw new Error(`reference to '${id}', which is not made yet`);
      return (full ? resource : resource['properties']) as JsonObject;
    },
    async action() {
      throw new Error('no template here calls an action');
    },
    now: () => new Date(0),
  };
}

const READ_ONLY: Record<string, JsonObject> = {
  'Microsoft.Storage/storageAccounts': { primaryEndpoints: { blob: 'https://account.blob.example/' } },
  'Microsoft.KeyVault/vaults': { vaultUri: 'https://vault.example/' },
  'Microsoft.MachineLearningServices/workspaces': { discoveryUrl: 'https://eastus.example/discovery' },
  'Microsoft.Cdn/profiles/afdEndpoints': { hostName: 'fraud.example' },
};

/** Makes every resource when all it depends on is made; answers the bodies by name, in the order they were made. */
export async function deploy(
  planned: DeploymentPlan,
): Promise<{ bodies: Map<string, JsonObject>; outputs: JsonObject }> {
  const made = new Map<string, JsonObject>();
  const bodies = new Map<string, JsonObject>();
  const cloud = fakeCloud(made);
  let left = planned.resources;
  while (left.length > 0) {
    const ready = left.filter((each) => each.dependsOn.every((id) => made.has(id.toLowerCase())));
    if (ready.length === 0) throw new Error(`nobody makes what these wait for: ${left.map((each) => each.id).join()}`);
    for (const resource of ready) {
      const body = await planned.evaluateBody(resource, cloud);
      bodies.set(`${resource.type} ${resource.name}`, body);
      const properties = { ...(body['properties'] as JsonObject), ...READ_ONLY[resource.type] };
      made.set(resource.id.toLowerCase(), { ...body, properties, identity: { principalId: 'p-1' } });
    }
    left = left.filter((each) => !ready.includes(each));
  }
  return { bodies, outputs: await planned.evaluateOutputs(cloud) };
}
