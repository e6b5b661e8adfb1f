/** An activity that shows no progress is ended, however well its worker lives. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/activity';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { progressing } from '../../activities/beating.ts';
import { listenTo } from '../../src/azure/listen.ts';
import type { Azure } from '../../src/azure/azure.ts';
import type { StepRuntime } from '../../src/run/work/step-context.ts';
import { startServer, type Server } from '../azure/server.ts';

const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.X/things/a';
const never = new Promise<never>(() => undefined);

interface Ran {
  error?: unknown;
  result?: unknown;
  beats: unknown[];
  tookMs: number;
}

async function run(silenceSeconds: number, work: (runtime: StepRuntime) => Promise<unknown>): Promise<Ran> {
  const environment = new MockActivityEnvironment(
    { heartbeatDetails: { unit: 'things', done: 3 } },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const began = performance.now();
  const took = () => performance.now() - began;
  try {
    const result = await environment.run(() => progressing({ silenceSeconds }, work));
    return { result, beats, tookMs: took() };
  } catch (error) {
    return { error, beats, tookMs: took() };
  }
}

const isStall = {
  type: 'StalledError',
  nonRetryable: false,
  message: expect.stringMatching(/^no progress for 1\.0s \(policies\.progressDeadline\); last: 3 things/),
};

describe('a step', () => {
  it('that waits for what never comes is ended, and may be tried again', async () => {
    const { error, tookMs, beats } = await run(1, async ({ signal }) => {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject(isStall);
    expect(tookMs).toBeLessThan(4000);
    expect(beats).toContainEqual({ unit: 'things', done: 3 });
  });

  it('that cannot even be ended is left to itself', async () => {
    const { error, tookMs } = await run(1, () => never);
    expect(error).toMatchObject(isStall);
    expect(tookMs).toBeLessThan(9000);
  }, 15_000);

  it('is given the reason with its signal, for the journal', async () => {
    const { error } = await run(1, async ({ signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      signal.throwIfAborted();
    });
    expect(error).toMatchObject(isStall);
  });

  it('that gets on may take as long as it likes', async () => {
    const { result, error } = await run(1, async (runtime) => {
      for (let done = 0; done < 6; done++) {
        runtime.heartbeat({ unit: 'things', done });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return 'done';
    });
    expect({ result, error }).toEqual({ result: 'done', error: undefined });
  });
});

describe('a step that waits for an operation of Azure', () => {
  let server: Server;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.close());

  const heard = (runtime: StepRuntime) =>
    listenTo({ arm: server.arm({ requestTimeoutMs: 30_000 }) } as Partial<Azure> as Azure, () => runtime.alive());
  const thing = { id, name: 'a', type: 't', properties: {} };
  const accepted = () => ({
    status: 201,
    headers: { 'azure-asyncoperation': `${server.url}/operations/1`, 'retry-after': '1' },
    body: thing,
  });
  const running = { status: 200, headers: { 'retry-after': '1' }, body: { status: 'InProgress' } };

  it('lives as long as Azure says that it goes on', async () => {
    const done = { status: 200, body: { status: 'Succeeded' } };
    server.answers.push(accepted(), running, running, running, done, { status: 200, body: thing });
    const { result, error } = await run(2, async (runtime) => {
      const made = await heard(runtime).arm.put(id, 'v', {}, { signal: runtime.signal });
      return made.name;
    });
    expect({ result, error }).toEqual({ result: 'a', error: undefined });
  }, 15_000);

  it('is ended when a server sends its headers and then nothing', async () => {
    server.answers.push(accepted(), running, { ...running, stallsAfter: 3 });
    const { error, tookMs } = await run(2, async (runtime) => {
      await heard(runtime).arm.put(id, 'v', {}, { signal: runtime.signal });
    });
    expect(error).toMatchObject({ type: 'StalledError', nonRetryable: false });
    expect(tookMs).toBeLessThan(10_000);
  }, 15_000);
});
