/** A schedule as an ARM resource: what can be written back, and whether it fires. */
import { workspaceId, type Side } from '../topology/sides.ts';
import { apiVersions, type ArmResource, type Azure, type CallOptions, type JsonObject } from '../azure/azure.ts';

/** Returns the properties that can be written back. */
export function writable({ properties }: ArmResource): JsonObject {
  const { provisioningState: _, ...kept } = properties;
  return kept;
}

/** Whether the schedule fires. */
export function isEnabled({ properties }: ArmResource): boolean {
  return properties['isEnabled'] !== false;
}

/** ARM path of a schedule. `workspace`: its ARM id. */
export function schedulePath(workspace: string, name: string): string {
  return `${workspace}/schedules/${encodeURIComponent(name)}`;
}

/** Enables or disables a schedule of a side. Returns false if it already was, or does not exist. */
export async function setEnabled(
  azure: Azure,
  side: Side,
  name: string,
  enabled: boolean,
  options: CallOptions,
): Promise<boolean> {
  const path = schedulePath(workspaceId(side.workspace), name);
  const held = await azure.arm.find(path, apiVersions.machineLearning, options);
  if (!held || isEnabled(held) === enabled) return false;
  const properties = { ...writable(held), isEnabled: enabled };
  await azure.arm.put(path, apiVersions.machineLearning, { properties }, options);
  return true;
}
