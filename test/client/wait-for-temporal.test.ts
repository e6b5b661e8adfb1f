/** A worker that is started before Temporal waits for it; one with wrong settings does not. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { ensureCertificates } from '../../simulator/certificates.ts';
import { waitForTemporal } from '../../src/client/wait-for-temporal.ts';
import { closedPort } from '../azure/server.ts';

const servers: net.Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: net.Server, port = 0): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return `localhost:${(server.address() as net.AddressInfo).port}`;
}

/** Passes everything on to the real Temporal. */
function gateway(): net.Server {
  const [host = '', port] = inject('temporalAddress').split(':');
  return net.createServer((near) => {
    const far = net.connect(Number(port), host);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
}

const waiting = () => {
  const said: string[] = [];
  return { said, options: { say: (line: string) => said.push(line), everyMs: 100, sayEveryMs: 60_000 } };
};

describe('a Temporal that is not up yet', () => {
  it('is waited for, which is said once, and found when it comes', async () => {
    const port = await closedPort();
    vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${port}`);
    const { said, options } = waiting();
    const connecting = waitForTemporal(options);
    await vi.waitFor(() => expect(said).toHaveLength(1), { timeout: 60_000 });
    expect(said[0]).toBe(`Temporal at 127.0.0.1:${port} does not answer yet (ECONNREFUSED): waiting for it`);
    await listen(gateway(), port);
    const client = await connecting;
    await client.connection.close();
    expect(said).toHaveLength(1);
  });

  it('is said to be waited for now and again', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${await closedPort()}`);
    const said: string[] = [];
    const enough = new Error('heard twice');
    const hear = (line: string) => {
      if (said.push(line) > 1) throw enough;
    };
    await expect(waitForTemporal({ say: hear, everyMs: 10, sayEveryMs: 0 })).rejects.toBe(enough);
  });
});

describe('settings that cannot be right', () => {
  const refused = async () => {
    const { said, options } = waiting();
    await expect(waitForTemporal(options)).rejects.toMatchObject({ code: 'TemporalError', exitCode: 1 });
    expect(said).toEqual([]);
  };

  it('a name that does not exist', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.invalid:7233');
    await refused();
  });

  it('a namespace that is not there', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    vi.stubEnv('TEMPORAL_NAMESPACE', 'nobodys');
    await refused();
  });

  it('TLS that one side alone speaks, and a certificate that is not trusted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-certificates-'));
    const { key, cert, ca } = await ensureCertificates(folder);
    rmSync(folder, { recursive: true });
    const speaking = tls.createServer({ key, cert: `${cert}${ca}`, ALPNProtocols: ['h2'] });
    speaking.on('tlsClientError', () => undefined);
    vi.stubEnv('TEMPORAL_ADDRESS', await listen(speaking));
    await refused();
    vi.stubEnv('TEMPORAL_TLS', 'true');
    await refused();
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    await refused();
  });
});
