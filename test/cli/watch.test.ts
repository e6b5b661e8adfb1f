/** Watching is not the run: it ends at once when somebody leaves, and believes the journal where Temporal is gone. */
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { showRun } from '../../src/cli/watch.ts';
import { changeRun, openRun } from '../../src/run/journal.ts';
import type { Session } from '../../src/operations/session.ts';
import type { StartedRun } from '../../src/operations/runs/open-run.ts';
import { requireCompleted } from '../../src/operations/runs/watch-run.ts';
import type { RunHandle } from '../../src/client/runs.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

const runId = '20261121T030000Z-failover-3f9a';
let written: MockInstance<typeof process.stdout.write>;
beforeEach(() => {
  written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  written.mockRestore();
});

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

function runWith(handle: Partial<RunHandle>): StartedRun {
  return { runId, handle: handle as RunHandle, started: true };
}

const output = { stream: process.stdout };
const session = () => ({ store: fakeControlStore() }) as unknown as Session;

describe('anyone who watches', () => {
  it('leaves at once, although nobody answers', async () => {
    const leaving = new AbortController();
    const run = runWith({ query: () => never(), describe: () => never() });
    const began = Date.now();
    const watching = showRun(output, session(), run, leaving.signal);
    setTimeout(() => leaving.abort(), 20);
    expect((await watching).state).toBe('left');
    expect(Date.now() - began).toBeLessThan(2000);
  });

  it('that has left before it began leaves too', async () => {
    const watched = await showRun(output, session(), runWith({}), AbortSignal.abort());
    expect(watched.state).toBe('left');
  });

  it('leaves when nobody reads what is shown', async () => {
    const run = runWith({ query: () => never(), describe: () => never() });
    const watching = showRun(output, session(), run, new AbortController().signal);
    const ours = vi.fn();
    process.stdout.on('error', ours);
    process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    process.stdout.off('error', ours);
    expect((await watching).state).toBe('left');
  });

  it('believes the journal where Temporal does not answer', async () => {
    const { store } = session();
    await openRun(store, {
      runId,
      topology: 'fraud-ml',
      operation: 'failover',
      bundle: 'b',
      reason: 'a test',
      triggeredBy: 'a test',
      triggeredAt: '2026-11-21T10:00:00.000Z',
    });
    await changeRun(store, runId, { state: 'failed', stateReason: 'no quota' });
    const refused = () => Promise.reject(new Error('unavailable'));
    const run = runWith({ query: refused, describe: refused });
    const watched = await showRun(output, { store } as Session, run, new AbortController().signal);
    expect(watched).toMatchObject({ runId, state: 'failed', reason: 'no quota' });
    // What to do is the journal's to say, as status says it.
    expect(watched.next).toContain(`understudy retry ${runId}`);
  });
});

describe('the command ends', () => {
  it.each([
    ['completed', undefined],
    ['failed', 1],
    ['cancelled', 3],
    ['left', 3],
  ] as const)('for a run that %s with %s', (state, exitCode) => {
    const end = () => requireCompleted({ runId, state, reason: 'why' });
    if (exitCode === undefined) expect(end).not.toThrow();
    else expect(end).toThrow(expect.objectContaining({ exitCode, message: expect.stringContaining(runId) }));
  });
});
