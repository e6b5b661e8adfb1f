/**
 * Finds images in the active workspace's own container registry. They become unavailable with its region, and nothing
 * copies them yet.
 */
import { apiVersions, type Arm, type Json } from '../azure/azure.ts';
import { textAt } from '../azure/body/json.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { regionName } from '../workspace/workspace.ts';

/** Returns the images of a resource that the standby cannot pull once the region is down. */
export type LostImages = (json: Json) => string[];

interface OwnRegistry {
  arm: Arm;
  /** ARM id of the registry of the workspace. Undefined if it has none. */
  registry: string | undefined;
  /** ARM id of the standby's registry. */
  standby: string | undefined;
  /** The standby's region. */
  region: string;
  signal: AbortSignal;
}

/** No image is lost if both workspaces use one registry, or if the registry has a replica in the standby's region. */
export async function lostImages(request: OwnRegistry): Promise<LostImages> {
  const server = await serverThatGoesDark(request);
  if (server === undefined) return () => [];
  return (json) => textsOf(json).filter((text) => text.toLowerCase().startsWith(`${server}/`));
}

/** Why such an image is left behind, and what to do. */
export const imageReason =
  'in the container registry of the workspace, which is unavailable when its region is: push it to a registry that the standby can pull from';

/** Returns the registry's host in lower case. */
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
    // Its settings may not be readable. In every public cloud its name gives its host.
    return `${registry.split('/').at(-1)?.toLowerCase()}.azurecr.io`;
  }
}

function textsOf(json: Json): string[] {
  if (typeof json === 'string') return [json];
  if (json === null || typeof json !== 'object') return [];
  return (Array.isArray(json) ? json : Object.values(json)).flatMap(textsOf);
}
