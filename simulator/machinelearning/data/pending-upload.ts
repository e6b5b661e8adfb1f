/** POST …/startPendingUpload: a place in the workspace's own storage, and a SAS URL to upload a snapshot to it. */

import { randomUUID } from 'node:crypto';
import type { ActionResult, Call, JsonObject } from '../../contract/index.ts';
import { storageAccountOf } from './default-datastores.ts';
import { textOf, workspaceIdOf } from '../bodies/fields.ts';
import { userError } from '../bodies/refusals.ts';

const SAS_MINUTES = 24 * 60;

/**
 * Answers a container of its own for this upload, as Azure does for code: its name begins with the workspace's id.
 * Asked again with the same `pendingUploadId`, it answers the same place with a fresh SAS.
 *
 * Errors: 400 UserError if the workspace has no storage account of its own.
 */
export async function startPendingUpload(call: Call): Promise<ActionResult> {
  const { cloud } = call;
  const workspace = cloud.store.get(workspaceIdOf(call.id.id));
  const account = workspace && storageAccountOf(workspace);
  if (!workspace || account === undefined || !cloud.blobs.keys(account))
    throw userError(`The workspace '${workspaceIdOf(call.id.id)}' has no storage account to upload to.`);
  const pendingUploadId = textOf(call.body.pendingUploadId) ?? randomUUID();
  const guid = textOf(workspace.resource.properties.workspaceId) ?? '';
  const container = `${guid.slice(0, 10)}-${pendingUploadId
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 40)}`
    .replace(/-+/g, '-')
    .replace(/-$/, '');
  await cloud.blobs.createContainer(account, container);
  const sasUri = await cloud.blobs.containerSas(account, container, 'rcwl', SAS_MINUTES);
  const blobReferenceForConsumption: JsonObject = {
    blobUri: sasUri.split('?')[0] ?? sasUri,
    storageAccountArmId: textOf(workspace.resource.properties.storageAccount) ?? null,
    credential: { credentialType: 'SAS', sasUri },
  };
  const pendingUploadType = textOf(call.body.pendingUploadType) ?? 'TemporaryBlobReference';
  return { body: { pendingUploadId, pendingUploadType, blobReferenceForConsumption } };
}
