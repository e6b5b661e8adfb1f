/**
 * Explains why Temporal cannot be reached. gRPC reports "deadline exceeded" alike for a closed port, an unknown name
 * and an untrusted certificate. After a failure, each layer is therefore tried separately: name, port, TLS, HTTP/2.
 */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { certificateFault, describeFault, readCertificate } from '../errors/certificate.ts';
import { messageOf } from '../errors/error.ts';

/** As Temporal's client accepts them. `true`: TLS with default settings. */
export type TlsSettings =
  | boolean
  | {
      serverNameOverride?: string;
      serverRootCACertificate?: Uint8Array;
      clientCertPair?: { crt: Uint8Array; key: Uint8Array };
    };

/** Why it cannot be reached. */
export interface Unreachable {
  /** The reason in words. */
  what: string;
  /** The code of the operating system, if it is one of its errors. */
  code?: string;
  next: string;
  /** Whether waiting may help: the server is not up yet, or does not answer now. */
  passes: boolean;
}

const start = 'Start it ("understudy stack up" starts a local one), or set TEMPORAL_ADDRESS to where it is.';

interface Server {
  host: string;
  port: number;
}

/** Parses `localhost:7233`. Undefined if it is not a host and port. */
export function parseAddress(address: string): Server | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port ?? 0) > 65_535) return undefined;
  return { host, port: Number(port ?? 7233) };
}

/** Finds the reason. Each attempt takes at most `timeoutMs`. Undefined if every layer works. */
export async function whyUnreachable(
  server: Server,
  tls: TlsSettings | undefined,
  timeoutMs: number,
): Promise<Unreachable | undefined> {
  const settings = tls === false ? undefined : tls;
  return (
    (await tryName(server)) ??
    (await tryPort(server, timeoutMs)) ??
    (settings === undefined
      ? await tryPlainText(server, timeoutMs)
      : await tryTls(server, settings === true ? {} : settings, timeoutMs))
  );
}

async function tryName({ host }: Server): Promise<Unreachable | undefined> {
  try {
    await lookup(host);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'EAI_AGAIN'
      ? {
          what: `the name server does not say what "${host}" is (${code})`,
          code,
          next: 'See whether this machine reaches its name server, and whether the name in TEMPORAL_ADDRESS is right.',
          passes: true,
        }
      : {
          what: `nobody knows the name "${host}" (${code})`,
          next: 'Correct TEMPORAL_ADDRESS, or have the name resolved on this machine.',
          passes: false,
        };
  }
}

async function tryPort(server: Server, timeoutMs: number): Promise<Unreachable | undefined> {
  const socket = connectTcp(server);
  const code = await outcome(socket, 'connect', timeoutMs);
  socket.destroy();
  switch (code) {
    case undefined:
      return undefined;
    case 'ECONNREFUSED':
      return { what: `nobody listens there (${code})`, code, next: start, passes: true };
    case 'silent':
      return {
        what: `no answer to a connection within ${timeoutMs / 1000}s`,
        next: 'See whether a firewall lets this machine reach it, and whether TEMPORAL_ADDRESS is right.',
        passes: true,
      };
    default:
      return {
        what: `no connection can be made (${code})`,
        code,
        next: 'See whether this machine has a way there, and whether TEMPORAL_ADDRESS is right.',
        passes: true,
      };
  }
}

/** TLS is not set: checks whether the server requires it, or is not Temporal. */
async function tryPlainText(server: Server, timeoutMs: number): Promise<Unreachable | undefined> {
  const code = await plainText(server, timeoutMs);
  if (code === undefined) return slow;
  if ((await readCertificate(server, timeoutMs)) !== undefined) {
    return {
      what: 'it speaks TLS, and no TLS is set',
      next: 'Set TEMPORAL_TLS=true, and TEMPORAL_TLS_SERVER_CA_CERT_PATH where its authority is your own.',
      passes: false,
    };
  }
  return code === 'silent' ? slow : noTemporal;
}

/** Tries HTTP/2 without TLS. Undefined if the server supports it. */
async function plainText({ host, port }: Server, timeoutMs: number): Promise<string | undefined> {
  const session = connectHttp2(`http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`);
  const code = await outcome(session, 'remoteSettings', timeoutMs);
  session.destroy();
  return code;
}

const slow: Unreachable = {
  what: 'it takes connections, and does not answer in time',
  next: 'It may be starting, or have too much to do: see its log, and try again.',
  passes: true,
};

