/** Signals reach what was begun, and nothing else: neither the second one nor a late one ends it unfinished. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
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

  it('that does not end is ended by who asks again', async () => {
    const module = JSON.stringify(join(import.meta.dirname, '../../src/cli/interrupt.ts'));
    const child = spawn(process.execPath, [
      '--input-type=module-typescript',
      '--eval',
      `import { interruptible } from ${module};
       const ticking = setInterval(() => {}, 1000);
       await interruptible((interrupted) => {
         interrupted.addEventListener('abort', () => console.log('heard'));
         console.log('ready');
         return new Promise(() => {});
       });
       clearInterval(ticking);`,
    ]);
    const ended = new Promise((done) => child.on('exit', (_code, signal) => done(signal)));
    await new Promise((ready) => child.stdout.once('data', ready));
    const asking = setInterval(() => child.kill('SIGTERM'), 500);
    expect(await ended).toBe('SIGTERM');
    clearInterval(asking);
  });

  it('gives the signals back where it fails', async () => {
    const before = process.listenerCount('SIGINT');
    await expect(interruptible(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
