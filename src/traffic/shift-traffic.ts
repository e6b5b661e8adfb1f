/**
 * Front Door: gives the standby's origin all traffic and disables the old one, so that the front does not switch back
 * by itself when the old region answers its probes again.
 */
import { apiVersions, type JsonObject } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';

type FrontDoor = NonNullable<NonNullable<StepContext['topology']['traffic']>['frontDoor']>;

interface TrafficUndo {
  origins: { path: string; properties: JsonObject }[];
}

/** The highest weight of an origin in Azure Front Door (1 to 1000). */
const fullWeight = 1000;

/** The action `shiftTraffic`. */
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

/** The undo of `shiftTraffic`: restores the origins. Idempotent. */
export async function shiftTrafficBack(context: StepContext, undo: unknown): Promise<string> {
  const { origins } = undo as TrafficUndo;
  // Enable the old origin before disabling the standby's, so that there is always one.
  for (const { path, properties } of origins.toReversed()) await set(context, path, properties);
  return 'the origins are as they were';
}

async function stateOf({ azure, signal }: StepContext, path: string): Promise<TrafficUndo['origins'][number]> {
  const { properties } = await azure.arm.get(path, apiVersions.cdn, { signal });
  const { enabledState = 'Enabled', weight = fullWeight, priority = 1 } = properties;
  return { path, properties: { enabledState, weight, priority } };
}

/** Sets an origin and reads it back: Azure may accept the change and apply it later. */
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
    throw new UnderstudyError('TopologyError', `traffic.frontDoor.origins names no origin for region "${region}"`);
  }
  return (
    `/subscriptions/${front.subscriptionId}/resourceGroups/${front.resourceGroup}/providers/Microsoft.Cdn` +
    `/profiles/${front.profile}/originGroups/${front.originGroup}/origins/${origin}`
  );
}
