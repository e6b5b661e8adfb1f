/** No new work starts on the old side: its schedules are disabled. */
import { apiVersions, type Azure, type CallOptions } from '../azure/azure.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { settleOrOwe } from './old-side.ts';

interface IntakeUndo {
  schedules: string[];
}

export function stopOldIntake(context: StepContext): Promise<StepResult> {
  const { azure, from } = context;
  return settleOrOwe(
    context,
    { kind: 'intake', what: `disable the schedules of ${from.region}` },
    async (signal) => {
      const { schedules } = await context.keepUndo<IntakeUndo>(async () => ({
        schedules: await enabledSchedules(azure, from, { signal }),
      }));
      return disableSchedules(azure, from, schedules, { signal });
    },
  );
}

export async function enabledSchedules(azure: Azure, side: Side, options: CallOptions): Promise<string[]> {
  const path = `${workspaceId(side.workspace)}/schedules?listViewType=All`;
  const names: string[] = [];
  for await (const { name, properties } of azure.arm.list(path, apiVersions.machineLearning, options)) {
    if (properties.isEnabled !== false) names.push(name);
  }
  return names;
}

/** Answers what was done, in one line. Disabling twice is disabling once. */
export async function disableSchedules(
  azure: Azure,
  side: Side,
  names: string[],
  options: CallOptions,
): Promise<string> {
  for (const name of names) await setEnabled(azure, side, name, false, options);
  return names.length === 0 ? 'no schedule was enabled' : `disabled ${names.join(', ')}`;
}

/** Of a cancelled run: the schedules it found enabled are enabled again. */
export async function startOldIntake({ azure, from }: StepContext, undo: unknown): Promise<string> {
  const { schedules } = (undo ?? { schedules: [] }) as IntakeUndo;
  for (const name of schedules) await setEnabled(azure, from, name, true, {});
  return schedules.length === 0 ? 'no schedule to enable' : `enabled ${schedules.join(', ')} again`;
}

async function setEnabled(azure: Azure, side: Side, name: string, isEnabled: boolean, options: CallOptions) {
  const path = `${workspaceId(side.workspace)}/schedules/${name}`;
  const { properties } = await azure.arm.get(path, apiVersions.machineLearning, options);
  if (properties.isEnabled === isEnabled) return;
  await azure.arm.put(
    path,
    apiVersions.machineLearning,
    { properties: { ...properties, isEnabled } },
    options,
  );
}
