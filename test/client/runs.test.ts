/** Starting, finding and watching runs on a real Temporal server, as the command line does it. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { connectTemporal, registerSearchAttributes, temporalSettings } from '../../src/client/connect.ts';
import { findRunning, readProgress, temporalStatus, startRun } from '../../src/client/runs.ts';
import { taskQueue } from '../../src/plan/queues.ts';
import type { RunStart } from '../../src/run/reference.ts';
import { closedPort } from '../azure/server.ts';
import { gate, reference, startEngine, step, type Engine } from '../workflows/engine.ts';

let engine: Engine;
const held = gate();
beforeAll(async () => {
  engine = await startEngine();
  await engine.serve(
    {
      steps: [step('a'), step('b', ['a'])],
      work: {
        b: async (_signal, attempt) => {
          Context.current().heartbeat({ unit: 'blobs', done: 5, total: 9, cursor: { marker: 'm' } });
          if (attempt === 1) throw new Error('PUT …: no answer');
          await held.opened;
          return 'done';
        },
      },
      keepsHeartbeats: true,
    },
    taskQueue,
  );
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => engine.close());

const runOf = (topology: string, runId: string, operation: RunStart['operation'] = 'failover'): RunStart => ({
  ...reference,
  topology,
  runId,
  operation,
});

describe('a run', () => {
  it('is started once: a second start finds the first; another topology is free', async () => {
    const topology = `t-${randomUUID()}`;
    const { client } = engine;
    expect(await findRunning(client, { topology, operation: 'failover' })).toBeUndefined();
    const first = await startRun(client, runOf(topology, 'run-1'));
    expect(first).toMatchObject({ started: true, runId: 'run-1' });
    const again = await startRun(client, runOf(topology, 'run-1'));
    expect(again).toMatchObject({ started: false, runId: 'run-1' });
    expect(again.handle.workflowId).toBe(first.handle.workflowId);
    expect((await findRunning(client, { topology, operation: 'failover' }))?.runId).toBe('run-1');

    // What does not exclude it runs beside it, once.
    expect(await findRunning(client, { topology, operation: 'replicate' })).toBeUndefined();
    const beside = await startRun(client, runOf(topology, 'run-2', 'replicate'));
    expect(beside.started).toBe(true);
    expect(await startRun(client, runOf(topology, 'run-3', 'replicate'))).toMatchObject({
      started: false,
      runId: 'run-2',
    });
    const other = await startRun(client, runOf(`t-${randomUUID()}`, 'run-1'));
    expect(other.started).toBe(true);

    // What it does shows: the workflow's steps, with what their activities tell.
    await vi.waitFor(
      async () =>
        expect((await readProgress(first.handle)).steps[1]).toMatchObject({
          id: 'b',
          state: 'running',
          attempt: 2,
          lastError: 'PUT …: no answer',
          progress: { unit: 'blobs', done: 5, total: 9 },
        }),
      { timeout: 20_000, interval: 100 },
    );
    expect((await readProgress(first.handle)).steps[1]?.progress).not.toHaveProperty('cursor');
    expect(await temporalStatus(first.handle)).toBe('RUNNING');

    // A move that has the lease waits for the one that is about to close.
    const next = startRun(client, runOf(topology, 'run-4'));
    held.open();
    expect(await first.handle.result()).toMatchObject({ runId: 'run-1', state: 'completed' });
    expect(await next).toMatchObject({ started: true, runId: 'run-4' });
    const handles = [(await next).handle, beside.handle, other.handle];
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
    expect(await findRunning(client, { topology, operation: 'failover' })).toBeUndefined();
    // Of one execution: the first run's handle is not the next run's.
    expect(await readProgress(first.handle)).toMatchObject({ runId: 'run-1', state: 'completed' });
  });

  it('that waits for a worker says so', async () => {
    const { handle } = await engine.run({ steps: [step('a'), step('b', ['a'], { host: 'nobody' })] });
    await vi.waitFor(
      async () =>
        expect((await readProgress(handle)).steps).toMatchObject([
          { id: 'a', state: 'completed' },
          { id: 'b', state: 'waiting', detail: 'waits for a worker to take it' },
        ]),
      { timeout: 20_000, interval: 100 },
    );
    await handle.terminate('by a test');
  });

  it('that somebody terminated is what Temporal says, and does not run', async () => {
    const topology = `t-${randomUUID()}`;
    const { handle } = await startRun(engine.client, runOf(topology, 'run-1'));
    await handle.terminate('by a person');
    await vi.waitFor(async () => expect(await temporalStatus(handle)).toBe('TERMINATED'), { timeout: 20_000 });
    expect(await findRunning(engine.client, { topology, operation: 'failover' })).toBeUndefined();
  });
});

describe('the connection', () => {
  it('goes where Temporal’s own variables say', async () => {
    const address = inject('temporalAddress');
    vi.stubEnv('TEMPORAL_ADDRESS', address);
    vi.stubEnv('TEMPORAL_NAMESPACE', 'default');
    expect(temporalSettings()).toMatchObject({ address, namespace: 'default' });
    const client = await connectTemporal();
    try {
      await registerSearchAttributes(client); // there already: nothing to do
      await registerSearchAttributes(client);
    } finally {
      await client.connection.close();
    }
  });

  it('that cannot be made says where it was tried, and what to set', async () => {
    const address = `127.0.0.1:${await closedPort()}`;
    vi.stubEnv('TEMPORAL_ADDRESS', address);
    await expect(connectTemporal(1000)).rejects.toMatchObject({
      code: 'TemporalError',
      message: expect.stringMatching(new RegExp(`^cannot reach Temporal at ${address}: `)),
      details: { next: expect.stringContaining('TEMPORAL_ADDRESS') },
    });
  });
});
