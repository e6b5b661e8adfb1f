/** A failover that is started over an open switchover: it ends that one, or is refused, and never both move. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ControlStore } from '../../../src/control-store/store.ts';
import { ensurePointer, readPointerIfAny } from '../../../src/control-store/region-pointer.ts';
import { takePointer } from '../../../src/fence/take-pointer.ts';
import { startMove } from '../../../src/operations/move.ts';
import { retryRun } from '../../../src/operations/runs/retry-run.ts';
import { givesWay, supersede } from '../../../src/operations/runs/supersede.ts';
import type { Session } from '../../../src/operations/session.ts';
import { compileFailover, compileSwitchover } from '../../../src/plan/compile.ts';
import { operationNames, type Operation } from '../../../src/plan/operations.ts';
import { runStates } from '../../../src/plan/run-states.ts';
import { changeRun, requireRun } from '../../../src/run/journal.ts';
import { findOpenRun, holdRunLease } from '../../../src/run/lease.ts';
import type { RunDocument } from '../../../src/run/run-document.ts';
import { fakeControlStore, type FakeControlStore } from '../../fakes/control-store.ts';
import { compileInput, recoveryPoint } from '../../plan/inputs.ts';
import { makeStage, type Stage } from '../../run/step-context.ts';
import { fakeTemporal, type FakeTemporal } from './fake-temporal.ts';

const runOf = (change: Partial<RunDocument>) =>
  ({ operation: 'switchover', state: 'running', ...change }) as RunDocument;
const cancelled = { by: 'ana', at: '2026-11-21T10:00:00.000Z' };

describe('a run gives way', () => {
  it('to a failover alone', () => {
    expect(operationNames.filter((to) => givesWay(runOf({}), to))).toEqual(['failover']);
  });

  it('if it is planned work', () => {
    expect(operationNames.filter((operation) => givesWay(runOf({ operation }), 'failover'))).toEqual([
      'switchover',
      'failback',
    ]);
  });

  it('as long as it is open', () => {
    expect(runStates.filter((state) => givesWay(runOf({ state }), 'failover'))).toEqual([
      'pending',
      'running',
      'waiting',
      'undoing',
      'failed',
    ]);
  });

  it('until it has set out to take the pointer, also while its undo waits for the region', () => {
    expect(givesWay(runOf({ state: 'undoing', cancelled }), 'failover')).toBe(true);
    expect(givesWay(runOf({ state: 'failed', cancelled }), 'failover')).toBe(true);
    expect(givesWay(runOf({ committedAt: '2026-11-21T10:00:00.000Z' }), 'failover')).toBe(false);
  });
});

/** A store in which something else is written just before the first write of a document. */
function interrupted(store: ControlStore, name: string, before: () => Promise<unknown>): ControlStore {
  let isFirst = true;
  return {
    ...store,
    async swap(written, ...rest) {
      if (written === name && isFirst) {
        isFirst = false;
        await before();
      }
      return store.swap(written, ...rest);
    },
  };
}

describe('of the switchover that takes the pointer, and the failover that ends it', () => {
  const by = { operation: 'failover', runId: 'the-failover' } as const;
  let stage: Stage;
  let runId: string;
  beforeEach(async () => {
    stage = await makeStage('', 'switchover');
    ({ runId } = stage.scene.header);
    await changeRun(stage.scene.store, runId, { state: 'running' });
  });
  const take = (store: ControlStore = stage.scene.store) =>
    takePointer(stage.context('fence/platform/pointer', { store }));
  const end = (store: ControlStore = stage.scene.store) => supersede({ store } as Session, by);
  const writer = async () => (await readPointerIfAny(stage.scene.store))?.value.writer;
  const isEnded = async () => (await requireRun(stage.scene.store, runId)).supersededBy === by.runId;

  it('the switchover wins if it was first', async () => {
    await take();
    expect(await end()).toBeUndefined();
    expect([await writer(), await isEnded()]).toEqual(['westus3', false]);
  });

  it('the failover wins if it was first', async () => {
    expect(await end()).toMatchObject({ runId, state: 'cancelled', supersededBy: by.runId });
    await expect(take()).rejects.toMatchObject({ code: 'CancelledRun' });
    expect([await writer(), await isEnded()]).toEqual(['eastus', true]);
  });

  it('the switchover wins if it writes while the failover is about to', async () => {
    const store = interrupted(stage.scene.store, `runs/${runId}/run.json`, () => take());
    expect(await end(store)).toBeUndefined();
    expect([await writer(), await isEnded()]).toEqual(['westus3', false]);
  });

  it('the failover wins if it writes while the switchover is about to', async () => {
    const store = interrupted(stage.scene.store, `runs/${runId}/run.json`, () => end());
    await expect(take(store)).rejects.toMatchObject({ code: 'CancelledRun' });
    expect([await writer(), await isEnded()]).toEqual(['eastus', true]);
  });

  it('the switchover wins if it is only about to move the pointer: it has set out to', async () => {
    let found: RunDocument | undefined;
    const store = interrupted(stage.scene.store, 'pointer.json', async () => (found = await end()));
    await take(store);
    expect(found).toBeUndefined();
    expect([await writer(), await isEnded()]).toEqual(['westus3', false]);
  });

  it('one failover alone ends it', async () => {
    const store = interrupted(stage.scene.store, `runs/${runId}/run.json`, () => end());
    const other = supersede({ store } as Session, { operation: 'failover', runId: 'the-other' });
    expect(await other).toBeUndefined();
    expect(await isEnded()).toBe(true);
  });
});

