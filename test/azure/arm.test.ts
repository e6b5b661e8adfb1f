/** Raw ARM over HTTPS: pages, long-running operations, and every way not to answer. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthenticationError } from '@azure/identity';
import { connectArm } from '../../src/azure/arm.ts';
import { isUnderstudyError, type UnderstudyError } from '../../src/errors/error.ts';
import { closedPort, credential, startServer, type Answer, type Server } from './server.ts';

const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.X/things/a';
const version = '2024-04-01';
const resource = {
  id,
  name: 'a',
  type: 'Microsoft.X/things',
  properties: { state: 'Succeeded', kept: { deep: [1] } },
};

let server: Server;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

async function failure(work: Promise<unknown>): Promise<UnderstudyError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isUnderstudyError(error)) throw new Error('it did not fail with an error of ours', { cause: error });
  return error;
}

const azureSays = (status: number, code: string, message: string, headers = {}): Answer => ({
  status,
  headers,
  body: { error: { code, message } },
});

describe('get and find', () => {
  it('ask with a token and an api-version, and answer the resource whole', async () => {
    server.answers.push({ status: 200, body: resource });
    expect(await server.arm().get(id, version)).toEqual(resource);
    expect(server.asked[0]).toMatchObject({ method: 'GET', path: id });
    expect(server.asked[0]?.query.get('api-version')).toBe(version);
    expect(server.asked[0]?.headers.authorization).toBe('Bearer canary-token');
  });

  it('find answers undefined for what is not there, and nothing else', async () => {
    server.answers.push(azureSays(404, 'ResourceNotFound', 'no such thing'));
    expect(await server.arm().find(id, version)).toBeUndefined();
    server.answers.splice(0, 1, azureSays(403, 'AuthorizationFailed', 'no'));
    expect((await failure(server.arm().find(id, version))).details.azure?.status).toBe(403);
  });

  it('get says what was tried, on what, and what Azure said', async () => {
    server.answers.push(azureSays(404, 'ResourceNotFound', 'The resource was not found.'));
    const error = await failure(server.arm().get(`${id}?a=b`, version));
    expect(error.message).toBe(`GET ${id}: ResourceNotFound: The resource was not found. (HTTP 404)`);
    expect(error.details.azure).toEqual({ status: 404, code: 'ResourceNotFound', requestId: 'req-1' });
    expect(error.retryable).toBe(false);
  });
});

describe('list', () => {
  it('goes through all pages, and keeps a query', async () => {
    const page = (names: string[], more?: string): Answer => ({
      status: 200,
      body: {
        value: names.map((name) => ({ ...resource, name })),
        ...(more === undefined ? {} : { nextLink: more }),
      },
    });
    const next = `${server.url}${id}/versions?api-version=${version}&%24skipToken=2`;
    server.answers.push(
      page(['1', '2'], next),
      page([], `${server.url}${id}/versions?api-version=${version}&%24skipToken=3`),
      page(['3']),
    );
    const names: string[] = [];
    for await (const { name } of server.arm().list(`${id}/versions?listViewType=All`, version)) names.push(name);
    expect(names).toEqual(['1', '2', '3']);
    expect(
      server.asked.map(({ query }) => [
        query.get('listViewType'),
        query.get('$skipToken'),
        query.getAll('api-version'),
      ]),
    ).toEqual([
      ['All', null, [version]],
      [null, '2', [version]],
      [null, '3', [version]],
    ]);
  });

  it('asks for the next page only when it is wanted', async () => {
    server.answers.push({ status: 200, body: { value: [resource], nextLink: `${server.url}${id}?page=2` } });
    for await (const each of server.arm().list(id, version)) {
      expect(each.name).toBe('a');
      break;
    }
    expect(server.asked).toHaveLength(1);
  });
});

describe('a long-running operation', () => {
  const accepted = (more: Record<string, string> = {}): Answer => ({
    status: 201,
    headers: {
      'azure-asyncoperation': `${server.url}/operations/1?api-version=x`,
      'retry-after': '0',
      ...more,
    },
    body: { ...resource, properties: { state: 'Creating' } },
  });
  const running: Answer = { status: 200, headers: { 'retry-after': '0' }, body: { status: 'InProgress' } };

  it('of a PUT is polled to its end, and the resource as it then is answered', async () => {
    server.answers.push(
      accepted(),
      running,
      running,
      { status: 200, body: { status: 'Succeeded' } },
      { status: 200, body: resource },
    );
    const body = { location: 'eastus', properties: { a: 1 } };
    expect(await server.arm().put(id, version, body)).toEqual(resource);
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `PUT ${id}`,
      'GET /operations/1',
      'GET /operations/1',
      'GET /operations/1',
      `GET ${id}`,
    ]);
    expect(server.asked[0]?.body).toEqual(body);
  });

  it('of a POST is polled at its Location, and its result answered', async () => {
    const location = `${server.url}/results/1`;
    server.answers.push(
      { status: 202, headers: { location, 'retry-after': '0' } },
      { status: 202, headers: { location, 'retry-after': '0' } },
      { status: 200, body: { keys: [] } },
    );
    expect(await server.arm().post(`${id}/listKeys`, version)).toEqual({ keys: [] });
    expect(server.asked).toHaveLength(3);
  });

  it('of a DELETE is polled; what is gone already is fine', async () => {
    server.answers.push(
      { status: 202, headers: { location: `${server.url}/results/1`, 'retry-after': '0' } },
      { status: 200 },
    );
    await server.arm().remove(id, version);
    expect(server.asked).toHaveLength(2);
    server.answers.splice(0, 9, azureSays(404, 'ResourceNotFound', 'gone'));
    await server.arm().remove(id, version);
    server.answers.splice(0, 9, { status: 204 });
    await server.arm().remove(id, version);
  });

  it.each([
    ['our own fault is final', 'BadRequest', 'the SKU is not offered', 'AzureError', 'Failed'],
    ["Azure's own passes", 'InternalServerError', 'try again', 'AzureUnavailable', 'Failed'],
    ['too little capacity passes', 'AllocationFailed', 'no nodes', 'AzureUnavailable', 'Failed'],
    ['being cancelled is final', 'OperationCanceled', 'by somebody', 'AzureError', 'Canceled'],
  ])('that fails says why: %s', async (_what, code, message, expected, status) => {
    server.answers.push(accepted(), running, { status: 200, body: { status, error: { code, message } } });
    const error = await failure(server.arm().put(id, version, {}));
    expect(error.code).toBe(expected);
    expect(error.message).toContain(`PUT ${id}: the operation ${status.toLowerCase()}: `);
    if (status === 'Failed') {
      expect(error.message).toContain(message);
      expect(error.details.azure?.code).toBe(code);
    }
  });

  it('stops being polled when the caller is cancelled', async () => {
    const controller = new AbortController();
    server.answers.push(accepted(), () => {
      if (server.asked.length === 3) controller.abort();
      return running;
    });
    await expect(server.arm().put(id, version, {}, { signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(server.asked.length).toBeLessThan(6);
  });
});

describe('no success', () => {
  it('429: tried once more, then told how long to wait', async () => {
    server.answers.push(azureSays(429, 'TooManyRequests', 'slower', { 'retry-after': '0' }));
    const error = await failure(server.arm().get(id, version));
    expect(error).toMatchObject({
      code: 'AzureUnavailable',
      details: { retryAfterSeconds: 0, azure: { status: 429 } },
    });
    expect(server.asked).toHaveLength(2);
  });

  it('a passing 503 is not even noticed', async () => {
    server.answers.push(azureSays(503, 'ServiceUnavailable', 'soon'), { status: 200, body: resource });
    expect(await server.arm().get(id, version)).toEqual(resource);
  });

  it('401 is about the credential, and says which variables', async () => {
    server.answers.push(azureSays(401, 'InvalidAuthenticationToken', 'expired'));
    const error = await failure(server.arm().get(id, version));
    expect(error).toMatchObject({
      code: 'CredentialError',
      details: { next: expect.stringContaining('AZURE_CLIENT_SECRET') },
    });
  });

  it('no answer within the time for a request is unavailable, soon', async () => {
    server.answers.push('hang');
    const began = performance.now();
    const error = await failure(server.arm({ requestTimeoutMs: 150 }).get(id, version));
    expect(error.message).toBe(`GET ${id}: no answer in time`);
    expect(error.code).toBe('AzureUnavailable');
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('a connection cut, and one refused, are unavailable', async () => {
    server.answers.push('cut');
    expect(await failure(server.arm().get(id, version))).toMatchObject({
      code: 'AzureUnavailable',
      message: expect.stringMatching(/no answer \(ECONNRESET\)/),
    });
    const nobody = `https://localhost:${await closedPort()}`;
    const arm = connectArm(credential, { ...server.cloud, resourceManager: nobody }, { requestTimeoutMs: 1000 });
    expect(await failure(arm.get(id, version))).toMatchObject({
      code: 'AzureUnavailable',
      message: `GET ${id}: no answer (ECONNREFUSED)`,
    });
  });

  it('an answer that is no JSON is said to be none', async () => {
    server.answers.push({ status: 200, body: '<html>' });
    expect((await failure(server.arm().get(id, version))).message).toContain('the answer is not JSON');
  });

  it('our own cancellation is passed on as it is', async () => {
    server.answers.push('hang');
    const controller = new AbortController();
    const asking = server.arm().get(id, version, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    const error: unknown = await asking.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(isUnderstudyError(error)).toBe(false);
  });

  it('a token refused is about the credential; the secret is nowhere', async () => {
    const refused = {
      error: 'invalid_client',
      error_description: 'AADSTS7000215: Invalid client secret provided.',
    };
    const arm = server.arm({
      credential: { getToken: () => Promise.reject(new AuthenticationError(401, JSON.stringify(refused))) },
    });
    const error = await failure(arm.get(id, version));
    expect(error.code).toBe('CredentialError');
    expect(error.message).toMatch(/^GET .*: no token: /);
    expect(JSON.stringify(error)).not.toContain('canary-token');
  });
});

it('a certificate that nobody trusts: says so, and what to set', async () => {
  const stranger = await startServer({ trusted: false });
  try {
    stranger.answers.push({ status: 200, body: resource });
    const error = await failure(stranger.arm().get(id, version));
    expect(error.message).toMatch(/no answer \(.*SELF_SIGNED_CERT/);
    expect(error.details.next).toContain('NODE_EXTRA_CA_CERTS');
    expect(stranger.asked).toEqual([]);
  } finally {
    await stranger.close();
  }
});
