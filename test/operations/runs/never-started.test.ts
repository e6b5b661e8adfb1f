/**
 * A command that is killed after it has written its run down, and before it has started the workflow, leaves
 * nothing open for good.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensurePointer } from '../../../src/control-store/region-pointer.ts';
import { askForMove, startMove } from '../../../src/operations/move.ts';
import { replicate } from '../../../src/operations/replicate.ts';
import { cancelRun, carryOutCancel } from '../../../src/operations/runs/cancel-run.ts';
import { retryRun } from '../../../src/operations/runs/retry-run.ts';
import type { Session } from '../../../src/operations/session.ts';
import { compileFailover } from '../../../src/plan/compile.ts';
import { listRuns, requireRun } from '../../../src/run/journal.ts';
import { findOpenRun } from '../../../src/run/lease.ts';
import { fakeControlStore, type FakeControlStore } from '../../fakes/control-store.ts';
import { compileInput, recoveryPoint } from '../../plan/inputs.ts';
import { fakeTemporal, type FakeTemporal } from './fake-temporal.ts';

const { topology } = compileInput();
const began = new Date('2026-11-21T23:59:40.000Z');

let store: FakeControlStore;
let temporal: FakeTemporal;
let session: Session;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: began });
  store = fakeControlStore();
  temporal = fakeTemporal();
  session = {
    store,
    topology,
    bundle: () => Promise.resolve({ topology, templates: {} }),
  } as unknown as Session;
  await ensurePointer(store, { topology, who: 'a test', now: began });
});
afterEach(() => {
  vi.useRealTimers();
});

const passSeconds = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);
const take = () => replicate(session, temporal.client, { reason: 'a schedule' });
const move = () =>
  startMove(session, temporal.client, {
    plan: compileFailover({ ...compileInput(), recoveryPoint: recoveryPoint(), acceptedLosses: [] }),
    reason: 'a test',
    triggeredAt: new Date(),
  });

/** Stops the command between its run's document and its workflow; returns the run's id. */
async function cutOff(command: () => Promise<unknown>): Promise<string> {
  const before = (await listRuns(store)).runs.length;
  temporal.cutsOff = true;
  void command();
  await vi.waitFor(async () => expect((await listRuns(store)).runs).toHaveLength(before + 1));
  temporal.cutsOff = false;
  const [newest] = (await listRuns(store)).runs;
  expect(newest?.state).toBe('pending');
  return newest?.runId ?? '';
}

describe('a recovery point', () => {
  it('is ended by the next one, past midnight too, and the next one runs', async () => {
    const left = await cutOff(take);
    passSeconds(90);
    const next = await take();
    expect(next.started).toBe(true);
    expect(await requireRun(store, left)).toMatchObject({
      state: 'cancelled',
      stateReason: expect.stringMatching(/^never started/) as string,
      endedAt: new Date().toISOString(),
    });
    expect((await requireRun(store, next.runId)).state).toBe('pending');
    expect(temporal.started.map(({ runId }) => runId)).toEqual([next.runId]);
  });

  it('is left alone as long as its command may still be at starting it', async () => {
    const left = await cutOff(take);
    passSeconds(5);
    await take();
    expect((await requireRun(store, left)).state).toBe('pending');
  });

  it('is left alone where it only waits for a worker', async () => {
    const { runId } = await take();
    passSeconds(3600);
    expect(await take()).toMatchObject({ runId, started: false });
    expect((await requireRun(store, runId)).state).toBe('pending');
  });
});

describe('a move', () => {
  it('keeps another from beginning only while its command may still be at starting it', async () => {
    const left = await cutOff(move);
    passSeconds(5);
    await expect(askForMove(session, temporal.client, 'failover', { to: 'westus3' })).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining(left) as string,
      details: { next: expect.stringContaining(`understudy retry ${left}`) as string },
    });
    passSeconds(90);
    const next = await move();
    expect(next).toMatchObject({ started: true });
    expect((await requireRun(store, left)).state).toBe('cancelled');
    expect((await findOpenRun(store, new Date()))?.runId).toBe(next.runId);
  });

  it('is started after all by retry', async () => {
    const left = await cutOff(move);
    passSeconds(90);
    expect(await retryRun(session, temporal.client, left)).toMatchObject({ runId: left, started: true });
    expect(temporal.started).toMatchObject([{ runId: left, resumed: true }]);
  });

  it('is ended by cancel: written down, and then undone', async () => {
    const left = await cutOff(move);
    const { run, alreadyOver } = await cancelRun(session, { runId: undefined });
    expect([run.runId, run.state, alreadyOver]).toEqual([left, 'undoing', false]);
    expect(await carryOutCancel(session, temporal.client, run)).toMatchObject({ runId: left, started: true });
  });

  it('that somebody else has started in the meantime is the same run, and goes on', async () => {
    let release: (() => void) | undefined;
    const { workflow } = temporal.client;
    const start = workflow.start.bind(workflow);
    // The command hangs as it starts the workflow, and "retry" is faster.
    workflow.start = (async (...args: Parameters<typeof start>) => {
      if (!release) await new Promise<void>((resolve) => (release = resolve));
      return start(...args);
    }) as typeof start;
    const slow = move();
    await vi.waitFor(() => expect(release).toBeDefined());
    const [left] = (await listRuns(store)).runs;
    await retryRun(session, temporal.client, left?.runId ?? '');
    release?.();
    expect(await slow).toMatchObject({ runId: left?.runId, started: false });
    expect((await requireRun(store, left?.runId ?? '')).state).toBe('pending');
  });
});
