/** Reports to the run how far the work is, about once a second, and thereby notices that the lease is lost. */
import type { Progress, StepContext } from './step-context.ts';

const intervalMs = 1000;

/** Progress of long work, saved now and again. */
export interface Heartbeat {
  /** Throws FencedError once the lease is lost. Cheap: call it for each item and each chunk of a stream. */
  beat: () => Promise<void>;
  /** What has been done since the start of the step; reported with the next beat. */
  add: (items: number, bytes: number) => void;
  /** Everything before `cursor` is done for good; reported at once. */
  save: (cursor: unknown) => Promise<void>;
}

/** Starts the heartbeat of a step; it reports to `context.checkpoint` at most once a second. */
export function startHeartbeat(
  context: Pick<StepContext, 'checkpoint' | 'signal'>,
  unit: string,
  start: { done?: number; bytes?: number; total?: number; cursor?: unknown } = {},
): Heartbeat {
  const progress: Progress = {
    unit,
    done: start.done ?? 0,
    bytes: start.bytes ?? 0,
    ...(start.total === undefined ? {} : { total: start.total }),
    ...(start.cursor === undefined ? {} : { cursor: start.cursor }),
  };
  let last = 0;
  const report = async () => {
    last = performance.now();
    await context.checkpoint({ ...progress });
  };
  return {
    async beat() {
      context.signal.throwIfAborted();
      if (performance.now() - last >= intervalMs) await report();
    },
    add(items, bytes) {
      progress.done += items;
      progress.bytes = (progress.bytes ?? 0) + bytes;
    },
    async save(cursor) {
      progress.cursor = cursor;
      await report();
    },
  };
}
