/** What follows a completed move, on a real Temporal server: the region that was left is reprotected once it is steady. */
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { final, startEngine, step, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.close());

const patience = { timeout: 30_000, interval: 100 };
const looks = (events: readonly string[]) => events.filter((event) => event.startsWith('look'));
const opened = (events: readonly string[]) => events.filter((event) => event === 'open reprotect').length;

describe.concurrent('after a completed move', () => {
  it('the region must answer without a break before anything is begun', async ({ expect }) => {
    const answers = Array.from({ length: 10 }, () => 'answers' as const);
    const { events, ...run } = await engine.run({
      steps: [step('a')],
      departed: ['silent', 'answers', 'answers', 'silent', ...answers],
    });
    expect(await run.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(() => expect(opened(events)).toBe(1), patience);
    // What was answered before the break does not count.
    const broken = events.lastIndexOf('look: silent');
    const since = events.slice(broken + 1, events.indexOf('open reprotect'));
    expect(broken).toBeGreaterThan(0);
    expect(since.length).toBeGreaterThan(2);
    expect(new Set(since.filter((event) => event.startsWith('look')))).toEqual(new Set(['look: answers']));
    // Another reprotection is open, so that this one begins its steady time again, and sees the other's end.
    await vi.waitFor(() => expect(looks(events).at(-1)).toBe('look: over'), patience);
  });

  it('nothing is begun while another run is open, or once nothing is left to follow', async ({ expect }) => {
    const { events, ...run } = await engine.run({ steps: [step('a')], departed: ['waits', 'waits', 'waits', 'waits'] });
    expect(await run.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(() => expect(looks(events).at(-1)).toBe('look: over'), patience);
    expect(opened(events)).toBe(0);
  });
});

describe.concurrent('nothing follows', () => {
  it('a move that failed, or a replication', async ({ expect }) => {
    const failing = {
      a: () => {
        throw final('refused');
      },
    };
    const failed = await engine.run({ steps: [step('a')], work: failing, departed: [] });
    expect(await failed.result()).toMatchObject({ state: 'failed' });
    const replicated = await engine.run({ operation: 'replicate', steps: [step('a')], departed: [] });
    expect(await replicated.result()).toMatchObject({ state: 'completed' });
    expect([...looks(failed.events), ...looks(replicated.events)]).toEqual([]);
  });
});
