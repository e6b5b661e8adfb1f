/** The region pointer says who serves a class; whoever reads it (CI, clients, replication) follows. */
import { assertEpoch, movePointer } from '../control-store/region-pointer.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';

export async function switchServing(context: StepContext): Promise<StepResult> {
  return serve(context, context.to.region);
}

export async function switchServingBack(context: StepContext): Promise<string> {
  return (await serve(context, context.from.region, false)).detail;
}

async function serve(context: StepContext, region: string, checkEpoch = true): Promise<StepResult> {
  const { class: resourceClass } = context.step;
  const epoch = Number(
    (await context.outcomeOf('fence/platform/pointer'))?.facts?.epoch ?? context.plan.madeInEpoch,
  );
  const pointer = await movePointer(context.store, (found) => {
    if (checkEpoch) assertEpoch(found, epoch);
    if (found.serving[resourceClass] === region) return undefined;
    return {
      ...found,
      serving: { ...found.serving, [resourceClass]: region },
      changedBy: context.run.runId,
      changedAt: context.now().toISOString(),
    };
  });
  return { state: 'completed', detail: `${region} serves ${resourceClass} (epoch ${pointer.epoch.number})` };
}
