/**
 * Uses one datastore with the credentials that its workspace has: lists it, and writes to it if it is the default one.
 */
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';
import { sendSigned } from '../azure/storage/signed-storage.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { isBuiltIn, placeOfDatastore } from '../workspace/datastores.ts';
import { findAccount } from '../workspace/find-account.ts';
import { nameOfId, type KnownWorkspace } from '../workspace/workspace.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { dataAccess, principalsOf } from '../workspace/identities.ts';
import { bareToken, signForReading } from './signature.ts';
import { accountOf, readAccount, type StorageAccount } from '../azure/storage/storage-account.ts';

/** The result of using a datastore. `own`: it is on the workspace's own storage account. */
export type Use = { own: boolean } & (
  | { state: 'used' }
  /** `silent`: its storage did not answer. */
  | { state: 'skipped' | 'failed'; reason: string; silent?: true }
);

interface Place {
  service: 'blob' | 'file';
  account: StorageAccount;
  /** A container of blobs, or a file share. */
  container: string;
  /** Ends with a slash. */
  address: string;
}

interface Work {
  context: StepContext;
  workspace: KnownWorkspace;
  datastore: ArmResource;
  place: Place;
  own: boolean;
}

/**
 * Uses a datastore.
 * Errors: AzureUnavailable if the workspace's own storage does not answer.
 */
export async function useDatastore(
  context: StepContext,
  workspace: KnownWorkspace,
  datastore: ArmResource,
): Promise<Use> {
  const own = sameName(textAt(datastore.properties, 'accountName'), nameOfId(workspace.storageAccountId));
  const place = await findPlace(context, workspace, datastore, own);
  if ('reason' in place) return { own, state: 'skipped', reason: place.reason };
  const work: Work = { context, workspace, datastore, place, own };
  const kind = placeOfDatastore(datastore).credentials;
  switch (kind) {
    case 'AccountKey':
    case 'Sas':
      return useSecret(work, kind);
    case 'None':
      return useIdentity(work);
    default:
      return { own, state: 'skipped', reason: `reached by a ${kind}: it was not tried` };
  }
}

async function findPlace(
  { azure, signal }: StepContext,
  workspace: KnownWorkspace,
  datastore: ArmResource,
  own: boolean,
): Promise<Place | { reason: string }> {
  const { type, blob } = placeOfDatastore(datastore);
  const share = type === 'AzureFile' ? textAt(datastore.properties, 'fileShareName') : undefined;
  const container = blob?.container ?? share;
  const name = textAt(datastore.properties, 'accountName');
  if (container === undefined || name === undefined)
    return { reason: `of type ${type}, which is not tried: neither blobs nor files of a storage account` };
  const found = own ? undefined : await findAccount({ azure, workspace, signal }, name, datastore);
  if (!own && !found) return { reason: `its storage account "${name}" was not found, so it was not tried` };
  const account = found ? accountOf(found) : await readAccount(azure.arm, workspace.storageAccountId, { signal });
  const service = share === undefined ? 'blob' : 'file';
  const address = account.endpoints[service];
  if (address === undefined) return { reason: `its storage account "${name}" has no address for ${service}s` };
  return { service, account, container, address };
}

async function useSecret(work: Work, kind: 'AccountKey' | 'Sas'): Promise<Use> {
  const { datastore, place, own } = work;
  const isDefault = datastore.properties['isDefault'] === true && place.service === 'blob';
  const secret = await heldSecret(work, kind);
  if ('reason' in secret) return { own, state: 'failed', reason: secret.reason };
  const token =
    kind === 'Sas'
      ? bareToken(secret.value)
      : signForReading({ name: place.account.name, key: secret.value }, place.service, {
          write: isDefault,
          now: work.context.now(),
        });
  try {
    await look(work, token);
    if (isDefault) await write(work, token);
    return { own, state: 'used' };
  } catch (error) {
    return refusalOf(work, error);
  }
}

