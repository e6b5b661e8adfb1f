/**
 * A failover over an open switchover, on a real Temporal server: the switchover's workflow ends, and the failover's
 * begins.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { temporalStatus } from '../../src/client/runs.ts';
import { startMove } from '../../src/operations/move.ts';
import type { Session } from '../../src/operations/session.ts';
import { compileFailover, compileSwitchover } from '../../src/plan/compile.ts';
import { taskQueue } from '../../src/plan/queues.ts';
import { changeRun, requireRun } from '../../src/run/journal.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { compileInput, recoveryPoint } from '../plan/inputs.ts';
import { gate, startEngine, step, type Engine } from '../workflows/engine.ts';

let engine: Engine;
const held = gate();
beforeAll(async () => {
  engine = await startEngine();
  // Both moves have the script's steps: the worker's activities are the test's.
  const work = {
    drain: async () => {
      await held.opened;
      return 'done';
    },
  };
  await engine.serve({ steps: [step('drain')], work }, taskQueue);
});
afterAll(async () => {
  held.open();
  await engine.close();
});

it('the workflow of the switchover is terminated, and that of the failover runs in its place', async () => {
  const store = fakeControlStore();
  const { topology: declared } = compileInput();
  const topology = { ...declared, name: `t-${randomUUID()}` };
  const session = { store, topology, bundle: () => Promise.resolve({ topology, templates: {} }) } as unknown as Session;
  await ensurePointer(store, { topology, who: 'a test', now: new Date() });
  const input = { ...compileInput(), topology, recoveryPoint: recoveryPoint(), acceptedLosses: [] };
  const start = (plan: ReturnType<typeof compileFailover>) =>
    startMove(session, engine.client, { plan, reason: 'a test', triggeredAt: new Date() });

  const switchover = await start(compileSwitchover(input));
  await changeRun(store, switchover.runId, { state: 'running' });
  expect(await temporalStatus(switchover.handle)).toBe('RUNNING');

  const failover = await start(compileFailover(input));
  expect(failover).toMatchObject({ started: true });
  await vi.waitFor(async () => expect(await temporalStatus(switchover.handle)).toBe('TERMINATED'), { timeout: 20_000 });
  expect(await temporalStatus(failover.handle)).toBe('RUNNING');
  expect(failover.handle.workflowId).toBe(switchover.handle.workflowId);
  expect(await requireRun(store, switchover.runId)).toMatchObject({
    state: 'cancelled',
    supersededBy: failover.runId,
  });
  held.open();
  expect(await failover.handle.result()).toMatchObject({ runId: failover.runId, state: 'completed' });
});
