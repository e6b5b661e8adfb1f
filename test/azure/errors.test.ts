/** What Azure's statuses and the machine's errors mean for us: one table. */
import { RestError } from '@azure/core-rest-pipeline';
import { AuthenticationRequiredError, CredentialUnavailableError } from '@azure/identity';
import { describe, expect, it } from 'vitest';
import { answerError, azureError, isOutage } from '../../src/azure/errors.ts';
import { UnderstudyError, type ErrorDetails } from '../../src/errors/error.ts';

const answer = (status: number, body?: unknown, headers: Record<string, string> = {}) => ({
  status,
  bodyAsText: typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body),
  headers: { get: (name: string) => headers[name] },
});

describe('a status', () => {
  it.each([
    [400, 'AzureError', false],
    [401, 'CredentialError', false],
    [403, 'AzureError', false],
    [404, 'AzureError', false],
    [408, 'AzureUnavailable', true],
    [409, 'AzureError', false],
    [412, 'AzureError', false],
    [429, 'AzureUnavailable', true],
    [500, 'AzureUnavailable', true],
    [501, 'AzureError', false],
    [502, 'AzureUnavailable', true],
    [503, 'AzureUnavailable', true],
    [504, 'AzureUnavailable', true],
    [505, 'AzureError', false],
  ])('%i is %s', (status, code, retryable) => {
    const error = answerError('GET /x', answer(status));
    expect(error).toMatchObject({ code, retryable, message: `GET /x: (HTTP ${status})` });
    expect(error.details.azure).toEqual({ status });
  });
});

describe("Azure's words", () => {
  it.each([
    ["ARM's error", { error: { code: 'Conflict', message: 'busy' } }, 'Conflict: busy'],
    ['an error without an envelope', { code: 'Conflict', message: 'busy' }, 'Conflict: busy'],
    [
      "a deployment's, which says what is wrong only within",
      {
        error: {
          code: 'DeploymentFailed',
          message: 'At least one failed.',
          details: [{ code: 'Conflict', message: 'x', details: [{ code: 'VaultExists', message: 'name taken' }] }],
        },
      },
      'DeploymentFailed: At least one failed. — Conflict: x — VaultExists: name taken',
    ],
    [
      'XML of the blob service',
      '<?xml version="1.0"?><Error><Code>A</Code><Message>no such blob\nRequestId:1</Message></Error>',
      'no such blob',
    ],
    ['plain text', 'Bad Gateway\nnginx', 'Bad Gateway'],
    ['JSON cut short', '{"error": {"code": "Con', '{"error": {"code": "Con'],
  ])('%s', (_what, body, said) => {
    expect(answerError('PUT /x', answer(409, body)).message).toBe(`PUT /x: ${said} (HTTP 409)`);
  });

  it('come with the request id, the code of the header, and how long to wait', () => {
    const headers = { 'x-ms-request-id': 'r', 'x-ms-error-code': 'BlobNotFound', 'retry-after': '17' };
    expect(answerError('GET /x', answer(503, undefined, headers)).details).toMatchObject({
      azure: { status: 503, code: 'BlobNotFound', requestId: 'r' },
      retryAfterSeconds: 17,
    });
    const date = { 'retry-after': 'Sat, 21 Nov 2026 10:00:00 GMT' };
    expect(answerError('GET /x', answer(503, undefined, date)).details.retryAfterSeconds).toBeUndefined();
  });
});

describe('what an SDK throws', () => {
  it('passes on what is ours already, and our own cancellation', () => {
    const ours = new UnderstudyError('FencedError', 'x');
    expect(azureError('GET /x', ours)).toBe(ours);
    const aborted = new DOMException('aborted', 'AbortError');
    expect(azureError('GET /x', aborted, true)).toBe(aborted);
  });

  it.each([
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'no answer (ECONNREFUSED)'],
    ['an unknown host', new RestError('getaddrinfo', { code: 'ENOTFOUND' }), 'no answer (ENOTFOUND)'],
    [
      'a cause within',
      new Error('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
      'no answer (ECONNRESET)',
    ],
    ['a time-out', Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' }), 'no answer in time'],
    ['anything else', new Error('socket hang up\n  at …'), 'no answer (socket hang up)'],
  ])('%s is unavailable', (_what, error, said) => {
    expect(azureError('GET /x', error)).toMatchObject({
      code: 'AzureUnavailable',
      message: `GET /x: ${said}`,
    });
  });

  it.each([
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ])('%s comes with what to set', (code) => {
    const error = azureError('GET /x', Object.assign(new Error('certificate'), { code }));
    expect(error.message).toBe(`GET /x: no answer (${code})`);
    expect((error as UnderstudyError).details.next).toContain('NODE_EXTRA_CA_CERTS');
    expect(isOutage(error)).toBe(false);
  });

  it('counts as an outage by its kind, whether or not there is advice', () => {
    const advised = (details: ErrorDetails) =>
      new UnderstudyError('AzureUnavailable', 'GET /x: no answer', {
        next: 'Look at your proxy.',
        ...details,
      });
    expect(isOutage(advised({}))).toBe(true);
    expect(isOutage(advised({ azure: { status: 503 } }))).toBe(true);
    expect(isOutage(advised({ azure: { status: 429 } }))).toBe(false);
    expect(isOutage(advised({ untrusted: true }))).toBe(false);
    expect(isOutage(advised({ origin: 'sign-in' }))).toBe(false);
    expect(isOutage(new UnderstudyError('AzureError', 'GET /x: no'))).toBe(false);
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'renewed'],
    ['CERT_NOT_YET_VALID', 'clock'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'AZURE_RESOURCE_MANAGER_ENDPOINT'],
  ])('%s is named, and comes with what to do', (code, next) => {
    const cause = Object.assign(new Error('certificate'), { code });
    const error = azureError('GET /x', new TypeError('fetch failed', { cause }));
    expect(error.message).toBe(`GET /x: no answer (${code})`);
    expect((error as UnderstudyError).details.next).toContain(next);
  });

  it.each([
    ['nothing to sign in with', new CredentialUnavailableError('EnvironmentCredential is unavailable.\nMore')],
    [
      'a person is needed',
      new AuthenticationRequiredError({ scopes: [], message: 'Interactive authentication is needed' }),
    ],
  ])('%s is about the credential', (_what, error) => {
    expect(azureError('GET /x', error)).toMatchObject({
      code: 'CredentialError',
      message: expect.stringMatching(/^GET \/x: no token: [^\n]+$/),
    });
  });

  it("takes a storage client's own code where there is no body", () => {
    const error = new RestError('The specified container does not exist.\nRequestId:1', {
      code: 'ContainerNotFound',
      statusCode: 404,
    });
    expect(azureError('reading "a"', error).message).toBe(
      'reading "a": ContainerNotFound: The specified container does not exist. (HTTP 404)',
    );
  });
});
