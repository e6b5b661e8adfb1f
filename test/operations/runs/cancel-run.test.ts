/** A cancel that comes too late says so: the run is over, and how it ended. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cancelRun, carryOutCancel, requireCancelled } from '../../../src/operations/runs/cancel-run.ts';
import { startOperation } from '../../../src/operations/runs/start-operation.ts';
import { ensurePointer } from '../../../src/control-store/region-pointer.ts';
import type { Session } from '../../../src/operations/session.ts';
import { changeRun, requireRun } from '../../../src/run/journal.ts';
import { releaseRunLease } from '../../../src/run/lease.ts';
import type { RunDocument } from '../../../src/run/run-document.ts';
import { fakeControlStore, type FakeControlStore } from '../../fakes/control-store.ts';
import { topologyOf } from '../../topology/minimal.ts';
import { fakeTemporal, type FakeTemporal } from './fake-temporal.ts';

const topology = topologyOf('');
const endedAt = '2026-11-21T10:05:00.000Z';

let store: FakeControlStore;
let temporal: FakeTemporal;
let session: Session;
let runId: string;

beforeEach(async () => {
  store = fakeControlStore();
  temporal = fakeTemporal();
  session = { store, topology } as unknown as Session;
  await ensurePointer(store, { topology, who: 'a test', now: new Date() });
  const trigger = { reason: 'a test', triggeredAt: new Date() };
  const start = { operation: 'failover', bundle: 'b', trigger } as const;
  ({ runId } = await startOperation(session, temporal.client, start));
});

async function end(state: 'completed' | 'cancelled', more: Partial<RunDocument> = {}): Promise<void> {
  await changeRun(store, runId, { state, endedAt, ...more });
  await releaseRunLease(store, { runId, ended: true });
  temporal.running.clear();
}

const cancel = (id: string | undefined = runId) => cancelRun(session, { runId: id });

describe('a cancel', () => {
  it('of a run that is completed fails, says when it was, and changes nothing', async () => {
    await end('completed');
    const before = await requireRun(store, runId);
    await expect(cancel()).rejects.toMatchObject({
      exitCode: 1,
      message: `run "${runId}" is over: completed at ${endedAt}, before it was cancelled: there is nothing to cancel`,
      details: { next: expect.stringContaining('switch over in the other direction') as string },
    });
    expect(await requireRun(store, runId)).toEqual(before);
  });

  it('of the replication names that where none is open: a reprotection may take a recovery point', async () => {
    const none = cancelRun(session, { runId: undefined, replication: true });
    await expect(none).rejects.toMatchObject({ message: expect.stringMatching(/^no replicate of "fraud-ml" is open/) });
  });

  it('without a run, where none is open, says how the last one ended', async () => {
    await end('completed');
    const late = cancelRun(session, { runId: undefined });
    await expect(late).rejects.toMatchObject({
      exitCode: 1,
      message: `no move of "fraud-ml" is open: there is nothing to cancel; the last run, "${runId}", is over: completed at ${endedAt}`,
    });
  });

  it('without a run names what else is open', async () => {
    await end('completed');
    const trigger = { reason: 'a test', triggeredAt: new Date() };
    const { runId: other } = await startOperation(session, temporal.client, {
      operation: 'reprotect',
      bundle: 'b',
      trigger,
    });
    await expect(cancelRun(session, { runId: undefined })).rejects.toMatchObject({
      details: { next: expect.stringContaining(`Open is run "${other}" (reprotect)`) as string },
    });
  });

  it('of a run that somebody has cancelled is done already', async () => {
    await end('cancelled', { cancelled: { by: 'ana@desk', at: endedAt } });
    expect(await cancel()).toMatchObject({ alreadyOver: true, run: { cancelled: { by: 'ana@desk' } } });
  });

  it('that finds the run completed while it is carried out has failed, and does not say "cancelled"', async () => {
    const { run } = await cancel();
    const watched = { runId, state: 'completed', reason: 'every step is done' } as const;
    expect(() => requireCancelled(run, watched)).toThrow(
      expect.objectContaining({
        exitCode: 1,
        message: expect.stringContaining('is over: completed') as string,
      }),
    );
    expect(() => requireCancelled(run, { ...watched, state: 'cancelled' })).not.toThrow();
    expect(() => requireCancelled(run, { ...watched, state: 'left' })).toThrow(
      expect.objectContaining({ exitCode: 3 }),
    );
  });

  it('reaches the workflow that runs', async () => {
    const { run } = await cancel();
    expect((await carryOutCancel(session, temporal.client, run)).runId).toBe(runId);
    expect(temporal.cancelled).toEqual([runId]);
  });

  it('whose workflow ends as it is told starts another that undoes, unless the run is over', async () => {
    const { run } = await cancel();
    const { workflow } = temporal.client;
    const getHandle = workflow.getHandle.bind(workflow);
    workflow.getHandle = ((id: string, execution?: string) => {
      const handle = getHandle(id, execution);
      const ending = () => {
        temporal.running.clear();
        return handle.cancel();
      };
      return { ...handle, cancel: ending };
    }) as typeof getHandle;
    expect(await carryOutCancel(session, temporal.client, run)).toMatchObject({ runId, started: true });
    expect(temporal.started.at(-1)).toMatchObject({ runId, resumed: true });
    await changeRun(store, runId, { state: 'cancelled', endedAt });
    expect(await carryOutCancel(session, temporal.client, run)).toMatchObject({ runId, started: false });
  });
});
