/** Those who want to know how a run ended are told so, once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRun, readRun } from '../../src/run/journal.ts';
import { notify, tellOfWaiting, type Notification } from '../../src/run/notify.ts';
import { startServer, type Server } from '../azure/server.ts';
import { topologyOf } from '../topology/minimal.ts';
import { makeScene, type Scene } from './scene.ts';

const topology = topologyOf('notify: [{ webhookFrom: PAGER }]\n');
const endedAt = '2026-11-21T10:05:00.000Z';

let scene: Scene;
let server: Server;
beforeEach(async () => {
  scene = await makeScene('replicate');
  server = await startServer();
});
afterEach(() => server.close());

const end = (state: 'failed' | 'completed', at = endedAt) =>
  changeRun(scene.store, scene.header.runId, {
    state: 'running',
  }).then(() =>
    changeRun(scene.store, scene.header.runId, {
      state,
      stateReason: 'its time was over in restore/data/copy',
      endedAt: at,
    }),
  );
const tell = (environment: NodeJS.ProcessEnv = { PAGER: `${server.url}/hook?token=canary` }, of = topology) =>
  notify(scene.store, scene.header.runId, of, { environment });
const notified = async () => (await readRun(scene.store, scene.header.runId))?.notified;

describe('the end of a run', () => {
  it('is told with what happened and what to do, once', async () => {
    server.answers.push({ status: 202 });
    await end('failed');
    await tell();
    await tell();
    expect(server.asked).toHaveLength(1);
    const { method, body, headers } = server.asked[0] ?? {};
    expect(method).toBe('POST');
    expect(headers?.['content-type']).toBe('application/json');
    const { text, ...rest } = body as Notification;
    expect(text).toContain('failed: its time was over in restore/data/copy');
    expect(text).toContain('"understudy replicate" again');
    expect(rest).toMatchObject({ run: scene.header.runId, operation: 'replicate', state: 'failed', endedAt });
    expect(await notified()).toEqual({ PAGER: { of: endedAt } });
  });

  it('is told again where it ends again', async () => {
    server.answers.push({ status: 200 });
    await end('failed');
    await tell();
    await end('failed', '2026-11-21T11:00:00.000Z');
    await tell();
    expect(server.asked).toHaveLength(2);
  });

  it('is told to those who asked for it alone', async () => {
    await end('completed');
    await tell();
    expect(server.asked).toEqual([]);
    server.answers.push({ status: 200 });
    await tell(undefined, topologyOf('notify: [{ webhookFrom: PAGER, on: [completed] }]\n'));
    expect(server.asked).toHaveLength(1);
  });
});

describe('whom nobody could tell', () => {
  it('is written down with the run at once, and told by a later attempt: a webhook that refuses', async () => {
    server.answers.push({ status: 500 });
    await end('failed');
    await expect(tell()).rejects.toMatchObject({
      retryable: true,
      message: `not told how run "${scene.header.runId}" ended: the webhook of PAGER: HTTP 500`,
    });
    expect(server.asked).toHaveLength(1);
    expect(await notified()).toEqual({ PAGER: { of: endedAt, problem: 'HTTP 500' } });
    server.answers.splice(0, Infinity, { status: 200 });
    await tell();
    expect(server.asked).toHaveLength(2);
    expect(await notified()).toEqual({ PAGER: { of: endedAt } });
  });

  it('keeps nobody else from being told, and nobody is told twice', async () => {
    server.answers.push({ status: 200 });
    await end('failed');
    const both = topologyOf('notify: [{ webhookFrom: GONE }, { webhookFrom: PAGER }]\n');
    await expect(tell(undefined, both)).rejects.toThrow('GONE is not set');
    await expect(tell(undefined, both)).rejects.toThrow('GONE is not set');
    expect(server.asked).toHaveLength(1);
    expect(await notified()).toMatchObject({ PAGER: { of: endedAt }, GONE: { problem: expect.any(String) } });
  });

  it.each([
    ['a variable that is not set', {}, 'the variable PAGER is not set where the worker runs'],
    ['an address that is none', { PAGER: 'canary' }, 'its address is no URL'],
    [
      'an address with a password',
      { PAGER: 'https://me:canary@localhost/hook' },
      'its address has a user or a password in it',
    ],
  ])('is written down with the run: %s', async (_what, environment, problem) => {
    await end('failed');
    await expect(tell(environment)).rejects.toThrow(problem);
    expect(await notified()).toEqual({ PAGER: { of: endedAt, problem } });
    expect(JSON.stringify([...scene.store.documents.values()])).not.toContain('canary');
  });
});

describe('a run that waits for people', () => {
  const asked = { waits: 'gate "g" waits for an approval', next: 'Decide: understudy approve R' };
  const run = async () => {
    const found = await readRun(scene.store, scene.header.runId);
    if (!found) throw new Error('there is no run');
    return found;
  };

  it('is told of with what to do, and a webhook that is not there is named', async () => {
    server.answers.push({ status: 200 });
    const environment = { PAGER: `${server.url}/hook` };
    expect(await tellOfWaiting(await run(), topology, asked, { environment })).toEqual([]);
    const { text, ...rest } = (server.asked[0] ?? {}).body as Notification;
    expect(text).toContain('gate "g" waits for an approval\nDecide: understudy approve R');
    expect(rest).toMatchObject({ state: 'waiting', run: scene.header.runId, next: asked.next });
    expect(await tellOfWaiting(await run(), topology, asked, { environment: {} })).toEqual([
      'the webhook of PAGER was not told: the variable PAGER is not set where the worker runs',
    ]);
  });

  it('is not told to those who asked for ends alone', async () => {
    const ends = topologyOf('notify: [{ webhookFrom: PAGER, on: [failed] }]\n');
    expect(await tellOfWaiting(await run(), ends, asked, { environment: { PAGER: server.url } })).toEqual([]);
    expect(server.asked).toEqual([]);
  });
});
