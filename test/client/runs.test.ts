/** Starting, finding, watching and listing runs on a real Temporal server, as the command line does it. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { connectTemporal, registerSearchAttributes, temporalSettings } from '../../src/client/connect.ts';
import { listWorkflows } from '../../src/client/list.ts';
import { findRunning, readProgress, startRun } from '../../src/client/runs.ts';
import { taskQueue } from '../../src/plan/queues.ts';
import type { RunReference } from '../../src/run/reference.ts';
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

const runOf = (
  topology: string,
  runId: string,
  operation: RunReference['operation'] = 'failover',
): RunReference => ({
  ...reference,
  topology,
  runId,
  operation,
});

describe('a run', () => {
  it('is started once: a second start attaches to the first; another topology is free', async () => {
    const topology = `t-${randomUUID()}`;
    const { client } = engine;
    expect(await findRunning(client, { topology, operation: 'failover' })).toBeUndefined();
    const first = await startRun(client, runOf(topology, 'run-1'));
    expect(first.started).toBe(true);
    const second = await startRun(client, runOf(topology, 'run-2'));
    expect(second.started).toBe(false);
    expect(second.handle.workflowId).toBe(first.handle.workflowId);
    expect((await findRunning(client, { topology, operation: 'failover' }))?.runId).toBe('run-1');
    expect((await startRun(client, runOf(topology, 'run-3', 'replicate'))).started).toBe(true);

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

    held.open();
    expect(await first.handle.result()).toMatchObject({ runId: 'run-1', state: 'completed' });
    expect(await findRunning(client, { topology, operation: 'failover' })).toBeUndefined();
    const next = await startRun(client, runOf(topology, 'run-4'));
    expect(next.started).toBe(true);
    await next.handle.result();

    await vi.waitFor(
      async () => {
        const listed = await listWorkflows(client, topology);
        expect(listed.map(({ runId, operation, state }) => `${runId} ${operation} ${state}`)).toEqual([
          'run-4 failover completed',
          'run-3 replicate completed',
          'run-1 failover completed',
        ]);
        expect(listed.every(({ startedAt, endedAt }) => endedAt !== undefined && startedAt <= endedAt)).toBe(
          true,
        );
      },
      { timeout: 20_000, interval: 200 },
    );
  });

  it('that somebody terminated is listed as Temporal says, not as running', async () => {
    const topology = `t-${randomUUID()}`;
    const { handle } = await startRun(engine.client, runOf(topology, 'run-1'));
    await handle.terminate('by a person');
    await vi.waitFor(
      async () =>
        expect(await listWorkflows(engine.client, topology)).toMatchObject([
          { state: expect.not.stringMatching('running') },
        ]),
      { timeout: 20_000, interval: 200 },
    );
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
