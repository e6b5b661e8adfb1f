/** Signals reach what was begun, and nothing else: neither the second one nor a late one ends it unfinished. */
import { describe, expect, it } from 'vitest';
import { interruptible } from '../../src/cli/interrupt.ts';

describe('interruptible work', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'hears of %s, more than once, and ends as it likes',
    async (signal) => {
      const before = process.listenerCount(signal);
      const answer = await interruptible(async (interrupted) => {
        expect(interrupted.aborted).toBe(false);
        process.kill(process.pid, signal);
        await new Promise((heard) => interrupted.addEventListener('abort', heard, { once: true }));
        process.kill(process.pid, signal);
        await new Promise((later) => setTimeout(later, 50));
        return 'ended by itself';
      });
      expect(answer).toBe('ended by itself');
      expect(process.listenerCount(signal)).toBe(before);
    },
  );

  it('gives the signals back where it fails', async () => {
    const before = process.listenerCount('SIGINT');
    await expect(interruptible(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
