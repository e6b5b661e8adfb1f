/**
 * What follows a completed move, on a real Temporal server: the region that was left is reprotected once it is steady.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { workflowIdOf } from '../../src/plan/operations.ts';
import { final, reference, startEngine, step, type Engine } from './engine.ts';

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

  it('what the region did while nobody looked is unknown: its steady time begins again', async ({ expect }) => {
    const answers = (count: number) => Array.from({ length: count }, () => 'answers' as const);
    const afterAPause = () => wait(3500, 'answers' as const);
    const { events, ...run } = await engine.run({
      steps: [step('a')],
      departed: [...answers(2), afterAPause, ...answers(12)],
    });
    expect(await run.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(() => expect(opened(events)).toBe(1), patience);
    const before = events.slice(0, events.indexOf('open reprotect'));
    expect(looks(before).length).toBeGreaterThan(3 + 2);
  });

  it('a look that fails for good is not the last one', async ({ expect }) => {
    const fails = () => Promise.reject(final('the journal is damaged'));
    const { events, ...run } = await engine.run({ steps: [step('a')], departed: ['silent', fails, 'silent'] });
    expect(await run.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(() => expect(looks(events)).toEqual(['look: silent', 'look: silent', 'look: over']), patience);
  });

  it('a run whose workflow cannot be started is ended: nobody would wait for it in vain', async ({ expect }) => {
    const taken = { ...reference, topology: `taken-${randomUUID()}`, operation: 'reprotect' as const };
    const options = { workflowId: workflowIdOf(taken), taskQueue: 'nobody', args: [taken] };
    const other = await engine.client.workflow.start('reprotect', options);
    const departed = Array.from({ length: 12 }, () => 'answers' as const);
    const { events, ...run } = await engine.run({ steps: [step('a')], departed, follows: () => taken });
    expect(await run.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(
      () => expect(events).toContainEqual(expect.stringMatching(/^drop reprotect: .*already/i)),
      patience,
    );
    await other.terminate();
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
