/** A person lets a run go on without a step: what may be skipped, and what of it stands in the journal. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ensurePointer } from '../../../src/control-store/region-pointer.ts';
import { skipStep } from '../../../src/operations/runs/skip-step.ts';
import { startOperation } from '../../../src/operations/runs/start-operation.ts';
import type { Session } from '../../../src/operations/session.ts';
import { compileFailover } from '../../../src/plan/compile.ts';
import { mayHaveChanged } from '../../../src/plan/undo.ts';
import { changeRun, readStep, recordStep } from '../../../src/run/journal.ts';
import type { StepRecord } from '../../../src/run/work/outcome.ts';
import { fakeControlStore, type FakeControlStore } from '../../fakes/control-store.ts';
import { compileInput, recoveryPoint } from '../../plan/inputs.ts';
import { fakeTemporal } from './fake-temporal.ts';

const step = 'verify/training/smoke';
let store: FakeControlStore;
let session: Session;
let runId: string;

beforeEach(async () => {
  store = fakeControlStore();
  const { topology } = compileInput();
  session = { store, topology } as unknown as Session;
  await ensurePointer(store, { topology, who: 'a test', now: new Date() });
  const plan = compileFailover({ ...compileInput(), recoveryPoint: recoveryPoint() });
  const trigger = { reason: 'a test', triggeredAt: new Date() };
  const start = { operation: 'failover', bundle: 'b', plan, trigger } as const;
  ({ runId } = await startOperation(session, fakeTemporal().client, start));
  await changeRun(store, runId, { state: 'running' });
});

const record = (more: Partial<StepRecord>) =>
  recordStep(store, runId, step, () => ({
    step,
    state: 'failed',
    holder: 'wf-1',
    attempts: 3,
    startedAt: '2026-11-21T10:00:00.000Z',
    error: { code: 'PreconditionError', message: 'the smoke job is Failed' },
    ...more,
  }));
const skip = (more: { step?: string; reason?: string; runId?: string } = {}) =>
  skipStep(session, { step, reason: 'no quota tonight', ...more });

describe('a step that the run can do without', () => {
  it('is skipped, with who decided it, why, and what it had met', async () => {
    await record({});
    expect(await skip()).toMatchObject({ step });
    const now = await readStep(store, runId, step);
    expect(now).toMatchObject({ state: 'skipped', attempts: 3 });
    expect(now?.error).toBeUndefined();
    expect(now?.lost).toEqual([
      expect.stringMatching(/^skipped by \S+ \(claimed\): no quota tonight; it had met: the smoke job is Failed$/),
    ]);
  });

  it('is skipped before it begins, and says so where the run has failed', async () => {
    await changeRun(store, runId, { state: 'failed' });
    expect(await skip({ runId })).toMatchObject({ waitsForRetry: true });
    expect(await readStep(store, runId, step)).toMatchObject({ state: 'skipped', attempts: 0 });
  });

  it('says whether the run goes on by itself: nobody looks again at a step that has failed', async () => {
    await record({ state: 'running' });
    expect(await skip()).toMatchObject({ waitsForRetry: false, isUnderWay: true });
    await record({ state: 'failed' });
    expect(await skip()).toMatchObject({ waitsForRetry: true, isUnderWay: false });
  });

  it('is undone all the same, if it had begun to change something', async () => {
    await record({ undo: { checked: 'job' } });
    await skip();
    const now = await readStep(store, runId, step);
    expect(mayHaveChanged(now)).toBe(true);
  });
});

describe('is refused', () => {
  it('for a step without which the run cannot go on, naming those that there are', async () => {
    await expect(skip({ step: 'fence/platform/pointer' })).rejects.toMatchObject({
      code: 'UsageError',
      message: expect.stringContaining(`expected one that the run can do without: `) as string,
    });
    await expect(skip({ step: 'no/such/step' })).rejects.toMatchObject({ code: 'UsageError' });
  });

  it('without a reason, twice, and once the run is over', async () => {
    await expect(skip({ reason: ' ' })).rejects.toMatchObject({ code: 'UsageError' });
    await skip();
    await expect(skip()).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringMatching(/already$/),
    });
    await changeRun(store, runId, { state: 'completed', endedAt: new Date().toISOString() });
    await expect(skip({ runId })).rejects.toMatchObject({ code: 'PreconditionError' });
  });
});