describe('a failover', () => {
  const { topology } = compileInput();
  let store: FakeControlStore;
  let temporal: FakeTemporal;
  let session: Session;
  let open: string;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T10:00:00.000Z') });
    store = fakeControlStore();
    temporal = fakeTemporal();
    session = { store, topology, bundle: () => Promise.resolve({ topology, templates: {} }) } as unknown as Session;
    await ensurePointer(store, { topology, who: 'a test', now: new Date() });
    open = (await start('switchover')).runId;
    await changeRun(store, open, { state: 'running' });
    await holdRunLease(store, { runId: open, holder: 'wf-1', ttlMs: 60_000, now: Date.now() });
    vi.setSystemTime(Date.now() + 1000);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const start = (operation: Operation) => {
    const input = { ...compileInput(), recoveryPoint: recoveryPoint(), acceptedLosses: [] };
    const plan = operation === 'switchover' ? compileSwitchover(input) : compileFailover(input);
    return startMove(session, temporal.client, { plan, reason: 'a test', triggeredAt: new Date() });
  };
  /** The execution of the switchover, where it still runs. */
  const switchoverActs = () => holdRunLease(store, { runId: open, holder: 'wf-1', ttlMs: 60_000, now: Date.now() });

  it('ends an open switchover, has its lease, and terminates its workflow', async () => {
    const { runId, started } = await start('failover');
    expect(started).toBe(true);
    expect(await requireRun(store, open)).toMatchObject({
      state: 'cancelled',
      stateReason: `run "${runId}" (failover) moves at once instead`,
      supersededBy: runId,
      endedAt: new Date().toISOString(),
    });
    expect(await requireRun(store, runId)).toMatchObject({ operation: 'failover', supersedes: open });
    expect((await findOpenRun(store, new Date()))?.runId).toBe(runId);
    expect(temporal.terminated).toEqual([open]);
    expect([...temporal.running.values()].map((run) => run.runId)).toEqual([runId]);
    await expect(switchoverActs()).rejects.toMatchObject({ code: 'FencedError' });
    await expect(retryRun(session, temporal.client, open)).rejects.toMatchObject({ code: 'PreconditionError' });
  });

  it('ends one that is being undone, and keeps who cancelled it', async () => {
    await changeRun(store, open, { state: 'undoing', cancelled });
    const { runId, started } = await start('failover');
    expect(started).toBe(true);
    expect(await requireRun(store, open)).toMatchObject({ state: 'cancelled', supersededBy: runId, cancelled });
    expect(temporal.terminated).toEqual([open]);
    // An undo that is under way finds out with its next call that it has lost its lease.
    await expect(switchoverActs()).rejects.toMatchObject({ code: 'FencedError' });
  });

  it('goes on where a command was killed once it had ended the switchover', async () => {
    await supersede(session, { operation: 'failover', runId: 'never-started' });
    const { runId, started } = await start('failover');
    expect(started).toBe(true);
    expect(temporal.terminated).toEqual([open]);
    expect((await findOpenRun(store, new Date()))?.runId).toBe(runId);
    await expect(switchoverActs()).rejects.toMatchObject({ code: 'FencedError' });
  });

  it('is started although the workflow ends as it is about to be terminated', async () => {
    const { workflow } = temporal.client;
    const getHandle = workflow.getHandle.bind(workflow);
    workflow.getHandle = ((id: string) => {
      const handle = getHandle(id);
      const terminate = handle.terminate.bind(handle);
      handle.terminate = (...args) => {
        temporal.running.clear();
        return terminate(...args);
      };
      return handle;
    }) as typeof getHandle;
    expect(await start('failover')).toMatchObject({ started: true });
  });

  it('is refused once the switchover has set out to take the pointer', async () => {
    await changeRun(store, open, { committedAt: new Date().toISOString() });
    await expect(start('failover')).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining(open) as string,
    });
    expect((await requireRun(store, open)).state).toBe('running');
    expect(temporal.terminated).toEqual([]);
  });

  it('that is open is not ended by another move', async () => {
    const { runId } = await start('failover');
    vi.setSystemTime(Date.now() + 1000);
    await expect(start('switchover')).rejects.toMatchObject({ code: 'FencedError' });
    expect((await requireRun(store, runId)).state).toBe('pending');
    expect(temporal.terminated).toEqual([open]);
  });
});