async function heldSecret(
  { context, workspace, datastore }: Work,
  kind: 'AccountKey' | 'Sas',
): Promise<{ value: string } | { reason: string }> {
  const { azure, signal } = context;
  const path = `${workspace.id}/datastores/${encodeURIComponent(datastore.name)}/listSecrets`;
  try {
    const held = await azure.arm.post(path, apiVersions.machineLearning, {}, { signal });
    const value = textAt((held ?? {}) as JsonObject, kind === 'Sas' ? 'sasToken' : 'key');
    return value === undefined ? { reason: 'the workspace holds no credential for it' } : { value };
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return { reason: `what the workspace holds for it was not told: ${messageOf(error)}` };
  }
}

/**
 * Classifies an error of the storage. If an account elsewhere does not answer, that is a finding: it must not stop a
 * region's failover.
 */
function refusalOf({ own, datastore }: Work, error: unknown): Use {
  if (!isUnderstudyError(error)) throw error;
  const { status, code } = error.details.azure ?? {};
  // A signature that can read blobs by name, but cannot list.
  if (code === 'AuthorizationPermissionMismatch')
    return {
      own,
      state: 'skipped',
      reason: 'its credential is accepted, and does not allow to list: not tried',
    };
  // Azure may create its own folder of notebooks when someone first opens one. The credential was accepted.
  if (status === 404 && isBuiltIn(datastore.name))
    return {
      own,
      state: 'skipped',
      reason: `its credential is accepted, and nothing is there: ${messageOf(error)}`,
    };
  const isSilence = error.code === 'AzureUnavailable' && status !== 403;
  if (isSilence && own) throw error;
  return { own, state: 'failed', reason: messageOf(error), ...(isSilence ? { silent: true } : {}) };
}

async function look({ context, place }: Work, token: string): Promise<void> {
  await sendSigned(
    {
      method: 'GET',
      address: `${place.address}${place.container}`,
      query: {
        restype: place.service === 'blob' ? 'container' : 'directory',
        comp: 'list',
        maxresults: '1',
      },
      token,
    },
    timesOf(context),
  );
}

/** Writes a blob, reads it back, and removes it. The name is different for each run. */
async function write({ context, place }: Work, token: string): Promise<void> {
  const address = `${place.address}${place.container}/understudy/access/${context.run.runId}.txt`;
  const body = `written by run ${context.run.runId} with the credential of the workspace\n`;
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'text/plain; charset=utf-8' };
  await sendSigned({ method: 'PUT', address, token, headers, body }, timesOf(context));
  await sendSigned({ method: 'GET', address, token }, timesOf(context));
  await sendSigned({ method: 'DELETE', address, token }, timesOf(context));
}

function timesOf({ signal, topology }: StepContext): { signal: AbortSignal; timeoutMs: number } {
  return { signal, timeoutMs: toSeconds(topology.policies.requestTimeout) * 1000 };
}

const actions = {
  blob: 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read',
  file: 'Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read',
} as const;

/**
 * The datastore has no secret: users reach it through a role. The workspace's own identity can be checked. Whether
 * people or computes have a role is not known here.
 */
async function useIdentity({ context, workspace, datastore, place, own }: Work): Promise<Use> {
  const { azure, signal } = context;
  const { account, container, service } = place;
  const below =
    service === 'blob' ? `blobServices/default/containers/${container}` : `fileServices/default/shares/${container}`;
  let conditional = false;
  for (const principal of principalsOf(workspace.resource)) {
    const asked = { principal, scope: `${account.id}/${below}`, action: actions[service] };
    const access = await dataAccess(azure, asked, { signal });
    if (access === 'granted') return { own, state: 'used' };
    if (access === 'conditional') conditional = true;
  }
  if (conditional)
    return { own, state: 'skipped', reason: 'the role of the workspace has a condition: not known here' };
  const lacks = `no identity of the workspace has a role for the data of storage account "${account.name}"`;
  const acts = textAt(datastore.properties, 'serviceDataAccessAuthIdentity') ?? 'None';
  const needed = acts !== 'None' || datastore.properties['isDefault'] === true;
  return needed
    ? { own, state: 'failed', reason: lacks }
    : {
        own,
        state: 'skipped',
        reason: `${lacks}: only people and computes with roles of their own can use it`,
      };
}
