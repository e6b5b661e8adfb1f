/** The workspace that is loaded: what it is, and where its default datastore keeps blobs. */
import { type TokenCredential } from '@azure/identity';
import { type Arm } from './arm.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { AzureFailure } from './load-error.ts';
import { childId, ML_API, workspaceId, type WorkspaceScope } from './scope.ts';
import { Uploads } from './uploads.ts';

const STORAGE_API = '2023-05-01';

export interface Workspace {
  scope: WorkspaceScope;
  location: string;
  storage: StorageAccount;
  /** The default datastore's name, and the uploads to it. */
  datastore: string;
  uploads: Uploads;
}

export interface StorageAccount {
  id: string;
  name: string;
  blobEndpoint: string;
}

/** Throws an AzureFailure where there is no such workspace, or where its storage does not answer. */
export async function openWorkspace(
  arm: Arm,
  scope: WorkspaceScope,
  credential: TokenCredential,
): Promise<Workspace> {
  const workspace = await arm.get(workspaceId(scope), ML_API);
  if (workspace === undefined) {
    throw new AzureFailure(
      `there is no workspace "${scope.workspace}" in resource group "${scope.resourceGroup}" of subscription ${scope.subscriptionId}: deploy it first`,
    );
  }
  const storage = await openStorage(arm, text(workspace, 'properties.storageAccount'));
  const datastore = 'workspaceblobstore';
  const found = await arm.get(childId(scope, 'datastores', datastore), ML_API);
  if (found === undefined)
    throw new AzureFailure(`workspace "${scope.workspace}" has no datastore "${datastore}"`);
  const container = text(found, 'properties.containerName');
  const key = await datastoreKey(arm, childId(scope, 'datastores', datastore), found);
  return {
    scope,
    location: text(workspace, 'location'),
    storage,
    datastore,
    uploads: new Uploads(
      { endpoint: storage.blobEndpoint, account: storage.name, container, key },
      credential,
    ),
  };
}

async function openStorage(arm: Arm, id: string): Promise<StorageAccount> {
  const account = await arm.get(id, STORAGE_API);
  if (account === undefined) throw new AzureFailure(`the workspace's storage account ${id} is not there`);
  return { id, name: text(account, 'name'), blobEndpoint: text(account, 'properties.primaryEndpoints.blob') };
}

export async function storageKey(arm: Arm, storage: StorageAccount): Promise<string> {
  const answer = await arm.post(storage.id, 'listKeys', STORAGE_API);
  const first = Array.isArray(answer.keys) ? answer.keys[0] : undefined;
  return text({ key: first ?? null }, 'key.value');
}

async function datastoreKey(arm: Arm, id: string, datastore: JsonObject): Promise<string | undefined> {
  if (valueAt(datastore, 'properties.credentials.credentialsType') === 'None') return undefined;
  return text(await arm.post(id, 'listSecrets', ML_API), 'key');
}

/** The text at a path of an answer; an AzureFailure says that the service left it out. */
function text(answer: JsonObject, path: string): string {
  const value = valueAt(answer, path);
  if (typeof value !== 'string' || value === '') {
    throw new AzureFailure(
      `Azure's answer${typeof answer.id === 'string' ? ` for ${answer.id}` : ''} has no "${path}"`,
    );
  }
  return value;
}

export function valueAt(answer: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = answer;
  for (const part of path.split('.')) value = isObject(value) ? value[part] : undefined;
  return value;
}