const noTemporal: Unreachable = {
  what: 'what listens there is not Temporal (no HTTP/2)',
  next: 'Set TEMPORAL_ADDRESS to the address of its frontend; its web UI has another port.',
  passes: false,
};

async function tryTls(
  server: Server,
  settings: Exclude<TlsSettings, boolean>,
  timeoutMs: number,
): Promise<Unreachable | undefined> {
  const own = clientCertificateFault(settings);
  if (own) return own;
  const serverName = settings.serverNameOverride ?? server.host;
  const socket = connectTls({ ...server, ...optionsOf(settings, serverName), ALPNProtocols: ['h2'] });
  const code = (await outcome(socket, 'secureConnect', timeoutMs)) ?? (await refusalAfter(socket));
  const isHttp2 = socket.alpnProtocol === 'h2';
  socket.destroy();
  if (code === undefined) return isHttp2 ? undefined : noTemporal;
  const fault = certificateFault(code);
  if (fault !== undefined) {
    const certificate = await readCertificate({ ...server, serverName }, timeoutMs);
    return { what: `${describeFault(fault, certificate)} (${code})`, next: adviceFor[fault], passes: false };
  }
  if (code === 'silent') return slow;
  return (await plainText(server, timeoutMs)) === undefined ? speaksPlainText(code) : tlsRefusal(code, settings);
}

function speaksPlainText(code: string): Unreachable {
  return {
    what: `TLS is set, and it speaks plain text (${code})`,
    next: 'Set TEMPORAL_TLS=false (TEMPORAL_API_KEY and TEMPORAL_TLS_… turn TLS on), or name its TLS port.',
    passes: false,
  };
}

function optionsOf(settings: Exclude<TlsSettings, boolean>, serverName: string): ConnectionOptions {
  const { serverRootCACertificate: ca, clientCertPair } = settings;
  return {
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    ...(clientCertPair === undefined
      ? {}
      : { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }),
  };
}

const adviceFor = {
  expired: 'Have it renewed by those who run the server. If it is new, check the clock of this machine.',
  'not yet valid': 'Check the clock of this machine.',
  'of another name': 'Set TEMPORAL_ADDRESS to a name of the certificate, or TEMPORAL_TLS_SERVER_NAME to one.',
  untrusted: "Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the PEM file of the server's certificate authority.",
} as const;

const clientCertificate = 'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';

/** Finds a problem with our client certificate that any server would reject. */
function clientCertificateFault({ clientCertPair }: Exclude<TlsSettings, boolean>): Unreachable | undefined {
  if (clientCertPair === undefined) return undefined;
  const wrong = (what: string): Unreachable => ({
    what,
    next: `Have a new one issued, and set ${clientCertificate} to it.`,
    passes: false,
  });
  try {
    const { validToDate } = new X509Certificate(clientCertPair.crt);
    if (validToDate.getTime() > Date.now()) return undefined;
    return wrong(`our own client certificate has expired, on ${validToDate.toISOString().slice(0, 10)}`);
  } catch (error) {
    return wrong(`our own client certificate cannot be read (${messageOf(error)})`);
  }
}

/** The server ended the handshake, or rejected our credentials. */
function tlsRefusal(code: string, { clientCertPair }: Exclude<TlsSettings, boolean>): Unreachable {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) return speaksPlainText(code);
  if (/ALERT/.test(code)) {
    const what =
      clientCertPair === undefined
        ? 'it asks for a client certificate, and none is set'
        : 'it does not take our client certificate';
    return {
      what: `${what} (${code})`,
      next: `Set ${clientCertificate} to one that it takes.`,
      passes: false,
    };
  }
  return { what: `the TLS handshake ends early (${code})`, next: 'See the log of the server.', passes: true };
}

/** In TLS 1.3 a server rejects our certificate only after the handshake. */
async function refusalAfter(socket: ReturnType<typeof connectTls>): Promise<string | undefined> {
  const code = await outcome(socket, 'data', 500);
  return code === 'silent' ? undefined : code;
}

interface Emits {
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** Returns undefined once `event` has come, `silent` after `timeoutMs`, otherwise the error's code, or `closed`. */
function outcome(of: Emits, event: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('silent'), timeoutMs);
    const end = (code: string | undefined) => {
      clearTimeout(timer);
      resolve(code);
    };
    // Not `once`: a later error without a listener would end the program.
    of.on('error', (error) => end(codeOf(error)));
    of.on('close', () => end('closed'));
    of.on(event, () => end(undefined));
  });
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : messageOf(error);
}
