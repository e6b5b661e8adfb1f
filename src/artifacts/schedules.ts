/** A schedule as ARM has it: what may be written back, and whether it fires. */
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId, type Side } from '../topology/sides.ts';

export function writable({ properties }: ArmResource): JsonObject {
  const { provisioningState: _, ...kept } = properties;
  return kept;
}

export function isEnabled({ properties }: ArmResource): boolean {
  return properties['isEnabled'] !== false;
}

export function schedulePath(workspace: string, name: string): string {
  return `${workspace}/schedules/${encodeURIComponent(name)}`;
}

/** Enables or disables a schedule of a side; false: it was so, or is not there. */
export async function setEnabled(
  { azure, signal }: Pick<StepContext, 'azure' | 'signal'>,
  side: Side,
  name: string,
  enabled: boolean,
): Promise<boolean> {
  const path = schedulePath(workspaceId(side.workspace), name);
  const held = await azure.arm.find(path, apiVersions.machineLearning, { signal });
  if (!held || isEnabled(held) === enabled) return false;
  const properties = { ...writable(held), isEnabled: enabled };
  await azure.arm.put(path, apiVersions.machineLearning, { properties }, { signal });
  return true;
}
