/**
 * Temporal as its own tools name it: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…, or a profile
 * in temporal.toml (TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE); see Temporal's environment configuration.
 */
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { isUnderstudyError, UnderstudyError, messageOf } from '../errors/error.ts';
import { searchAttributes } from '../plan/search-attributes.ts';

export interface TemporalSettings {
  address: string;
  namespace: string;
}

const defaultAddress = 'localhost:7233';

export function temporalSettings(): TemporalSettings & {
  connection: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
} {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    address: connectionOptions.address ?? defaultAddress,
    namespace: namespace ?? 'default',
    connection: connectionOptions,
  };
}

/** Connects within `timeoutMs`, and sees that the namespace is there. TemporalError says where it was looked for, and what to set. */
export async function connectTemporal(timeoutMs = 5000): Promise<Client> {
  const { address, namespace, connection } = temporalSettings();
  try {
    const made = await Connection.connect({ ...connection, address, connectTimeout: timeoutMs });
    await requireNamespace(made, address, namespace, timeoutMs);
    return new Client({ connection: made, namespace });
  } catch (error) {
    if (isUnderstudyError(error)) throw error;
    throw new UnderstudyError(
      'TemporalError',
      `cannot reach Temporal at ${address}: ${firstLine(messageOf(error))}`,
      {
        next: 'Start it ("understudy stack up" starts a local one), or set TEMPORAL_ADDRESS to where it is.',
        cause: error,
      },
    );
  }
}

async function requireNamespace(
  connection: Connection,
  address: string,
  namespace: string,
  timeoutMs: number,
): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    await connection.close();
    throw new UnderstudyError(
      'TemporalError',
      `cannot use the namespace "${namespace}" of Temporal at ${address}: ${firstLine(isGrpcServiceError(error) ? error.details : messageOf(error))}`,
      {
        next: 'Set TEMPORAL_NAMESPACE to one that is there, and TEMPORAL_API_KEY or TEMPORAL_TLS_… where it asks who you are.',
        cause: error,
      },
    );
  }
}

/** Makes the search attributes that `runs` asks by, where they are missing. Idempotent. */
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
