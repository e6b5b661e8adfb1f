/** The workflow on a real Temporal server: order, failures, pausing, cancelling, resuming. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { final, gate, startEngine, step, untilAborted, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.close());

const before = (events: string[], first: string, second: string) =>
  events.indexOf(first) >= 0 && events.indexOf(first) < events.indexOf(second);

describe('steps', () => {
  it('run as soon as what they need is done, side by side where nothing holds them', async () => {
    const both = gate();
    let running = 0;
    const meet = async () => {
      if (++running === 2) both.open();
      await both.opened;
      return 'met';
    };
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])],
      work: { b: meet, c: meet },
    });
    expect(await execution.result()).toMatchObject({ state: 'completed', reason: 'every step is done' });
    for (const [first, second] of [
      ['end a', 'start b'],
      ['end a', 'start c'],
      ['end b', 'start d'],
      ['end c', 'start d'],
    ] as const) {
      expect(before(execution.events, first, second), `${first} before ${second}`).toBe(true);
    }
    const progress = await execution.progress();
    expect(progress.steps.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'completed'],
      ['b', 'completed'],
      ['c', 'completed'],
      ['d', 'completed'],
    ]);
    expect(progress.steps[1]?.detail).toBe('met');
    expect(execution.ended).toMatchObject([{ state: 'completed', run: { runId: 'run-1' } }]);
  });

  it('that fail hold up only what needs them', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['b']), step('d', ['a']), step('e', ['c', 'd'])],
      work: {
        b: () => {
          throw final('no quota');
        },
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'failed', reason: 'b: no quota' });
    const progress = await execution.progress();
    expect(Object.fromEntries(progress.steps.map(({ id, state, detail }) => [id, [state, detail]]))).toEqual({
      a: ['completed', 'done'],
      b: ['failed', 'no quota'],
      c: ['pending', 'not run: needs b'],
      d: ['completed', 'done'],
      e: ['pending', 'not run: needs c'],
    });
    expect(execution.events).not.toContain('start c');
    expect(execution.events.some((event) => event.startsWith('undo'))).toBe(false);
  });

  it('are tried again while their error may pass', async () => {
    const attempts: number[] = [];
    const execution = await engine.run({
      steps: [step('a')],
      work: {
        a: (_signal, attempt) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error(`not yet (${attempt})`);
          return 'at last';
        },
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(attempts).toEqual([1, 2, 3]);
  });

  it('of a named host run on its worker, and on no other', async () => {
    const execution = await engine.run({
      steps: [step('a', [], { host: 'train-01', action: 'rewriteConfigs' })],
      hosts: ['train-01'],
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    const history = await execution.handle.fetchHistory();
    const scheduled =
      history.events?.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []) ?? [];
    expect(scheduled.find(({ activityId }) => activityId === 'a')?.taskQueue?.name).toBe(
      'understudy-host-train-01',
    );
  });

  it('that the journal has already are not run again', async () => {
    const at = '2026-11-21T10:00:01.000Z';
    const known = { holder: 'h', attempts: 1, startedAt: at, endedAt: at };
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['b']), step('d', ['b'])],
      records: [
        { step: 'a', state: 'completed', detail: 'of before', ...known },
        { step: 'b', state: 'skipped', detail: 'nothing to do', ...known },
        { step: 'c', state: 'failed', detail: 'of before', ...known },
        { step: 'd', state: 'running', ...known },
      ],
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(execution.events.toSorted()).toEqual(['end c', 'end d', 'start c', 'start d']);
    const { steps } = await execution.progress();
    expect(steps.map(({ state, detail }) => `${state}: ${detail}`)).toEqual([
      'completed: of before',
      'skipped: nothing to do',
      'completed: done',
      'completed: done',
    ]);
  });
});

describe('pause and resume', () => {
  it('hold back what has not begun, and let what runs go on', async () => {
    const a = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: { a: () => a.opened.then(() => 'done') },
    });
    await vi.waitFor(() => expect(execution.events).toEqual(['start a']), { timeout: 10_000 });
    await execution.handle.signal('pause', 'someone');
    await vi.waitFor(async () => expect((await execution.progress()).paused).toBe(true), { timeout: 10_000 });
    a.open();
    await vi.waitFor(async () => expect((await execution.progress()).steps[0]?.state).toBe('completed'), {
      timeout: 10_000,
    });
    expect(execution.events).toEqual(['start a', 'end a']);
    expect((await execution.progress()).steps[1]?.state).toBe('pending');
    await execution.handle.signal('resume', 'someone');
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(execution.events).toEqual(['start a', 'end a', 'start b', 'end b']);
  });

  it('does not keep a cancelled run from ending', async () => {
    const a = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: { a: () => a.opened.then(() => 'done') },
    });
    await vi.waitFor(() => expect(execution.events).toEqual(['start a']), { timeout: 10_000 });
    await execution.handle.signal('pause', 'someone');
    a.open();
    await vi.waitFor(async () => expect((await execution.progress()).steps[0]?.state).toBe('completed'), {
      timeout: 10_000,
    });
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.events).toEqual(['start a', 'end a', 'undo a']);
  });
});

describe('cancel', () => {
  it('undoes newest first, goes on after an undo that fails, and says what is left', async () => {
    const execution = await engine.run({
      steps: [
        step('a'),
        step('b', ['a']),
        step('c', ['b'], { undoable: false }),
        step('d', ['c']),
        step('e', ['d']),
        step('f', ['e']),
      ],
      work: { e: untilAborted },
      undo: {
        b: () => {
          throw final('the role is gone');
        },
      },
    });
    await vi.waitFor(() => expect(execution.events).toContain('start e'), { timeout: 10_000 });
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled; not undone: b',
    });
    const undone = execution.events.filter((event) => event.startsWith('undo'));
    expect(undone).toEqual(['undo e', 'undo d', 'undo b', 'undo a']);
    expect(execution.events).not.toContain('start f');
    const { steps } = await execution.progress();
    expect(
      Object.fromEntries(steps.map(({ id, state, detail }) => [id, `${state}: ${detail ?? ''}`])),
    ).toEqual({
      a: 'undone: done',
      b: 'undo-failed: undo failed: the role is gone',
      c: 'completed: done',
      d: 'undone: done',
      e: 'failed: cancelled while it ran',
      f: 'pending: not run: cancelled',
    });
    expect(execution.ended).toMatchObject([
      {
        state: 'cancelled',
        givenUp: [
          { step: 'b', state: 'undo-failed', message: 'undo failed: the role is gone' },
          { step: 'e', state: 'failed', message: 'cancelled while it ran' },
        ],
      },
    ]);
  });

  it('undoes nothing while a step may still write', async () => {
    const slow = gate();
    const aborted = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: {
        b: async (signal) => {
          signal.addEventListener('abort', () => aborted.open(), { once: true });
          await slow.opened;
          return 'written after all';
        },
      },
    });
    await vi.waitFor(() => expect(execution.events).toContain('start b'), { timeout: 10_000 });
    await execution.handle.cancel();
    await aborted.opened; // the step has been told, and has not ended
    await expect(execution.progress()).resolves.toMatchObject({ state: 'running' });
    expect(execution.events).toEqual(['start a', 'end a', 'start b']);
    slow.open();
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled by a person; what can be undone is undone',
    });
    expect(execution.events).toEqual(['start a', 'end a', 'start b', 'end b', 'undo b', 'undo a']);
  });

  it('before the run has begun ends it, with nothing to undo', async () => {
    const begun = gate();
    const execution = await engine.run({
      steps: [step('a')],
      begin: (signal) => {
        begun.open();
        return untilAborted(signal);
      },
    });
    await begun.opened;
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled by a person before it began',
    });
    expect(execution.events).toEqual([]);
    expect(execution.ended).toMatchObject([{ state: 'cancelled' }]);
  });
});

it('shows how a run ended to a search for its outcome', async () => {
  const execution = await engine.run({ steps: [step('a')] });
  await execution.result();
  const query = `WorkflowId = "${execution.handle.workflowId}" AND UnderstudyOutcome = "completed"`;
  await vi.waitFor(
    async () => {
      const found: string[] = [];
      for await (const { workflowId } of engine.client.workflow.list({ query })) found.push(workflowId);
      expect(found).toEqual([execution.handle.workflowId]);
    },
    { timeout: 15_000, interval: 200 },
  );
});
