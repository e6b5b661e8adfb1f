/** The workflows on a real Temporal server: order, failures, pausing, cancelling, deadlines, taking up again. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import { cancelledRun, final, gate, startEngine, step, untilAborted, type Engine, type Execution } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.close());

const until = { timeout: 10_000 };
const statesOf = async (execution: Execution) =>
  Object.fromEntries(
    (await execution.progress()).steps.map(({ id, state, detail }) => [id, `${state}: ${detail ?? ''}`]),
  );
const at = '2026-11-21T10:00:01.000Z';
const known = (id: string, state: StepRecord['state']): StepRecord => ({
  step: id,
  state,
  detail: 'of before',
  holder: 'h',
  attempts: 1,
  startedAt: at,
  ...(state === 'running' ? {} : { endedAt: at }),
});
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
    const { runId: holder } = await execution.handle.describe();
    expect(execution.ended).toEqual([
      {
        run: expect.objectContaining({ runId: 'run-1', operation: 'failover', holder }),
        state: 'completed',
        reason: 'every step is done',
        givenUp: [],
      },
    ]);
    expect(execution.events.at(-1)).toBe('report');
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

  it('are tried again once an attempt has taken as long as the plan says', async () => {
    const execution = await engine.run({
      steps: [step('a', [], { timeLimits: { attemptSeconds: 2, stepSeconds: 60, silenceSeconds: 60 } }), step('b')],
      work: { a: (signal, attempt) => (attempt === 1 ? untilAborted(signal) : 'at last') },
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(await statesOf(execution)).toMatchObject({ a: 'completed: at last' });
    const events = (await execution.handle.fetchHistory()).events ?? [];
    const limitOf = (id: string) => {
      const [scheduled] = events.flatMap(({ activityTaskScheduledEventAttributes: each }) =>
        each?.activityId === id ? [each] : [],
      );
      return Number(scheduled?.startToCloseTimeout?.seconds);
    };
    expect([limitOf('a'), limitOf('b')]).toEqual([2, 1800]);
  });

  it('of a named host run on its worker, and on no other', async () => {
    const execution = await engine.run({
      steps: [step('a', [], { host: 'train-01', action: 'rewriteConfigs' })],
      hosts: ['train-01'],
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    const history = await execution.handle.fetchHistory();
    const scheduled = history.events?.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []) ?? [];
    expect(scheduled.find(({ activityId }) => activityId === 'a')?.taskQueue?.name).toBe('understudy-host-train-01');
  });

  it('that the journal has already are not run again', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['b']), step('d', ['b'])],
      records: [known('a', 'completed'), known('b', 'skipped'), known('c', 'failed'), known('d', 'running')],
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(execution.events.toSorted()).toEqual(['end c', 'end d', 'report', 'start c', 'start d']);
    const { steps } = await execution.progress();
    expect(steps.map(({ state, detail }) => `${state}: ${detail}`)).toEqual([
      'completed: of before',
      'skipped: of before',
      'completed: done',
      'completed: done',
    ]);
  });
});

describe('pause and unpause', () => {
  it('hold back what has not begun, and let what runs go on', async () => {
    const a = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: { a: () => a.opened.then(() => 'done') },
    });
    await vi.waitFor(() => expect(execution.events).toEqual(['start a']), until);
    await execution.handle.signal('pause', 'someone');
    await vi.waitFor(async () => expect((await execution.progress()).paused).toBe(true), until);
    a.open();
    await vi.waitFor(async () => expect((await execution.progress()).steps[0]?.state).toBe('completed'), {
      timeout: 10_000,
    });
    expect(execution.events).toEqual(['start a', 'end a']);
    expect((await execution.progress()).steps[1]?.state).toBe('pending');
    await execution.handle.signal('unpause');
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(execution.events).toEqual(['start a', 'end a', 'start b', 'end b', 'report']);
    expect((await execution.progress()).paused).toBe(false);
  });

  it('does not keep a cancelled run from ending', async () => {
    const a = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: { a: () => a.opened.then(() => 'done') },
    });
    await vi.waitFor(() => expect(execution.events).toEqual(['start a']), until);
    await execution.handle.signal('pause', 'someone');
    a.open();
    await vi.waitFor(async () => expect((await execution.progress()).steps[0]?.state).toBe('completed'), {
      timeout: 10_000,
    });
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.events).toEqual(['start a', 'end a', 'plan undo', 'undo a', 'report']);
    expect((await statesOf(execution)).b).toBe('pending: not run: cancelled');
  });
});

describe('a gate', () => {
  const asks = {
    name: 'g',
    approvers: ['bo', 'cy'],
    approvals: 1,
    deadlineSeconds: 600,
    afterDeadline: 'decline',
  } as const;
  const steps = [step('a'), step('ask', [], { action: 'awaitApproval', gate: asks }), step('b', ['a', 'ask'])];
  const decision = (by: string) => ({ by, at: '2026-11-21T10:00:00.000Z', approve: true, reason: 'seen' });
  const decide = (execution: Execution, of: string, by: string) =>
    execution.handle.executeUpdate<string, [object]>('decide', { args: [{ gate: of, decision: decision(by) }] });

  it('holds what waits for it, shows that the run waits, and takes a decision once it is recorded', async () => {
    const asked = gate();
    const execution = await engine.run({
      steps,
      work: { ask: () => asked.opened.then(() => 'approved by bo') },
      decide: () => {
        asked.open();
        return 'gate "g" is approved';
      },
    });
    await vi.waitFor(async () => expect((await execution.progress()).state).toBe('waiting'), until);
    const shown = await execution.progress();
    expect(shown).toMatchObject({ reason: 'gate "g" waits for an approval of bo, cy' });
    expect(shown.steps[1]).toMatchObject({ state: 'waiting' });
    // Refused by the validator: nothing is recorded.
    await expect(decide(execution, 'g', 'di')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"di" may not') },
    });
    await expect(decide(execution, 'h', 'bo')).rejects.toMatchObject({ cause: { message: 'the run has no gate "h"' } });
    expect(execution.events).not.toContain('decide g');
    expect(await decide(execution, 'g', 'bo')).toBe('gate "g" is approved');
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(execution.events.filter((event) => /decide|ask| b$/.test(event))).toEqual([
      'start ask',
      'decide g',
      'end ask',
      'start b',
      'end b',
    ]);
  });

  it('that asks no more takes no decision, and a refusal of the journal is that of the update', async () => {
    const asked = gate();
    const execution = await engine.run({
      steps: [...steps, step('c', [], { undoable: false })],
      work: { ask: () => asked.opened.then(() => 'approved'), c: untilAborted },
      decide: () => {
        throw final('"bo" has decided already');
      },
    });
    await vi.waitFor(async () => expect((await execution.progress()).state).toBe('waiting'), until);
    await expect(decide(execution, 'g', 'bo')).rejects.toMatchObject({
      cause: { cause: { message: '"bo" has decided already' } },
    });
    asked.open();
    await vi.waitFor(async () => expect((await execution.progress()).state).toBe('running'), until);
    await expect(decide(execution, 'g', 'bo')).rejects.toMatchObject({
      cause: { message: 'gate "g" does not ask now' },
    });
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
  });

  it('is broken off by a cancel, and what was done is undone', async () => {
    const execution = await engine.run({ steps, work: { ask: untilAborted } });
    await vi.waitFor(() => expect(execution.events).toContain('end a'), until);
    await vi.waitFor(async () => expect((await execution.progress()).state).toBe('waiting'), until);
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.events).toContain('undo a');
    expect((await statesOf(execution)).ask).toBe('cancelled: cancelled while it ran');
  });
});

describe('cancel', () => {
  it('undoes newest first, goes on after an undo that fails, and says what is left', async () => {
    const execution = await engine.run({
      steps: [
        step('a'),
        step('b', ['a']),
        step('c', ['b'], { undoable: false }),
        step('d', ['c'], { host: 'train-09', action: 'rewriteConfigs' }),
        step('e', ['d']),
        step('f', ['d']),
        step('g', ['e']),
        step('h', ['g']),
      ],
      hosts: ['train-09'],
      work: { f: untilAborted, g: untilAborted },
      keepsUndo: ['f'],
      undo: {
        b: () => {
          throw final('the lease is lost');
        },
        e: () => ({ state: 'undo-failed', detail: 'done — undo failed: the role is gone' }),
      },
    });
    await vi.waitFor(() => {
      expect(execution.events).toContain('start f');
      expect(execution.events).toContain('start g');
    }, until);
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({
      state: 'failed',
      reason: 'cancelled; not undone: b, e',
    });
    expect(execution.events.slice(execution.events.indexOf('plan undo'))).toEqual([
      'plan undo',
      // Broken off, and had kept what its undo needs; g had kept nothing, and c cannot be undone.
      'undo f',
      'undo e',
      'undo d',
      'undo b',
      'undo a',
      'report',
    ]);
    expect(execution.events).not.toContain('start h');
    expect(await statesOf(execution)).toEqual({
      a: 'undone: done',
      b: 'undo-failed: undo failed: the lease is lost',
      c: 'completed: done',
      d: 'undone: done',
      e: 'undo-failed: done — undo failed: the role is gone',
      f: 'undone: done',
      g: 'cancelled: cancelled while it ran',
      h: 'pending: not run: cancelled',
    });
    expect(await execution.progress()).toMatchObject({
      state: 'failed',
      reason: 'cancelled; not undone: b, e',
    });
    expect(execution.ended).toMatchObject([
      {
        state: 'failed',
        undone: true,
        givenUp: [
          { step: 'b', state: 'undo-failed', message: 'undo failed: the lease is lost' },
          { step: 'e', state: 'undo-failed', message: 'done — undo failed: the role is gone' },
          { step: 'g', state: 'cancelled', message: 'cancelled while it ran' },
        ],
      },
    ]);
    const history = await execution.handle.fetchHistory();
    const queues = history.events?.flatMap(({ activityTaskScheduledEventAttributes: each }) =>
      each?.activityType?.name === 'undoStep' ? [each.taskQueue?.name] : [],
    );
    expect(queues?.filter((name) => name === 'understudy-host-train-09')).toHaveLength(1);
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
    await vi.waitFor(() => expect(execution.events).toContain('start b'), until);
    await execution.handle.cancel();
    await aborted.opened; // the step has been told, and has not ended
    await expect(execution.progress()).resolves.toMatchObject({ state: 'running' });
    expect(execution.events).toEqual(['start a', 'end a', 'start b']);
    slow.open();
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled; what can be undone is undone',
    });
    expect(execution.events).toEqual([
      'start a',
      'end a',
      'start b',
      'end b',
      'plan undo',
      'undo b',
      'undo a',
      'report',
    ]);
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
      reason: 'cancelled; what can be undone is undone',
    });
    expect(execution.events).toEqual(['plan undo', 'report']);
    expect(execution.ended).toMatchObject([{ state: 'cancelled', undone: true, givenUp: [] }]);
  });

  it('while a run that is taken up again begins undoes what the run had done', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      records: [known('a', 'completed')],
      begin: () => {
        throw cancelledRun();
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.events).toEqual(['plan undo', 'undo a', 'report']);
    expect(execution.ended).toMatchObject([{ state: 'cancelled', undone: true }]);
  });

  it('that the control store has when the run begins lets no step run', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['b'])],
      records: [known('a', 'completed'), known('b', 'undone')],
      begun: { cancelled: true },
    });
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.events).toEqual(['plan undo', 'undo a', 'report']);
    expect(execution.ended).toMatchObject([{ state: 'cancelled', undone: true }]);
    expect(await statesOf(execution)).toEqual({
      a: 'undone: done',
      b: 'undone: of before',
      c: 'pending: ',
    });
  });

  it('that only an activity tells of is carried out', async () => {
    const b = gate();
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b']), step('e', ['c'])],
      work: {
        b: () => b.opened.then(() => 'done'),
        c: () => {
          throw cancelledRun();
        },
      },
    });
    await vi.waitFor(() => {
      expect(execution.events).toContain('start b');
      expect(execution.events).toContain('start c');
    }, until);
    b.open();
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled; what can be undone is undone',
    });
    expect(execution.events.slice(execution.events.indexOf('plan undo'))).toEqual([
      'plan undo',
      'undo b',
      'undo a',
      'report',
    ]);
    expect(execution.events).not.toContain('start d');
    expect(execution.events).not.toContain('start e');
    expect(await statesOf(execution)).toMatchObject({
      a: 'undone: done',
      b: 'undone: done',
      c: 'cancelled: cancelled while it ran',
    });
  });

  it('at the last moment is undone, and the run ended again', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      endings: [{ ended: false }],
    });
    expect(await execution.result()).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled; what can be undone is undone',
    });
    expect(execution.events.slice(-4)).toEqual(['plan undo', 'undo b', 'undo a', 'report']);
    expect(execution.ended.map(({ state, undone }) => [state, undone ?? false])).toEqual([
      ['completed', false],
      ['cancelled', true],
    ]);
    expect(await execution.progress()).toMatchObject({ state: 'cancelled' });
  });

  it('of a failed run at the last moment is undone too', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      work: {
        b: () => {
          throw final('no quota');
        },
      },
      endings: [{ ended: false }],
    });
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.ended.map(({ state }) => state)).toEqual(['failed', 'cancelled']);
    expect(execution.events.slice(-3)).toEqual(['plan undo', 'undo a', 'report']);
  });
});

describe('what is owed', () => {
  it('holds up nothing, and the run says so', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a']), step('c', ['b'])],
      work: {
        a: () => ({
          state: 'owed',
          detail: 'eastus does not answer',
          owed: [{ kind: 'jobs', region: 'eastus', what: 'jobs', reason: 'no answer', step: 'a' }],
          lost: ['one', 'two'],
        }),
      },
    });
    const reason = 'done, but for what is owed: a';
    expect(await execution.result()).toMatchObject({ state: 'completed', reason });
    expect(execution.events).toContain('end c');
    expect((await execution.progress()).steps[0]).toMatchObject({
      state: 'owed',
      detail: 'eastus does not answer',
      owed: 1,
      lost: 2,
    });
    expect(execution.ended).toMatchObject([{ state: 'completed', reason, givenUp: [] }]);
  });

  it('before an execution is not run again', async () => {
    const execution = await engine.run({
      steps: [step('a'), step('b', ['a'])],
      records: [known('a', 'owed')],
    });
    expect(await execution.result()).toMatchObject({ reason: 'done, but for what is owed: a' });
    expect(execution.events).toEqual(['start b', 'end b', 'report']);
  });
});

describe('a deadline', () => {
  const replicate = { operation: 'replicate', begun: { deadlineSeconds: 2 } } as const;

  it('breaks off what runs, lets nothing more start, and fails the run', async () => {
    const execution = await engine.run({
      ...replicate,
      steps: [step('a'), step('b', ['a']), step('c', ['b'])],
      work: { b: untilAborted },
    });
    const reason = 'its time was over in b';
    expect(await execution.result()).toMatchObject({ state: 'failed', reason });
    expect(execution.events).toEqual(['start a', 'end a', 'start b', 'report']);
    expect(execution.ended).toMatchObject([{ state: 'failed', reason, givenUp: [] }]);
    expect(execution.ended[0]).not.toHaveProperty('undone');
    expect((await statesOf(execution)).c).toBe('pending: not run: its time was over');
  });

  it('holds for a paused run too, and one that failed before says why', async () => {
    const execution = await engine.run({
      ...replicate,
      steps: [step('a'), step('b'), step('c', ['a'])],
      work: {
        a: async () => {
          await execution.handle.signal('pause', 'someone');
          return 'done';
        },
        b: () => {
          throw final('no escrow vault');
        },
      },
    });
    expect(await execution.result()).toMatchObject({
      state: 'failed',
      reason: 'its time was over; b: no escrow vault',
    });
    expect(execution.events).not.toContain('start c');
    expect((await statesOf(execution)).c).toBe('pending: not run: its time was over');
  });

  it('that is kept is nothing to speak of', async () => {
    const execution = await engine.run({ ...replicate, steps: [step('a'), step('b', ['a'])] });
    expect(await execution.result()).toMatchObject({ state: 'completed', reason: 'every step is done' });
  });

  it('does not keep a cancelled run from ending as cancelled', async () => {
    const execution = await engine.run({
      operation: 'replicate',
      begun: { deadlineSeconds: 600 },
      steps: [step('a')],
      work: { a: untilAborted },
    });
    await vi.waitFor(() => expect(execution.events).toEqual(['start a']), until);
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    expect(execution.ended).toMatchObject([{ state: 'cancelled', undone: true }]);
  });
});

describe('a run', () => {
  it('answers how far it is before it has begun', async () => {
    const begins = gate();
    const held = gate();
    const execution = await engine.run({
      steps: [step('a')],
      begin: () => {
        begins.open();
        return held.opened;
      },
    });
    await begins.opened;
    expect(await execution.progress()).toMatchObject({
      runId: 'run-1',
      operation: 'failover',
      topology: 'fraud-ml',
      state: 'pending',
      paused: false,
      steps: [],
    });
    held.open();
    await execution.result();
    expect(await execution.progress()).toMatchObject({
      from: 'eastus',
      to: 'westus3',
      startedAt: '2026-11-21T10:00:00.000Z',
      state: 'completed',
    });
  });

  it('that was paused before it began waits', async () => {
    const execution = await engine.run({ steps: [step('a')], begun: { paused: true } });
    await vi.waitFor(
      async () => expect(await execution.progress()).toMatchObject({ state: 'running', paused: true }),
      until,
    );
    expect(execution.events).toEqual([]);
    await execution.handle.signal('unpause');
    expect(await execution.result()).toMatchObject({ state: 'completed' });
  });

  it('that cannot begin fails, and ends nothing', async () => {
    const execution = await engine.run({
      steps: [step('a')],
      begin: () => {
        throw final('the pointer has moved');
      },
    });
    await expect(execution.result()).rejects.toMatchObject({
      cause: { cause: { message: 'the pointer has moved' } },
    });
    expect(execution.ended).toEqual([]);
    expect(execution.events).toEqual([]);
  });

  it('is as it is, whether its report can be written or not', async () => {
    const execution = await engine.run({
      steps: [step('a')],
      report: () => {
        throw final('no place');
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'completed', reason: 'every step is done' });
    expect(await execution.progress()).toMatchObject({ state: 'completed' });
    // Those who want to know are told all the same.
    await vi.waitFor(() => expect(execution.told).toEqual(['run-1']), until);
  });

  it('is over while those who are to be told of it cannot be told yet, and told when they can', async () => {
    const answers = gate();
    let attempts = 0;
    let open = false;
    void answers.opened.then(() => (open = true));
    const execution = await engine.run({
      steps: [step('a')],
      tell: () => {
        attempts += 1;
        if (!open) throw new Error('HTTP 503');
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    await vi.waitFor(() => expect(attempts).toBeGreaterThan(0), until);
    expect(execution.told).toEqual([]);
    expect((await execution.handle.describe()).status.name).toBe('COMPLETED');
    answers.open();
    await vi.waitFor(() => expect(execution.told).toEqual(['run-1']), { timeout: 20_000 });
  });

  it('that cannot begin is told, too', async () => {
    const execution = await engine.run({
      steps: [step('a')],
      begin: () => {
        throw final('the pointer has moved');
      },
    });
    await expect(execution.result()).rejects.toThrow();
    await vi.waitFor(() => expect(execution.told).toEqual(['run-1']), until);
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
