/**
 * Connects to Temporal with the settings of its own tools: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
 * TEMPORAL_TLS_…, or a profile in temporal.toml (TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE). See Temporal's environment
 * configuration.
 */
import { Client, Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { searchAttributes } from '../plan/search-attributes.ts';
import { parseAddress, whyUnreachable, type TlsSettings } from './unreachable.ts';

/** How to reach Temporal. */
export interface TemporalSettings {
  address: string;
  namespace: string;
}

const defaultAddress = 'localhost:7233';

/**
 * Reads the settings from Temporal's own variables and profile.
 * Errors: UsageError if they cannot be read.
 */
export function temporalSettings(): TemporalSettings & {
  connection: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
} {
  const { connectionOptions, namespace } = readSettings();
  const address = connectionOptions.address ?? defaultAddress;
  if (parseAddress(address) === undefined) {
    throw new UnderstudyError(
      'UsageError',
      `TEMPORAL_ADDRESS: expected a host and a port such as "temporal.example.com:7233", got "${address}"`,
      { next: 'Set it without "http://" or "https://"; TEMPORAL_TLS=true turns TLS on.' },
    );
  }
  return { address, namespace: namespace ?? 'default', connection: connectionOptions };
}

function readSettings(): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    throw new UnderstudyError('UsageError', `cannot read the settings of Temporal: ${messageOf(error)}`, {
      next: 'Correct what TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and TEMPORAL_TLS_… name.',
      cause: error,
    });
  }
}

/**
 * Connects within `timeoutMs` and checks that the namespace exists.
 * Errors: TemporalError, which says where it tried to connect, what was wrong (name, port, TLS, credentials, namespace)
 * and what to set. `details.passes`: whether waiting may help.
 */
export async function connectTemporal(timeoutMs = 5000): Promise<Client> {
  const { address, namespace, connection } = temporalSettings();
  // Do not use connect(): it leaves its channel open if it fails.
  const made = Connection.lazy({ ...connection, address, connectTimeout: timeoutMs });
  try {
    await made.ensureConnected();
    await made.withDeadline(Date.now() + timeoutMs, () => made.workflowService.describeNamespace({ namespace }));
    return new Client({ connection: made, namespace });
  } catch (error) {
    await made.close();
    throw await connectionError(error, { address, namespace, tls: connection.tls, timeoutMs });
  }
}

interface Tried extends TemporalSettings {
  tls: TlsSettings | null | undefined;
  timeoutMs: number;
}

async function connectionError(thrown: unknown, tried: Tried): Promise<UnderstudyError> {
  const { address, tls, timeoutMs } = tried;
  const error = thrown instanceof ServiceError && thrown.cause !== undefined ? thrown.cause : thrown;
  const refused = refusalOf(error, tried);
  if (refused) return refused;
  const server = parseAddress(address);
  const found = server && (await whyUnreachable(server, tls ?? undefined, timeoutMs));
  const what = found?.what ?? saidBy(error);
  const next = found?.next ?? 'See its log, and whether TEMPORAL_ADDRESS is right.';
  return new UnderstudyError('TemporalError', `cannot reach Temporal at ${address}: ${what}`, {
    next: `${next}${proxyAdvice()}`,
    passes: found?.passes ?? true,
    reason: found?.code ?? what,
    cause: error,
  });
}

/** gRPC uses these variables, but `whyUnreachable` does not. */
function proxyAdvice(): string {
  const proxy = ['grpc_proxy', 'https_proxy', 'http_proxy'].find((name) => process.env[name]);
  return proxy === undefined
    ? ''
    : ` ${proxy} is set: unless no_proxy has the host, the connection goes through that proxy.`;
}

/**
 * Returns a refusal: of the credentials, the namespace, or anything else. Waiting helps only if the server has too much
 * to do. Undefined if there was no answer.
 */
function refusalOf(error: unknown, { address, namespace }: Tried): UnderstudyError | undefined {
  if (!isGrpcServiceError(error)) return undefined;
  const code: number = error.code;
  const make = (tried: string, next: string) =>
    new UnderstudyError('TemporalError', `${tried}: ${saidBy(error)}`, {
      next,
      passes: code === grpcStatus.resourceExhausted,
      reason: saidBy(error),
      cause: error,
    });
  const who = 'TEMPORAL_API_KEY, or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';
  switch (code) {
    case grpcStatus.notFound:
      return make(
        `Temporal at ${address} has no namespace "${namespace}"`,
        'Set TEMPORAL_NAMESPACE to one that is there ("temporal operator namespace list"), or have it made.',
      );
    case grpcStatus.unauthenticated:
      return make(`Temporal at ${address} does not accept who we are`, `Set ${who}, to what is valid there.`);
    case grpcStatus.permissionDenied:
      return make(
        `Temporal at ${address} does not let us use the namespace "${namespace}"`,
        `Have the identity of ${who} given access to it, or set TEMPORAL_NAMESPACE to another.`,
      );
    case grpcStatus.deadlineExceeded:
    case grpcStatus.unavailable:
      return undefined;
    default:
      return make(`Temporal at ${address} refuses`, 'See its log, and whether TEMPORAL_ADDRESS is right.');
  }
}

/** https://grpc.io/docs/guides/status-codes/ */
const grpcStatus = {
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unavailable: 14,
  unauthenticated: 16,
};

function saidBy(error: unknown): string {
  return firstLine(isGrpcServiceError(error) ? error.details : messageOf(error));
}

/** Creates the search attributes that `runs` uses, if they are missing. Idempotent. */
export async function registerSearchAttributes(client: Client): Promise<void> {
  const { operatorService } = client.connection;
  const namespace = client.options.namespace;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  const keyword = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
