/** Images in the container registry of the workspace that is left: they go dark with its region, and nothing carries them yet. */
import { apiVersions, type Arm, type Json } from '../azure/azure.ts';
import { textAt } from '../azure/body/json.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { regionName } from '../workspace/workspace.ts';

/** Finds the images of a resource that the standby cannot pull once the region is dark. */
export type LostImages = (json: Json) => string[];

interface OwnRegistry {
  arm: Arm;
  /** ARM id of the registry that the workspace names; undefined: it has none. */
  registry: string | undefined;
  /** ARM id of the standby's. */
  standby: string | undefined;
  /** The standby's region. */
  region: string;
  signal: AbortSignal;
}

/** None are lost where both workspaces have one registry, or a replica of it serves the standby's region. */
export async function lostImages(request: OwnRegistry): Promise<LostImages> {
  const server = await serverThatGoesDark(request);
  if (server === undefined) return () => [];
  return (json) => textsOf(json).filter((text) => text.toLowerCase().startsWith(`${server}/`));
}

export const imageReason =
  'in the container registry of the workspace, which goes dark with its region: push it to a registry that the standby can pull from';

/** The registry's host, in lower case. */
async function serverThatGoesDark({
  arm,
  registry,
  standby,
  region,
  signal,
}: OwnRegistry): Promise<string | undefined> {
  if (registry === undefined || registry.toLowerCase() === standby?.toLowerCase()) return undefined;
  try {
    const found = await arm.find(registry, apiVersions.containerRegistry, { signal });
    const server = found && textAt(found.properties, 'loginServer')?.toLowerCase();
    if (server === undefined) return undefined;
    const replicas = await Array.fromAsync(
      arm.list(`${registry}/replications`, apiVersions.containerRegistry, { signal }),
    );
    const isServed = replicas.some(({ location }) => regionName(location ?? '') === region);
    return isServed ? undefined : server;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    // Its settings may not be read: its name is its host, in every public cloud.
    return `${registry.split('/').at(-1)?.toLowerCase()}.azurecr.io`;
  }
}

function textsOf(json: Json): string[] {
  if (typeof json === 'string') return [json];
  if (json === null || typeof json !== 'object') return [];
  return (Array.isArray(json) ? json : Object.values(json)).flatMap(textsOf);
}
