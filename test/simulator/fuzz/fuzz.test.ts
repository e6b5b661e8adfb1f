/**
 * Whatever a client sends gets an error in Azure's shape, and the cloud goes on: wrong bodies at every depth, wrong
 * paths, methods and headers, and bytes that are no HTTP. From a seed, so that what was found is found again; FUZZ_SEED
 * and FUZZ_REQUESTS search further.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { offers } from '../../../simulator/operations-table.ts';
import { findDescriptions, loadOperations } from '../machinelearning/api-description.ts';
import { makeWorkspace, startFixture, type Answer, type Fixture } from '../machinelearning/fixture.ts';
import { rightBodies, type Right } from './bodies.ts';
import { changeAt, placesIn, Wrong } from './mutations.ts';
import { sendRaw } from './raw.ts';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const requests = Number(process.env.FUZZ_REQUESTS ?? 900);
const wrong = new Wrong(seed);
/** What the cloud logs is what it did not expect. */
const log: string[] = [];
const begun = new Map<string, string>();

let azure: Fixture;
let group: string;
let workspace: string;
let right: Right[];

beforeAll(async () => {
  azure = await startFixture({
    regions: ['eastus', 'westus3'],
    log: (line) => log.push(line),
    throttling: 'off',
  });
  group = azure.group('eastus');
  workspace = await makeWorkspace(azure, 'eastus', 'fuzz');
  const put = (path: string, body: Json): Promise<JsonObject> => azure.put(`${workspace}/${path}`, body);
  await put('environments/env/versions/1', { properties: { image: 'mcr.microsoft.com/a:1' } });
  await put('models/m/versions/1', {
    properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/m' },
  });
  await put('onlineEndpoints/endpoint', { location: 'eastus', properties: { authMode: 'Key' } });
  await put('batchEndpoints/endpoint', { location: 'eastus', properties: { authMode: 'AADToken' } });
  const scaleSettings = { minNodeCount: 0, maxNodeCount: 1 };
  const cluster = { vmSize: 'Standard_DS3_v2', scaleSettings };
  await put('computes/cpu', {
    location: 'eastus',
    properties: { computeType: 'AmlCompute', properties: cluster },
  });
  right = [...rightBodies(group, workspace, azure.running.address.tenantId), ...published()];
}, 60_000);
afterAll(() => azure?.close());

/** The bodies of Azure's own examples, where they are. */
function published(): Right[] {
  const folder = findDescriptions();
  if (folder === undefined) return [];
  return loadOperations(folder)
    .filter(offers)
    .flatMap(({ method, path, examples, bodyName }) =>
      examples.flatMap(({ parameters }): Right[] => {
        const body = bodyName === undefined ? undefined : parameters[bodyName];
        if (body === undefined || (method !== 'PUT' && method !== 'PATCH' && method !== 'POST')) return [];
        const ours: JsonObject = {
          ...parameters,
          subscriptionId: azure.running.address.subscriptionId,
          resourceGroupName: 'ml-eastus',
          workspaceName: 'fuzz',
          ...(method === 'PUT' && path.endsWith('/{endpointName}') ? {} : { endpointName: 'endpoint' }),
          location: 'eastus',
        };
        const full = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ours[name] as string));
        return [{ method, path: full, body: body as JsonObject }];
      }),
    );
}

/**
 * What is wrong with an answer: an error must have code and message and nothing of our insides, and nothing may be a
 * failure of ours.
 */
function faultOf({ status, body, headers }: Answer, isHead: boolean): string | undefined {
  if (status >= 500 && status !== 501) return `a failure of ours (${log.at(-1)?.split('\n').slice(0, 3).join(' ')})`;
  if (status < 400 || isHead) return undefined;
  const { code, message } = (body.error ?? {}) as { code?: unknown; message?: unknown };
  const isOAuth = typeof body.error === 'string' && typeof body.error_description === 'string';
  const isArm = typeof code === 'string' && code !== '' && typeof message === 'string' && message !== '';
  if (!isArm && !isOAuth) return 'an error without code and message';
  if (INSIDES.test(JSON.stringify(body))) return 'an error that shows our insides';
  return headers['content-type']?.startsWith('application/json') ? undefined : 'an error that is no JSON';
}

const INSIDES = / {4}at |node:internal|\.ts:\d|Cannot (read|create|use|convert)|is not (a function|iterable)/;

/** What went wrong, one line for each cause. */
class Findings {
  private readonly found = new Map<string, string>();

  judge(what: string, answer: Answer): void {
    const begunAt = answer.headers['azure-asyncoperation'];
    if (begunAt !== undefined) begun.set(begunAt, what);
    const fault = faultOf(answer, what.startsWith('HEAD '));
    if (fault !== undefined && !this.found.has(fault))
      this.found.set(
        fault,
        `${fault}: ${what.slice(0, 900)} → ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`,
      );
  }

  get all(): string[] {
    return [...this.found.values()];
  }
}

