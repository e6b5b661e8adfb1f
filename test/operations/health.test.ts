/** What counts against a region: what a lost one does. Whoever is refused cannot tell, and no outage begins by it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RestError } from '@azure/core-rest-pipeline';
import { afterEach, describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { answerError, azureError } from '../../src/azure/errors.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { checkHealth, requireOutage, seenHealth } from '../../src/operations/health.ts';
import type { Session } from '../../src/operations/session.ts';
import { expectRefusals } from '../control-store/refusals.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { closedPort } from '../azure/server.ts';
import { topologyOf } from '../topology/minimal.ts';

const answered = (status: number, code: string) =>
  answerError('GET /x', {
    status,
    bodyAsText: JSON.stringify({ error: { code, message: 'said' } }),
    headers: { get: () => undefined },
  });
const unanswered = (code: string) => azureError('GET /x', Object.assign(new Error('connect'), { code }));

interface Region {
  workspace?: Error;
  storage?: Error;
  probe?: { url: string; expect?: number };
  store?: FakeControlStore;
}

function sessionOf({ workspace, storage, probe, store = fakeControlStore() }: Region): Session {
  const found = { name: 'fraud-east', properties: { storageAccount: '/s', provisioningState: 'Succeeded' } };
  const azure = {
    arm: { get: () => (workspace ? Promise.reject(workspace) : Promise.resolve(found)) },
    blobAccount: () =>
      Promise.resolve({
        name: 'frauddata',
        service: { getProperties: () => (storage ? Promise.reject(storage) : Promise.resolve({})) },
      }),
  } as unknown as Azure;
  const topology = topologyOf(probe ? `probes:\n  - { http: "${probe.url}", expect: ${probe.expect ?? 200} }\n` : '');
  return { azure, topology, store } as unknown as Session;
}

const look = (region: Region) => checkHealth(sessionOf(region), 'eastus');

describe('a region that answers', () => {
  it('is healthy, and that it was is kept', async () => {
    const store = fakeControlStore();
    const { state, checks } = await look({ store });
    expect(state).toBe('healthy');
    expect(checks.map((check) => [check.what, check.state])).toEqual([
      ['workspace', 'ok'],
      ['storage', 'ok'],
    ]);
    expect(await seenHealth(store, 'eastus')).toEqual({ lastHealthyAt: expect.any(String) });
  });
});

describe('a region is out', () => {
  it.each([
    ['that refuses connections', unanswered('ECONNREFUSED'), 'no answer (ECONNREFUSED)'],
    ['that hangs', azureError('GET /x', Object.assign(new Error('x'), { name: 'AbortError' })), 'no answer in time'],
    ['that answers 500', answered(500, 'InternalServerError'), 'HTTP 500'],
    ['that answers 503', answered(503, 'ServerBusy'), 'HTTP 503'],
    ['that answers 504', answered(504, 'GatewayTimeout'), 'HTTP 504'],
  ])('%s', async (_what, workspace, detail) => {
    const store = fakeControlStore();
    const { state, checks } = await look({ workspace, store });
    expect(state).toBe('unhealthy');
    expect(checks).toEqual([
      { what: 'workspace', state: 'failed', detail: expect.stringContaining(detail) },
      { what: 'storage', state: 'unknown', detail: expect.any(String) },
    ]);
    expect(await seenHealth(store, 'eastus')).toEqual({ firstUnhealthyAt: expect.any(String) });
  });

  it('whose storage alone does not answer', async () => {
    const storage = new RestError('connect', { code: 'ECONNREFUSED' });
    expect(await look({ storage })).toMatchObject({
      state: 'unhealthy',
      checks: [{ state: 'ok' }, { what: 'storage', state: 'failed' }],
    });
  });

  it('since the first failed check after the last good one, and not since a later', async () => {
    const store = fakeControlStore();
    await look({ store });
    await look({ workspace: answered(503, 'ServerBusy'), store });
    const first = await seenHealth(store, 'eastus');
    await look({ workspace: unanswered('ECONNRESET'), store });
    expect(await seenHealth(store, 'eastus')).toEqual(first);
    await look({ store });
    expect((await seenHealth(store, 'eastus')).firstUnhealthyAt).toBeUndefined();
  });
});

describe('what was seen', () => {
  const read = {
    what: 'health of a region',
    version: 1,
    place: 'health/eastus.json',
    field: 'firstUnhealthyAt',
  };

  it('is refused by name where it is not what was written', async () => {
    const store = fakeControlStore();
    await look({ workspace: answered(503, 'ServerBusy'), store });
    await expectRefusals({ ...read, store, read: () => seenHealth(store, 'eastus') });
  });

  it('begins again where it cannot be read: no failover is held up by it', async () => {
    const store = fakeControlStore();
    await store.write(read.place, '{"version": 7}', 'application/json');
    const { state } = await look({ workspace: answered(503, 'ServerBusy'), store });
    expect(state).toBe('unhealthy');
    expect(await seenHealth(store, 'eastus')).toEqual({ firstUnhealthyAt: expect.any(String) as string });
  });
});

describe('nobody can tell', () => {
  const untrusted = unanswered('SELF_SIGNED_CERT_IN_CHAIN');
  it.each([
    ['with a token that is refused', answered(401, 'InvalidAuthenticationToken')],
    ['without a role', answered(403, 'AuthorizationFailed')],
    ['of a workspace that is not there', answered(404, 'ResourceNotFound')],
    ['while throttled', answered(429, 'TooManyRequests')],
    ['without a credential', new UnderstudyError('CredentialError', 'no token')],
    ['through a certificate that is not trusted', untrusted],
  ])('%s', async (_what, workspace) => {
    const store = fakeControlStore();
    const { state, checks } = await look({ workspace, store });
    expect(state).toBe('unknown');
    expect(checks[0]).toMatchObject({ what: 'workspace', state: 'unknown', detail: expect.any(String) });
    expect(await seenHealth(store, 'eastus')).toEqual({});
  });

  it('by storage that refuses the key, and an outage that began before goes on', async () => {
    const store = fakeControlStore();
    await look({ workspace: answered(503, 'ServerBusy'), store });
    const before = await seenHealth(store, 'eastus');
    const storage = new RestError('refused', { code: 'AuthenticationFailed', statusCode: 403 });
    expect((await look({ storage, store })).state).toBe('unknown');
    expect(await seenHealth(store, 'eastus')).toEqual(before);
  });

  it('is not what a wrong program is: it is thrown', async () => {
    await expect(look({ workspace: new TypeError('x is not a function') })).rejects.toThrow(TypeError);
  });
});

describe('a probe through the public address', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server = undefined;
  });

  async function front(status: number): Promise<string> {
    const made = createServer((_request, response) => response.writeHead(status).end());
    server = made;
    await new Promise<void>((resolve) => {
      made.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(made.address() as AddressInfo).port}/score`;
  }

  it('that answers as declared is well', async () => {
    const url = await front(405);
    expect((await look({ probe: { url, expect: 405 } })).checks[2]).toEqual({
      what: `public probe ${url}`,
      state: 'ok',
      detail: 'answers 405',
    });
  });

  it('that answers otherwise is an outage, although the control plane is well', async () => {
    const { state, checks } = await look({ probe: { url: await front(404) } });
    expect(state).toBe('unhealthy');
    expect(checks[2]).toMatchObject({ state: 'failed', detail: 'expected 200, got 404' });
  });

  it('that nobody answers is an outage', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    const { state, checks } = await look({ probe: { url } });
    expect(state).toBe('unhealthy');
    expect(checks[2]).toMatchObject({ state: 'failed', detail: 'no answer (ECONNREFUSED)' });
  });

  it('says nothing of the region that does not serve', async () => {
    const session = sessionOf({ probe: { url: await front(503) } });
    await ensurePointer(session.store, { topology: session.topology, who: 'test', now: new Date() });
    expect((await checkHealth(session, 'westus3')).state).toBe('healthy');
    expect((await checkHealth(session, 'eastus')).state).toBe('unhealthy');
  });
});

describe('a failover', () => {
  it('of a region that is out needs no further word', async () => {
    requireOutage(await look({ workspace: unanswered('ECONNREFUSED') }));
  });

  it('of one that is healthy needs one', async () => {
    const health = await look({});
    expect(() => requireOutage(health)).toThrow(
      expect.objectContaining({
        code: 'PreconditionError',
        message: expect.stringContaining('eastus is healthy'),
        details: { next: expect.stringContaining('--even-if-healthy') },
      }),
    );
  });

  it('of one that nobody can tell of needs one too, and is told why', async () => {
    const health = await look({ workspace: answered(403, 'AuthorizationFailed') });
    expect(() => requireOutage(health)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^cannot tell whether eastus is out: workspace: .*AuthorizationFailed/),
        details: { next: expect.stringContaining('--even-if-healthy') },
      }),
    );
  });
});
