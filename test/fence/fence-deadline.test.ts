/** How long the old side is asked, by a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { fenceBegan, GaveUp, FenceDeadline, type FenceDeadlineOptions } from '../../src/fence/fence-deadline.ts';
import { makeStage } from '../run/step-context.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const unanswered = () => new UnderstudyError('AzureUnavailable', 'no answer (ECONNREFUSED)');
const deadline = (more: Partial<FenceDeadlineOptions> = {}) =>
  new FenceDeadline({ signal: new AbortController().signal, limitMs: 20_000, ...more });

/** How `work` ended, and after how many milliseconds. */
async function outcome(work: Promise<unknown>): Promise<{ value?: unknown; error?: unknown; ms: number }> {
  const began = performance.now();
  const ended = work.then(
    (value) => ({ value, ms: performance.now() - began }),
    (error: unknown) => ({ error, ms: performance.now() - began }),
  );
  await vi.runAllTimersAsync();
  return ended;
}

describe('the old side', () => {
  it('is asked again until it answers', async () => {
    let times = 0;
    const asked = deadline().ask(() => (++times < 4 ? Promise.reject(unanswered()) : Promise.resolve('yes')));
    expect(await outcome(asked)).toMatchObject({ value: 'yes' });
  });

  it('that answers nothing is silent when the deadline is over, and not before', async () => {
    const { error, ms } = await outcome(deadline().ask(() => Promise.reject(unanswered())));
    expect(error).toMatchObject({ isSilent: true, message: 'no answer (ECONNREFUSED)' });
    expect(error).toBeInstanceOf(GaveUp);
    expect(ms).toBeGreaterThanOrEqual(19_000);
    expect(ms).toBeLessThan(22_000);
  });

  it('that hangs is cut off at the deadline', async () => {
    const asked = deadline().ask(
      ({ signal, onSent }) =>
        new Promise((_, reject) => {
          onSent?.();
          signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
        }),
    );
    const { error, ms } = await outcome(asked);
    expect(error).toMatchObject({ isSilent: true, message: 'no answer in time' });
    expect(ms).toBeLessThan(21_000);
  });

  it('that answers in part is given no more time for it, and is not silent', async () => {
    const asking = deadline();
    const both = (async () => {
      for (;;) {
        await asking.ask(() => Promise.resolve('a list'));
        await asking.ask(() => Promise.reject(unanswered()));
      }
    })();
    const { error, ms } = await outcome(both);
    expect(error).toMatchObject({ isSilent: false });
    expect(ms).toBeLessThan(22_000);
  });

  it('that gets on with the work has as long as it takes', async () => {
    const asking = deadline();
    const working = (async () => {
      for (let done = 0; done < 10; done++) {
        await vi.advanceTimersByTimeAsync(15_000);
        await asking.ask(() => Promise.resolve());
        asking.progress();
        asking.check('stopped');
      }
      return 'done';
    })();
    expect(await outcome(working)).toMatchObject({ value: 'done' });
  });

  it('has no longer than all deadline lasts, and is slow then, not silent', async () => {
    const asking = deadline({ endsInMs: 60_000 });
    const working = (async () => {
      for (;;) {
        await vi.advanceTimersByTimeAsync(15_000);
        asking.progress();
        asking.checkEnd('2 of 9 jobs are still being cancelled');
      }
    })();
    const { error } = await outcome(working);
    expect(error).toMatchObject({ isSilent: false, message: '2 of 9 jobs are still being cancelled' });
  });

  it('that is throttled is not silent, however long', async () => {
    const throttled = new UnderstudyError('AzureUnavailable', 'TooManyRequests', {
      azure: { status: 429 },
      retryAfterSeconds: 15,
    });
    let times = 0;
    const asked = deadline().ask(() => (++times < 10 ? Promise.reject(throttled) : Promise.resolve('yes')));
    const { value, ms } = await outcome(asked);
    expect(value).toBe('yes');
    expect(ms).toBeGreaterThan(100_000);
  });

  it('is not silent while a request waits for its turn in our own queue', async () => {
    const asked = deadline().ask(async ({ onSent }) => {
      await vi.advanceTimersByTimeAsync(60_000);
      onSent?.();
      return 'yes';
    });
    expect(await outcome(asked)).toMatchObject({ value: 'yes' });
    let times = 0;
    const late = deadline().ask(async ({ onSent }) => {
      if (++times === 1) await vi.advanceTimersByTimeAsync(60_000);
      onSent?.();
      if (times < 3) throw unanswered();
      return 'yes';
    });
    expect(await outcome(late)).toMatchObject({ value: 'yes' });
  });

  it.each([{ origin: 'control-store' }, { origin: 'sign-in' }] as const)(
    'is not what failed where it was our own: $origin',
    async ({ origin }) => {
      const dark = new UnderstudyError('AzureUnavailable', 'no answer', { origin });
      const { error, ms } = await outcome(deadline().ask(() => Promise.reject(dark)));
      expect(error).toBe(dark);
      expect(ms).toBe(0);
      // Nor where the deadline of the old side is over by then.
      const late = deadline().ask(async ({ onSent }) => {
        onSent?.();
        await vi.advanceTimersByTimeAsync(30_000);
        throw dark;
      });
      expect((await outcome(late)).error).toBe(dark);
    },
  );

  it('that refuses has answered', async () => {
    const refusal = new UnderstudyError('AzureError', 'AuthorizationFailed', { azure: { status: 403 } });
    const asking = deadline();
    expect((await outcome(asking.ask(() => Promise.reject(refusal)))).error).toBe(refusal);
    expect(asking.heard).toBe(true);
  });
});

describe('another attempt', () => {
  it('asks no longer than is left of the deadline, and once at least', async () => {
    const left = await outcome(deadline({ overMs: 15_000, leastMs: 1000 }).ask(() => Promise.reject(unanswered())));
    expect(left.error).toMatchObject({ isSilent: true });
    expect(left.ms).toBeLessThan(6000);
    let times = 0;
    const late = deadline({ overMs: 3_600_000, leastMs: 1000 }).ask(() => {
      times += 1;
      return Promise.reject(unanswered());
    });
    expect((await outcome(late)).ms).toBeLessThan(2000);
    expect(times).toBeGreaterThan(0);
  });

  it('knows that the region has answered the one before', async () => {
    const asked = deadline({ overMs: 19_000, leastMs: 1000, heard: true }).ask(() => Promise.reject(unanswered()));
    expect((await outcome(asked)).error).toMatchObject({ isSilent: false });
  });

  it('counts from when the first has written down that the fence began', async () => {
    const stage = await makeStage();
    const began = stage.scene.clock.now().toISOString();
    const context = stage.context('fence/platform/intake');
    expect(await fenceBegan(context)).toBe(began);
    stage.scene.clock.forward(90_000);
    expect(await fenceBegan(context)).toBe(began);
    // What an undo asks of the other region begins then.
    expect(await fenceBegan({ ...context, from: context.to })).not.toBe(began);
  });
});

describe('a process that stands still', () => {
  beforeEach(() => void vi.useRealTimers());

  it('does not take its own silence for that of the region', async () => {
    const standStill = () => {
      for (const until = performance.now() + 2500; performance.now() < until;);
    };
    const asked = deadline({ limitMs: 400 }).ask(async ({ signal, onSent }) => {
      onSent?.();
      setTimeout(standStill, 10);
      return new Promise((resolve, reject) => {
        setTimeout(() => resolve('yes'), 450);
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    });
    expect(await asked).toBe('yes');
  });
});
