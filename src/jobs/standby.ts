/** What the standby has, as far as jobs need to know. */
import { apiVersions, type Arm, type ArmResource } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { workspaceId } from '../topology/sides.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { textAt } from '../azure/json.ts';

export interface Standby {
  computes: ArmResource[];
  datastores: ArmResource[];
}

/** Errors: AzureUnavailable, CredentialError, AzureError. */
export async function readStandby(arm: Arm, workspace: WorkspaceRef, signal: AbortSignal): Promise<Standby> {
  const read = (type: string) =>
    Array.fromAsync(arm.list(`${workspaceId(workspace)}/${type}`, apiVersions.machineLearning, { signal }));
  const [computes, datastores] = await Promise.all([read('computes'), read('datastores')]);
  return { computes, datastores };
}

/** Whether a datastore of this name is one and the same store on both sides: same account, same container. */
export function sharedDatastores(
  old: readonly ArmResource[],
  standby: readonly ArmResource[],
): (name: string) => boolean {
  const placeOf = (all: readonly ArmResource[], name: string) => {
    const properties = all.find((each) => sameName(each.name, name))?.properties ?? {};
    const container = ['containerName', 'filesystem', 'fileShareName']
      .map((key) => textAt(properties, key))
      .find(Boolean);
    const account = textAt(properties, 'accountName') ?? textAt(properties, 'storeName');
    return account === undefined ? undefined : `${account}/${container ?? ''}`;
  };
  return (name) => {
    const place = placeOf(old, name);
    return place !== undefined && sameName(place, placeOf(standby, name));
  };
}