const named = (path: string, i: number): string => path.replace(/[^/]+$/, (name) => `${name.slice(0, 12)}${i}`);

async function send(findings: Findings, method: string, path: string, body?: Json): Promise<void> {
  const answer = await azure.arm(method, path, body);
  // What was begun ends, so that the next request meets more than an operation in progress.
  azure.running.clock.advance(1000);
  findings.judge(`${method} ${path.replace(workspace, '…').slice(0, 200)} ${JSON.stringify(body ?? '')}`, answer);
}

describe('wrong bodies', () => {
  it('get what Azure says of them, wherever in the body the mistake is', async () => {
    const findings = new Findings();
    for (let i = 0; i < requests; i += 1) {
      const { method, path, body } = wrong.pick(right);
      await send(findings, method, method === 'PUT' && wrong.chance(0.7) ? named(path, i) : path, wrong.body(body));
    }
    expect(findings.all).toEqual([]);
  }, 600_000);

  it.runIf(process.env.FUZZ_ALL !== undefined)(
    'at each place of each of them, with each wrong type',
    async () => {
      const findings = new Findings();
      for (const [i, { method, path, body }] of right.entries()) {
        for (const [j, place] of placesIn(body).entries()) {
          for (const value of [null, 1, 'x', [], {}, true, [1], { a: 1 }])
            await send(
              findings,
              method,
              method === 'PUT' ? named(path, i * 1000 + j) : path,
              changeAt(body, place, () => value),
            );
        }
      }
      expect(findings.all).toEqual([]);
    },
    3_600_000,
  );

  it('leave nothing behind that breaks an operation, a list or a restart', async () => {
    const findings = new Findings();
    azure.running.clock.advance(3_600_000);
    for (const [url, what] of begun) {
      const { status, body } = await azure.arm('GET', url);
      expect(status, what).toBe(200);
      const error = (body.error ?? {}) as { code?: string; message?: string };
      expect(`${error.code}: ${error.message}`, what).not.toMatch(/InternalServerError|TypeError|RangeError/);
    }
    const lists = right.filter(({ method }) => method === 'PUT').map(({ path }) => path.replace(/\/[^/]+$/, ''));
    const all = [...new Set(lists), `${group}/resources`, `${azure.subscription}/resources`];
    const look = async (): Promise<void> => {
      for (const path of all) findings.judge(`GET ${path}`, await azure.arm('GET', path));
    };
    await look();
    await azure.restart();
    await look();
    expect(Object.prototype).not.toHaveProperty('polluted');
    expect(log.filter((line) => /Error/.test(line))).toEqual([]);
    expect(findings.all).toEqual([]);
  }, 120_000);
});

describe('wrong requests', () => {
  it('to wrong places, by wrong methods, with wrong parameters', async () => {
    const findings = new Findings();
    const methods = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];
    const queries = [
      '',
      '?api-version=',
      '?api-version=x',
      '?api-version=2024-04-01&$top=x',
      '?api-version=2024-04-01&$skipToken=%%',
      '?api-version=2024-04-01&$filter=((',
      '?api-version=2024-04-01&$filter=%ff',
      '?api-version=2024-04-01&api-version=1',
      '?%',
    ];
    for (let i = 0; i < requests / 3; i += 1) {
      const segments = wrong.pick(right).path.split('/');
      const kept = segments.slice(0, 2 + Math.floor((segments.length - 2) * ((i % 10) / 10)) + 1);
      const path = [
        ...kept,
        ...(wrong.chance(0.8) ? [wrong.segment()] : []),
        ...(wrong.chance(0.3) ? [wrong.segment()] : []),
      ];
      const method = wrong.pick(methods);
      const url = `${azure.running.address.arm}${path.join('/')}${wrong.chance(0.5) ? '' : wrong.pick(queries)}`;
      if (!URL.canParse(url)) continue;
      const target = url.slice(azure.running.address.arm.length);
      await send(findings, method, target, method === 'PUT' ? wrong.value() : undefined);
    }
    expect(findings.all).toEqual([]);
  }, 120_000);

  it('to the data planes', async () => {
    const findings = new Findings();
    const { regions, front, arm } = azure.running.address;
    const planes = [
      `${regions.eastus?.dataPlane}/_/vault/fuzz`,
      `${regions.eastus?.dataPlane}/_`,
      `${front}/_`,
      `${arm}/${azure.running.address.tenantId}/oauth2/v2.0`,
    ];
    for (let i = 0; i < requests / 4; i += 1) {
      const url = `${wrong.pick(planes)}/${wrong.pick(['secrets', 'token', 'score', 'history', 'score/x'])}/${wrong.segment()}`;
      if (!URL.canParse(url)) continue;
      const answer = await azure.send(wrong.pick(['GET', 'PUT', 'POST', 'DELETE']), url, wrong.value(), {
        authorization: wrong.pick(['', 'Bearer x', 'Bearer a.b.c', 'Basic eDp5']),
      });
      if (url.startsWith(front)) expect(answer.status).toBeLessThan(500);
      else findings.judge(url, answer);
    }
    expect(findings.all).toEqual([]);
  }, 60_000);

  it('to the admin API', async () => {
    const { admin } = azure.running.address;
    for (let i = 0; i < requests / 4; i += 1) {
      const path = wrong.pick([
        '/chaos',
        '/chaos/errors',
        '/regions/eastus/faults',
        '/regions/eastus/outage',
        '/regions/eastus/quota',
        '/clock',
        '/tokens',
        '/principals',
        '/requests',
        '/regions/eastus/replication',
        '/chaos/%zz',
      ]);
      const response = await fetch(admin + path, {
        method: wrong.pick(['POST', 'DELETE', 'PUT']),
        body: JSON.stringify(
          wrong.chance(0.5)
            ? wrong.value()
            : {
                [wrong.pick([
                  'mode',
                  'speed',
                  'region',
                  'parameters',
                  'errorRate',
                  'throttle',
                  'lifetimeSeconds',
                  'displayName',
                ])]: wrong.value(),
              },
        ),
      });
      const text = await response.text();
      expect(response.status, `${path} ${text}`).toBeLessThan(500);
      if (response.status >= 400) expect(text).toMatch(/"code":".+"message":".+/);
    }
    await fetch(`${admin}/faults`, { method: 'DELETE' });
    await fetch(`${admin}/tokens`, { method: 'POST', body: JSON.stringify({ lifetimeSeconds: 300 }) });
    await fetch(`${admin}/clock`, { method: 'POST', body: JSON.stringify({ speed: 1 }) });
  }, 60_000);
});

