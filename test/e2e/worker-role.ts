/**
 * The workers' principal: with templates/worker-role.json on the groups that it works in, reading of the subscription,
 * and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudAddress } from '../../src/stack/state.ts';
import { AzureReader } from './azure-reader.ts';
import { waitFor } from './processes.ts';

const root = join(import.meta.dirname, '..', '..');
const deploymentsVersion = '2024-03-01';

export interface WorkerPrincipal {
  clientId: string;
  clientSecret: string;
}

/** Makes the principal, deploys the role as the guide says, and assigns it in `groups`. */
export async function makeWorkerPrincipal(cloud: CloudAddress, groups: readonly string[]): Promise<WorkerPrincipal> {
  const azure = await AzureReader.open(cloud);
  const answer = await fetch(`${cloud.admin}/principals`, {
    method: 'POST',
    body: JSON.stringify({ displayName: 'worker', roles: ['Reader'] }),
  });
  const worker = (await answer.json()) as WorkerPrincipal & { objectId: string };
  const roleDefinitionId = await deployRole(azure);
  const subscription = `/subscriptions/${cloud.subscriptionId}`;
  for (const group of groups) {
    await azure.put(
      `${subscription}/resourceGroups/${group}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      { properties: { roleDefinitionId, principalId: worker.objectId, principalType: 'ServicePrincipal' } },
      '2022-04-01',
    );
  }
  return worker;
}

async function deployRole(azure: AzureReader): Promise<string> {
  const template = JSON.parse(await readFile(join(root, 'templates', 'worker-role.json'), 'utf8')) as unknown;
  const path = `/subscriptions/${azure.cloud.subscriptionId}/providers/Microsoft.Resources/deployments/worker-role`;
  const body = { location: 'centralus', properties: { mode: 'Incremental', template } };
  await azure.put(path, body, deploymentsVersion);
  let role: string | undefined;
  await waitFor('the deployment of the role', async () => {
    const { properties } = await azure.get(path, deploymentsVersion);
    const { provisioningState, outputs } = properties as {
      provisioningState: string;
      outputs?: { roleDefinitionId: { value: string } };
    };
    if (provisioningState === 'Failed') throw new Error(JSON.stringify(properties));
    role = outputs?.roleDefinitionId.value;
    return provisioningState === 'Succeeded';
  });
  if (role === undefined) throw new Error('the deployment of the role has no output');
  return role;
}
