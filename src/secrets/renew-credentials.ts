/**
 * Renews the account keys and shared access signatures that a workspace's datastores and connections have for a storage
 * account. They are issued by the account as it is now. A value exists only between two lines of this file.
 */
import { apiVersions, type ArmResource, type Azure, type CallOptions, type JsonObject } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { placeInAccount } from '../azure/storage/blob-url.ts';
import { objectAt, textAt } from '../azure/body/json.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { writableOf } from './configure-connections.ts';
import { placeOfDatastore } from '../workspace/datastores.ts';
import { bareToken, signAgain } from './signature.ts';
import { keysOf, readAccount, type StorageAccount } from '../azure/storage/storage-account.ts';

/** The result of renewing credentials. */
export interface Renewed {
  /** Credentials that could not be renewed, and why. */
  left: { what: string; reason: string }[];
  done: number;
}

interface Work extends Renewed {
  azure: Azure;
  /** ARM id of the workspace. */
  workspace: string;
  account: StorageAccount;
  keys: [string, ...string[]];
  options: CallOptions;
  now: Date;
}

/**
 * Renews the credentials. Idempotent: a current credential is left unchanged.
 * Errors: AzureUnavailable.
 */
export async function renewCredentials(
  { azure, workspace, accountId }: { azure: Azure; workspace: string; accountId: string },
  options: CallOptions,
  now: Date,
): Promise<Renewed> {
  const account = await readAccount(azure.arm, accountId, options);
  const keys = await keysOf(azure.arm, accountId, options);
  const work: Work = { azure, workspace, account, keys, options, now, left: [], done: 0 };
  for await (const datastore of azure.arm.list(`${workspace}/datastores`, apiVersions.machineLearning, options))
    await tryOne(work, `datastore ${datastore.name}`, () => renewDatastore(work, datastore));
  for await (const connection of azure.arm.list(`${workspace}/connections`, apiVersions.machineLearning, options))
    await tryOne(work, `connection ${connection.name}`, () => renewConnection(work, connection));
  return { left: work.left, done: work.done };
}

/** The credential is current, or cannot be renewed and why. Undefined if it is not for this account. */
type Renewal = 'renewed' | { reason: string } | undefined;

async function tryOne(work: Work, what: string, renew: () => Promise<Renewal>): Promise<void> {
  try {
    const outcome = await renew();
    if (outcome === 'renewed') work.done += 1;
    else if (outcome) work.left.push({ what, ...outcome });
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    work.left.push({ what, reason: messageOf(error) });
  }
}

async function renewDatastore(work: Work, datastore: ArmResource): Promise<Renewal> {
  const { azure, workspace, account, options } = work;
  const { credentials: kind, blob } = placeOfDatastore(datastore);
  if (!sameName(textAt(datastore.properties, 'accountName') ?? '', account.name)) return undefined;
  if (kind !== 'AccountKey' && kind !== 'Sas') return undefined;
  const path = `${workspace}/datastores/${encodeURIComponent(datastore.name)}`;
  const held = (await azure.arm.post(
    `${path}/listSecrets`,
    apiVersions.machineLearning,
    {},
    options,
  )) as JsonObject | null;
  const field = kind === 'Sas' ? 'sasToken' : 'key';
  const secret = renewedSecret(work, kind, textAt(held ?? {}, field), blob?.container);
  if ('reason' in secret) return secret;
  if (secret.value === undefined) return 'renewed';
  const { isDefault: _, provisioningState: __, credentials, ...properties } = datastore.properties;
  const body = {
    ...properties,
    credentials: {
      ...(credentials as JsonObject),
      secrets: { secretsType: kind, [field]: secret.value },
    },
  };
  await azure.arm.put(`${path}?skipValidation=true`, apiVersions.machineLearning, { properties: body }, options);
  return 'renewed';
}

async function renewConnection(work: Work, connection: ArmResource): Promise<Renewal> {
  const { azure, workspace, account, options } = work;
  const { authType } = connection.properties;
  if (authType !== 'AccountKey' && authType !== 'SAS') return undefined;
  const place = placeOfConnection(connection, account);
  if (!place) return undefined;
  const path = `${workspace}/connections/${encodeURIComponent(connection.name)}`;
  const answer = (await azure.arm.post(
    `${path}/listsecrets`,
    apiVersions.machineLearning,
    {},
    options,
  )) as JsonObject | null;
  const credentials = objectAt(objectAt(answer ?? {}, 'properties') ?? {}, 'credentials') ?? {};
  const field = authType === 'SAS' ? 'sas' : 'key';
  const kind = authType === 'SAS' ? 'Sas' : 'AccountKey';
  const secret = renewedSecret(work, kind, textAt(credentials, field), place.container);
  if ('reason' in secret) return secret;
  if (secret.value === undefined) return 'renewed';
  const properties: JsonObject = {
    ...writableOf(connection),
    credentials: { ...credentials, [field]: secret.value },
  };
  await azure.arm.put(path, apiVersions.machineLearning, { properties }, options);
  return 'renewed';
}

/** Returns the current credential. `value` is absent if the workspace already has it. */
function renewedSecret(
  { account, keys, now }: Work,
  kind: 'AccountKey' | 'Sas',
  held: string | undefined,
  container: string | undefined,
): { value?: string } | { reason: string } {
  const [key] = keys;
  if (kind === 'AccountKey') return held !== undefined && keys.includes(held) ? {} : { value: key };
  if (held === undefined) return { reason: 'Azure returned no signature' };
  const signed = signAgain(held, { name: account.name, key }, container, now);
  if ('reason' in signed) return signed;
  return bareToken(held) === signed.token ? {} : { value: signed.token };
}

/** Undefined if, by its target and metadata, it is not for this account. */
function placeOfConnection(
  { properties }: ArmResource,
  { name, endpoints }: StorageAccount,
): { container?: string } | undefined {
  const target = textAt(properties, 'target') ?? '';
  const metadata = Object.entries(objectAt(properties, 'metadata') ?? {});
  const named = (pattern: RegExp) => metadata.find(([key]) => pattern.test(key))?.[1];
  const said = named(/^container_?name$/i);
  for (const endpoint of Object.values(endpoints)) {
    const found = placeInAccount(`${target.replace(/\/+$/, '')}/.`, endpoint);
    if (!found) continue;
    const container = typeof said === 'string' ? said : found.container;
    return container === '.' ? {} : { container };
  }
  const account = named(/^account_?name$/i);
  if (typeof account !== 'string' || !sameName(account, name)) return undefined;
  return typeof said === 'string' ? { container: said } : {};
}
