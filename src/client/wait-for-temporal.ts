/**
 * Waits for a Temporal that is not up yet, for programs that are started at the same time. Settings that cannot be
 * right fail at once: an unknown name, an untrusted certificate, rejected credentials, a missing namespace.
 */
import { lookup } from 'node:dns/promises';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { isUnderstudyError } from '../errors/error.ts';
import { connectTemporal, temporalSettings } from './connect.ts';

/** How to wait. */
export interface Waiting {
  /** Called at once with what it waits for, then now and again. */
  say: (line: string) => void;
  everyMs?: number;
  sayEveryMs?: number;
}

/**
 * Connects, however long Temporal takes to start.
 * Errors: TemporalError if waiting cannot help.
 */
export async function waitForTemporal({
  say,
  everyMs = 2000,
  sayEveryMs = 60_000,
}: Waiting): Promise<Client> {
  let saidAt = -Infinity;
  for (;;) {
    try {
      return await connectTemporal();
    } catch (error) {
      const why = await passingCause(error);
      if (why === undefined) throw error;
      if (performance.now() - saidAt >= sayEveryMs) {
        saidAt = performance.now();
        say(`Temporal at ${temporalSettings().address} does not answer yet (${why}): waiting for it`);
      }
    }
    await delay(everyMs);
  }
}

/** gRPC codes of a server that is there but not ready: UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED. */
const notReady: ReadonlySet<number> = new Set([14, 4, 8]);

/**
 * Returns why it cannot be reached now, if waiting may help. Otherwise undefined. Temporal's client reports only a
 * timeout.
 */
async function passingCause(error: unknown): Promise<string | undefined> {
  if (!isUnderstudyError(error, 'TemporalError')) return undefined;
  const { cause } = error.details;
  if (isGrpcServiceError(cause)) return notReady.has(cause.code) ? cause.details : undefined;
  const { address, connection } = temporalSettings();
  const { hostname, port } = new URL(`temporal://${address}`);
  const reached = await reach(hostname.replace(/^\[|\]$/g, ''), Number(port || '7233'));
  if (reached !== 'listens') return passing.has(reached) ? reached : undefined;
  return (await agreesOnTls(address, connection.tls)) ? 'it listens, and says nothing' : undefined;
}

const passing: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  // The name server does not answer. An unknown name is ENOTFOUND.
  'EAI_AGAIN',
]);

const reachMs = 3000;

/** Returns `listens`, or the code of the system's error. */
async function reach(host: string, port: number): Promise<string> {
  try {
    await lookup(host);
    await connected(net.connect({ host, port }), 'connect');
    return 'listens';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** Whether both sides use TLS and trust each other, or neither uses it. */
async function agreesOnTls(
  address: string,
  settings: ReturnType<typeof temporalSettings>['connection']['tls'],
): Promise<boolean> {
  const { hostname: host, port } = new URL(`temporal://${address}`);
  const at = { host, port: Number(port || '7233'), ALPNProtocols: ['h2'] };
  const ours = settings === true || typeof settings === 'object';
  try {
    if (!ours) {
      await connected(tls.connect({ ...at, rejectUnauthorized: false }), 'secureConnect');
      return false;
    }
    const given = typeof settings === 'object' && settings !== null ? settings : {};
    const { serverRootCACertificate: ca, serverNameOverride, clientCertPair } = given;
    const name = serverNameOverride ?? (net.isIP(host) === 0 ? host : undefined);
    await connected(
      tls.connect({
        ...at,
        ...(name === undefined ? {} : { servername: name }),
        ...(ca ? { ca: Buffer.from(ca) } : {}),
        ...(clientCertPair
          ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }
          : {}),
      }),
      'secureConnect',
    );
    return true;
  } catch (error) {
    // The server does not use TLS: compare with our setting.
    return !ours || passing.has((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** Resolves once the socket emits `event`, and closes it. Rejects with an Error that has the system's code. */
function connected(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const late = Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
  return new Promise<void>((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.setTimeout(reachMs, () => reject(late));
  }).finally(() => socket.destroy());
}
