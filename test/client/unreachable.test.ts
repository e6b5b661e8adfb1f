/**
 * A Temporal that cannot be reached, in every way that differs for the person who has to act: real sockets, real
 * certificates.
 */
import { lookup } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { createSecureServer, createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcp, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ensureCertificates, type Certificates } from '../../simulator/certificates.ts';
import { connectTemporal } from '../../src/client/connect.ts';
import { parseAddress } from '../../src/client/unreachable.ts';
import type { UnderstudyError } from '../../src/errors/error.ts';
import { closedPort } from '../azure/server.ts';

let folder: string;
let good: Certificates;
let expired: Certificates;
const servers: Server[] = [];

async function certificates(name: string, now?: Date): Promise<Certificates> {
  const own = await mkdtemp(join(folder, name));
  return ensureCertificates(own, now);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-temporal-'));
  good = await certificates('good');
  expired = await certificates('expired', new Date('2024-01-01'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Listens, and is where TEMPORAL_ADDRESS leads. */
async function listening(server: Server): Promise<void> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  vi.stubEnv('TEMPORAL_ADDRESS', `localhost:${(server.address() as AddressInfo).port}`);
}

async function failure(): Promise<UnderstudyError> {
  try {
    await (await connectTemporal(1000)).connection.close();
  } catch (error) {
    return error as UnderstudyError;
  }
  throw new Error('it was reached');
}

const secure = ({ key, cert, ca }: Certificates) => createSecureServer({ key, cert: `${cert}${ca}` });

describe('the address', () => {
  it('where nobody listens: refused, and may come up', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${await closedPort()}`);
    expect(await failure()).toMatchObject({
      code: 'TemporalError',
      message: expect.stringMatching(
        /^cannot reach Temporal at 127\.0\.0\.1:\d+: nobody listens there \(ECONNREFUSED\)$/,
      ),
      details: { passes: true, next: expect.stringContaining('stack up') },
    });
  });

  it('whose name leads nowhere: the name', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.invalid:7233');
    const code = await lookup('temporal.invalid').catch((error: NodeJS.ErrnoException) => error.code);
    const { message, details } = await failure();
    expect(message).toContain(`"temporal.invalid"`);
    expect(message).toContain(`(${code as string})`);
    expect(details.next).toContain('TEMPORAL_ADDRESS');
    expect(details.passes).toBe(code === 'EAI_AGAIN');
  });

  it.each(['http://localhost:7233', 'localhost:port', 'localhost:99999', ''])(
    'that is none is bad input: "%s"',
    async (address) => {
      vi.stubEnv('TEMPORAL_ADDRESS', address);
      expect(await failure()).toMatchObject({
        code: 'UsageError',
        message: expect.stringContaining('TEMPORAL_ADDRESS: expected a host and a port'),
      });
    },
  );

  it('is read with and without its port, by name and number', () => {
    expect(parseAddress('temporal')).toEqual({ host: 'temporal', port: 7233 });
    expect(parseAddress('10.0.0.1:80')).toEqual({ host: '10.0.0.1', port: 80 });
    expect(parseAddress('[::1]:7234')).toEqual({ host: '::1', port: 7234 });
  });

  it('of a server that says nothing: it does not answer in time', async () => {
    await listening(createTcp(() => undefined));
    const { message, details } = await failure();
    expect(message).toContain('it takes connections, and does not answer in time');
    expect(details.passes).toBe(true);
  });

  it('of something else: not Temporal', async () => {
    await listening(createHttp((_request, response) => response.end('hello')));
    const { message, details } = await failure();
    expect(message).toContain('what listens there is not Temporal');
    expect(details.passes).toBe(false);
  });
});

describe('TLS', () => {
  it('of an authority that is not trusted names the authority, and what to set', async () => {
    await listening(secure(good));
    vi.stubEnv('TEMPORAL_TLS', 'true');
    const { message, details } = await failure();
    expect(message).toMatch(
      /its TLS certificate is of an authority that is not trusted here \(Local Azure test authority\) \(SELF_SIGNED_CERT_IN_CHAIN\)$/,
    );
    expect(details).toMatchObject({
      passes: false,
      next: expect.stringContaining('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
    });
  });

  it('whose certificate has expired says when', async () => {
    await listening(secure(expired));
    vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', expired.caFile);
    const { message, details } = await failure();
    expect(message).toMatch(/its TLS certificate has expired, on 2025-01-25 \(CERT_HAS_EXPIRED\)$/);
    expect(details).toMatchObject({ passes: false, next: expect.stringContaining('renewed') });
  });

  it('whose certificate is of another name says which', async () => {
    await listening(secure(good));
    vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', good.caFile);
    vi.stubEnv('TEMPORAL_TLS_SERVER_NAME', 'temporal.example.com');
    const { message, details } = await failure();
    expect(message).toMatch(/of another name \(localhost, .*\) \(ERR_TLS_CERT_ALTNAME_INVALID\)$/);
    expect(details.next).toContain('TEMPORAL_TLS_SERVER_NAME');
  });

  it('that the server wants, and nobody has set', async () => {
    await listening(secure(good));
    const { message, details } = await failure();
    expect(message).toContain('it speaks TLS, and no TLS is set');
    expect(details).toMatchObject({ passes: false, next: expect.stringContaining('TEMPORAL_TLS=true') });
  });

  it('that is set, where Temporal speaks plain text', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    vi.stubEnv('TEMPORAL_TLS', 'true');
    const { message, details } = await failure();
    expect(message).toContain('TLS is set, and it speaks plain text');
    expect(details).toMatchObject({ passes: false, next: expect.stringContaining('TEMPORAL_TLS=false') });
  });

  it('with a client certificate that is asked for, and not set', async () => {
    const { key, cert, ca } = good;
    await listening(
      createTls({
        key,
        cert: `${cert}${ca}`,
        ca,
        requestCert: true,
        rejectUnauthorized: true,
        ALPNProtocols: ['h2'],
      }),
    );
    vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', good.caFile);
    const { message, details } = await failure();
    expect(message).toContain('it asks for a client certificate, and none is set');
    expect(details.next).toContain('TEMPORAL_TLS_CLIENT_CERT_PATH');
  });

  it('with a client certificate of ours that has expired', async () => {
    const [cert, key] = [join(folder, 'client.pem'), join(folder, 'client-key.pem')];
    await writeFile(cert, expired.cert);
    await writeFile(key, expired.key);
    const { ca } = good;
    await listening(createTls({ key: good.key, cert: good.cert, ca, requestCert: true, ALPNProtocols: ['h2'] }));
    vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', good.caFile);
    vi.stubEnv('TEMPORAL_TLS_CLIENT_CERT_PATH', cert);
    vi.stubEnv('TEMPORAL_TLS_CLIENT_KEY_PATH', key);
    const { message } = await failure();
    expect(message).toContain('our own client certificate has expired, on 2025-01-25');
  });

  it('with a file that is not there is bad input', async () => {
    vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', join(folder, 'none.pem'));
    expect(await failure()).toMatchObject({
      code: 'UsageError',
      message: expect.stringMatching(/^cannot read the settings of Temporal: .*none\.pem/),
    });
  });
});

describe('a refusal', () => {
  /** Speaks gRPC, and says the same to everything. */
  async function refusing(status: number, message: string): Promise<void> {
    const server = createHttp2();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': String(status),
          'grpc-message': message,
        },
        { endStream: true },
      );
    });
    await listening(server);
  }

  it.each([
    [16, 'unauthenticated', /does not accept who we are: no valid token$/, 'TEMPORAL_API_KEY'],
    [7, 'permission denied', /does not let us use the namespace "default": no valid token$/, 'access'],
    [12, 'anything else', /refuses: no valid token$/, 'TEMPORAL_ADDRESS'],
  ])('with gRPC status %i is named: %s', async (status, _name, says, next) => {
    await refusing(status, 'no valid token');
    const { message, details } = await failure();
    expect(message).toMatch(says);
    expect(details).toMatchObject({ passes: false, next: expect.stringContaining(next) });
  });

  it('of a namespace that is not there names it', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    vi.stubEnv('TEMPORAL_NAMESPACE', 'nowhere');
    const { message, details } = await failure();
    expect(message).toMatch(/^Temporal at \S+ has no namespace "nowhere": /);
    expect(details).toMatchObject({ passes: false, next: expect.stringContaining('TEMPORAL_NAMESPACE') });
  });
});