describe('what is no request', () => {
  const start = `PUT /subscriptions/x?api-version=2024-04-01 HTTP/1.1\r\nHost: localhost\r\n`;
  const cases: Record<string, string | Buffer> = {
    'a line of nothing': '\r\n\r\n\r\n',
    'no method': '/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a method that is none': 'get / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'HTTP/9': 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n',
    'a URL with blanks': 'GET /a b c HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a URL of another host':
      'GET https://evil.example/subscriptions?api-version=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    'a URL that is none': 'GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'two slashes': 'GET //[/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'no path': 'GET x HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'an asterisk': 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'half an escape': 'GET /%e0%a4%a/% HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a header without a name': 'GET / HTTP/1.1\r\n: x\r\nHost: localhost\r\n\r\n',
    'a header of 100 KB': `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`,
    'a URL of 100 KB': `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    'a length that is none': `${start}Content-Length: -5\r\n\r\n{}`,
    'two lengths': `${start}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    'chunks that are none': `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
    'an encoding that is none': `${start}Transfer-Encoding: gzip\r\n\r\n{}`,
    'an expectation that is none': `${start}Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}`,
    'an upgrade': 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'a tunnel': 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
    bytes: Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 131) % 256)),
  };

  it.each(Object.entries(cases))('%s, at every listener', async (_what, bytes) => {
    const { arm, admin, front, proxy, regions, ca: _ } = azure.running.address;
    const ca = await import('node:fs').then(({ readFileSync }) => readFileSync(azure.running.address.ca, 'utf8'));
    const listeners = [arm, admin, front, proxy, regions.eastus?.dataPlane ?? ''];
    const answers = await Promise.all(listeners.map((url) => sendRaw(url, bytes, { ca })));
    for (const [i, { status, head, body }] of answers.entries()) {
      const shown = `${listeners[i]}: ${head} ${body.slice(0, 300)}`;
      expect(status === undefined || status < 500, shown).toBe(true);
      expect(body, shown).not.toMatch(/ {4}at |node:internal/);
      if (status !== undefined && status >= 400 && /content-type: application\/json/i.test(head))
        expect(body, shown).toMatch(/"error":/);
    }
  });

  it('a client that leaves in the middle, and one that speaks no TLS', async () => {
    const { readFileSync } = await import('node:fs');
    const ca = readFileSync(azure.running.address.ca, 'utf8');
    const { arm, regions, front } = azure.running.address;
    for (const url of [arm, regions.eastus?.dataPlane ?? '', front]) {
      await sendRaw(url, `${start}Content-Length: 500\r\n\r\n{"a":`, { ca, abort: true });
      await sendRaw(url, `${start}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n`, { ca, abort: true });
      await sendRaw(url, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', { ca, tls: false });
    }
    const large = await azure.arm('PUT', `${group}?api-version=2021-04-01`, {
      location: 'eastus',
      tags: { a: 'x'.repeat(5 << 20) },
    });
    expect([large.status, (large.body.error as JsonObject).code]).toEqual([413, 'RequestContentTooLarge']);
    // It is up; the workspace may be gone, for a wrong DELETE can be a right one.
    expect((await azure.arm('GET', azure.subscription)).status).toBe(200);
    expect(log.filter((line) => /Error/.test(line))).toEqual([]);
  }, 30_000);
});
