/** What reaches a listener and no handler: it gets an error of Azure's all the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../../simulator/http/body.ts';
import { Listener } from '../../../simulator/http/listener.ts';
import { sendRaw } from '../fuzz/raw.ts';

let listener: Listener;
beforeAll(async () => {
  listener = new Listener(
    'test',
    (_request, response) => Promise.resolve(send(response, 200, {}, { handled: true })),
    () => undefined,
  );
  await listener.listen(0);
});
afterAll(() => listener.goDark());

describe('a listener refuses, as Azure words errors', () => {
  it.each([
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'BadRequest'],
    ['a request without a Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'BadRequest'],
    ['HTTP/2 without negotiation', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'BadRequest'],
    [
      'an expectation that it does not know',
      'PUT / HTTP/1.1\r\nHost: x\r\nExpect: banana\r\nContent-Length: 2\r\n\r\n{}',
      417,
      'ExpectationFailed',
    ],
    ['a tunnel', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n', 405, 'MethodNotAllowed'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'BadRequest',
    ],
    [
      'headers too large, however much of them comes',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(2_000_000)}\r\n\r\n`,
      431,
      'RequestHeaderFieldsTooLarge',
    ],
  ])('%s', async (_what, bytes, status, code) => {
    const answer = await sendRaw(listener.url, bytes, { ca: '' });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code } });
    expect(answer.head).toMatch(/^x-ms-request-id: [0-9a-f-]{36}\r?$/im);
    expect(answer.head).toMatch(/^x-ms-correlation-request-id: [0-9a-f-]{36}\r?$/im);
    expect(answer.head).toMatch(/^Date: .*GMT\r?$/im);
  });

  it('and serves what is well', async () => {
    const answer = await sendRaw(listener.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', { ca: '' });
    expect([answer.status, answer.body]).toEqual([200, '{"handled":true}']);
    const old = await sendRaw(listener.url, 'GET / HTTP/1.0\r\n\r\n', { ca: '' });
    expect(old.status).toBe(200);
  });
});
