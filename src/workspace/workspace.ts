/** A workspace as ARM returns it: the few facts that copying and restoring need. */
import { z } from 'zod';
import { apiVersions, type Arm, type ArmResource } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { WorkspaceRef } from '../topology/topology.ts';

/** The active workspace as recorded in a recovery point. */
export const SourceWorkspace = WorkspaceRef.extend({
  guid: z.string(),
  location: z.string(),
  /** ARM ids of associated resources: `storageAccount`, `keyVault`, `applicationInsights`, `containerRegistry`. */
  associated: z.record(z.string(), z.string()),
});
export type SourceWorkspace = z.infer<typeof SourceWorkspace>;

/** A workspace with its storage account. */
export interface KnownWorkspace extends SourceWorkspace {
  id: string;
  /** ARM id of the workspace's own storage account. */
  storageAccountId: string;
  resource: ArmResource;
}

/**
 * Reads a workspace.
 * Errors: PreconditionError if it does not exist, or has no storage account.
 */
export async function findWorkspace(arm: Arm, side: Side, signal: AbortSignal): Promise<KnownWorkspace> {
  const id = workspaceId(side.workspace);
  const resource = await arm.find(id, apiVersions.machineLearning, { signal });
  if (!resource) {
    throw new UnderstudyError(
      'PreconditionError',
      `workspace "${side.workspace.name}" in ${side.region} does not exist`,
      {
        place: id,
        next: `Name the template that builds it in regions.${side.region}.template, or build it yourself, and run again.`,
      },
    );
  }
  const { workspaceId: guid, storageAccount } = resource.properties;
  if (typeof storageAccount !== 'string') {
    throw new UnderstudyError('PreconditionError', `workspace "${side.workspace.name}" has no storage account`, {
      place: id,
    });
  }
  return {
    ...side.workspace,
    id,
    guid: typeof guid === 'string' ? guid : '',
    location: regionName(resource.location ?? side.region),
    associated: associatedOf(resource),
    storageAccountId: storageAccount,
    resource,
  };
}

const associatedKinds = ['storageAccount', 'keyVault', 'applicationInsights', 'containerRegistry'];

function associatedOf({ properties }: ArmResource): Record<string, string> {
  const found = associatedKinds.map((kind) => [kind, properties[kind]] as const);
  return Object.fromEntries(
    found.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}

/** `East US` and `eastus` are the same region. */
export function regionName(location: string): string {
  return location.toLowerCase().replaceAll(' ', '');
}

/** Returns `score/blue` of the id `…/onlineEndpoints/score/deployments/blue`. */
export function belowEndpoint(id: string): string {
  const segments = id.split('/');
  return `${segments.at(-3)}/${segments.at(-1)}`;
}

/** Returns the last segment of an ARM id. */
export function nameOfId(id: string): string {
  return id.split('/').at(-1) ?? id;
}
