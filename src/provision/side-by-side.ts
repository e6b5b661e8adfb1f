/**
 * Changes several resources concurrently, because Azure needs minutes for each. An attempt continues where the previous
 * one was cut short.
 */
import { z } from 'zod';
import type { CallOptions } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { everySecond } from '../run/work/every-second.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';

/** Azure starts machines at its own pace. More concurrent changes would only reach the limits of its control plane. */
const changesSideBySide = 16;

/** What the attempts of a step share. Small, because it is sent with heartbeats. */
const Cursor = z.strictObject({
  /** When the first attempt began (milliseconds since 1970). The policy's time covers all attempts together. */
  began: z.number(),
  /** By name: why it could not be done, or null once it is done. */
  ended: z.record(z.string(), z.string().nullable()),
});
type Cursor = z.infer<typeof Cursor>;

/** The changes to make. */
export interface Changes<T extends { name: string }> {
  /** "computes" */
  unit: string;
  items: readonly T[];
  /** Returns why it cannot be done, or undefined once it is done. It may throw Azure's refusals. */
  change: (item: T, options: CallOptions) => Promise<string | undefined>;
}

/**
 * Returns, by name, why each change could not be made, or undefined if it was. A change that takes longer than the
 * policy `provisionDeadline` fails, and the others do not wait for it.
 * Errors: AzureUnavailable, FencedError.
 */
export async function sideBySide<T extends { name: string }>(
  context: StepContext,
  { unit, items, change }: Changes<T>,
): Promise<ReadonlyMap<string, string | undefined>> {
  const { provisionDeadline } = context.topology.policies;
  const state = cursorOf(context);
  const tell = () =>
    context.checkpoint({
      unit,
      done: Object.keys(state.ended).length,
      total: items.length,
      cursor: { began: state.began, ended: { ...state.ended } } satisfies Cursor,
    });
  await tell();
  const fenced = new AbortController();
  const leftMs = state.began + toSeconds(provisionDeadline) * 1000 - context.now().getTime();
  const deadline = AbortSignal.timeout(Math.max(0, leftMs));
  const beat = everySecond(tell);
  const options: CallOptions = {
    signal: AbortSignal.any([context.signal, deadline, fenced.signal]),
    onAnswer: () => void beat().catch((error: unknown) => fenced.abort(error)),
  };
  const left = items.filter(({ name }) => !Object.hasOwn(state.ended, name));
  await forEachBounded(left, changesSideBySide, async (item) => {
    try {
      state.ended[item.name] = (await change(item, options)) ?? null;
    } catch (error) {
      if (fenced.signal.aborted) throw fenced.signal.reason;
      if (context.signal.aborted) throw error;
      const late = deadline.aborted && !isUnderstudyError(error);
      if (!late && !isUnderstudyError(error, 'AzureError')) throw error;
      state.ended[item.name] = late
        ? `not done within ${provisionDeadline} (policies.provisionDeadline)`
        : messageOf(error);
    }
    await tell();
  });
  return new Map(items.map(({ name }) => [name, state.ended[name] ?? undefined]));
}

function cursorOf({ cursor, now }: StepContext): Cursor {
  const known = Cursor.safeParse(cursor);
  return known.success ? known.data : { began: now().getTime(), ended: {} };
}
