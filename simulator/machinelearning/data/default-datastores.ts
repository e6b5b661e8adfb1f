/** The four datastores that every workspace is born with, on its own storage account. */

import type { Cloud, JsonObject, Stored } from '../../contract/index.ts';
import { mirrorShare } from '../../storage/shares.ts';
import { objectOf, OWN_API_VERSION, textOf, WORKSPACES } from '../bodies/fields.ts';

/** Where artifacts of runs go, unless a job says otherwise. */
const ARTIFACT_STORE = 'workspaceartifactstore';
export const BLOB_STORE = 'workspaceblobstore';

/** The hidden field in which the envelope keeps a datastore's secrets. */
export const DATASTORE_SECRETS = 'properties.credentials.secrets';

/** The name of the workspace's storage account. */
export function storageAccountOf(workspace: Stored): string | undefined {
  return textOf(workspace.resource.properties.storageAccount)?.split('/').at(-1);
}

/** Makes the default datastores and, in the storage account, the containers and file shares behind them. */
export async function createDefaultDatastores(cloud: Cloud, workspace: Stored): Promise<void> {
  const account = storageAccountOf(workspace);
  if (account === undefined) return; // A project borrows the datastores of its hub.
  const guid = textOf(workspace.resource.properties.workspaceId) ?? '';
  const blobContainers = { [BLOB_STORE]: `azureml-blobstore-${guid}`, [ARTIFACT_STORE]: 'azureml' };
  const fileShares = {
    workspacefilestore: `azureml-filestore-${guid}`,
    workspaceworkingdirectory: `code-${guid}`,
  };
  for (const container of Object.values(blobContainers)) await cloud.blobs.createContainer(account, container);
  for (const share of Object.values(fileShares)) {
    cloud.files.putShare(account, share, {});
    mirrorShare(cloud, account, share, true);
  }
  const common = { accountName: account, protocol: 'https', ...credentialsFor(cloud, account) };
  for (const [name, containerName] of Object.entries(blobContainers))
    await createDatastore(cloud, workspace, name, { datastoreType: 'AzureBlob', containerName, ...common });
  for (const [name, fileShareName] of Object.entries(fileShares))
    await createDatastore(cloud, workspace, name, { datastoreType: 'AzureFile', fileShareName, ...common });
}

const MADE_WITH_IT = new Set([BLOB_STORE, ARTIFACT_STORE, 'workspacefilestore', 'workspaceworkingdirectory']);

/**
 * A workspace keeps a copy of its storage account's key: after a rotation it is stale until the keys are
 * resynchronised. That reaches the datastores that were made with the workspace; those that people made are theirs to
 * renew. Source: Azure Machine Learning, "Regenerate storage account access keys".
 */
export function refreshDefaultSecrets(cloud: Cloud, workspace: Stored): void {
  const account = storageAccountOf(workspace) ?? '';
  const keys = cloud.blobs.keys(account);
  if (!keys) return;
  for (const datastore of cloud.store.children(workspace.resource.id, `${WORKSPACES}/datastores`)) {
    const { name, properties } = datastore.resource;
    const holdsKey = textOf(objectOf(datastore.hidden[DATASTORE_SECRETS]).secretsType) === 'AccountKey';
    if (!MADE_WITH_IT.has(name.toLowerCase()) || properties.accountName !== account || !holdsKey) continue;
    const secrets = { secretsType: 'AccountKey', key: keys.key1 };
    cloud.store.put({ ...datastore, hidden: { ...datastore.hidden, [DATASTORE_SECRETS]: secrets } });
  }
}

function credentialsFor(cloud: Cloud, account: string): JsonObject {
  const keys = cloud.blobs.keys(account);
  if (!keys) return { credentials: { credentialsType: 'None' } };
  return {
    credentials: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: keys.key1 } },
  };
}

async function createDatastore(cloud: Cloud, workspace: Stored, name: string, properties: JsonObject): Promise<void> {
  await cloud.createResource(`${workspace.resource.id}/datastores/${name}`, { properties }, OWN_API_VERSION);
}
