/**
 * Front Door: the standby's origin takes all traffic, the old one is disabled, so that the front does not go back by itself
 * when the old region answers its probes again.
 */
import { apiVersions, type JsonObject } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';

type FrontDoor = NonNullable<NonNullable<StepContext['topology']['traffic']>['frontDoor']>;

interface TrafficUndo {
  origins: { path: string; properties: JsonObject }[];
}

/** An origin's weight, 1 to 1000, as Azure Front Door takes it. */
const fullWeight = 1000;

export async function shiftTraffic(context: StepContext): Promise<StepResult> {
  const front = context.topology.traffic?.frontDoor;
  if (!front) return { state: 'skipped', detail: 'no traffic front is declared' };
  const standby = originPath(front, context.to.region);
  const old = originPath(front, context.from.region);
  await context.recordUndo<TrafficUndo>(async () => ({
    origins: await Promise.all([standby, old].map((path) => stateOf(context, path))),
  }));
  await set(context, standby, { enabledState: 'Enabled', weight: fullWeight, priority: 1 });
  await set(context, old, { enabledState: 'Disabled' });
  return {
    state: 'completed',
    detail: `${front.profile}/${front.originGroup}: ${context.to.region} takes all traffic`,
  };
}

export async function shiftTrafficBack(context: StepContext, undo: unknown): Promise<string> {
  const { origins } = undo as TrafficUndo;
  // The old origin is enabled before the standby's is taken away: never is there none.
  for (const { path, properties } of origins.toReversed()) await set(context, path, properties);
  return 'the origins are as they were';
}

async function stateOf(
  { azure, signal }: StepContext,
  path: string,
): Promise<TrafficUndo['origins'][number]> {
  const { properties } = await azure.arm.get(path, apiVersions.cdn, { signal });
  const { enabledState = 'Enabled', weight = fullWeight, priority = 1 } = properties;
  return { path, properties: { enabledState, weight, priority } };
}

/** Sets, and reads back: Azure may take the change and apply it later. */
async function set({ azure, signal }: StepContext, path: string, properties: JsonObject): Promise<void> {
  await azure.arm.patch(path, apiVersions.cdn, { properties }, { signal });
  const { properties: after } = await azure.arm.get(path, apiVersions.cdn, { signal });
  const different = Object.entries(properties).filter(([key, value]) => after[key] !== value);
  if (different.length === 0) return;
  throw new UnderstudyError(
    'NotYetError',
    `origin ${path.split('/').at(-1)}: expected ${different.map(([key, value]) => `${key} ${JSON.stringify(value)}, got ${JSON.stringify(after[key])}`).join('; ')}`,
  );
}

function originPath(front: FrontDoor, region: string): string {
  const origin = front.origins[region];
  if (origin === undefined) {
    throw new UnderstudyError(
      'TopologyError',
      `traffic.frontDoor.origins names no origin for region "${region}"`,
    );
  }
  return (
    `/subscriptions/${front.subscriptionId}/resourceGroups/${front.resourceGroup}/providers/Microsoft.Cdn` +
    `/profiles/${front.profile}/originGroups/${front.originGroup}/origins/${origin}`
  );
}
