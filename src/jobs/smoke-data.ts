/**
 * What a smoke job reads and writes in the default datastore. Like any job, it does so through the workspace, with its
 * credentials.
 */
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import { datastoreUri, sameName } from '../azure/ids.ts';
import { UnderstudyError } from '../errors/error.ts';
import { placeOfDatastore } from '../workspace/datastores.ts';
import { findAccount } from '../workspace/find-account.ts';
import { findWorkspace, nameOfId } from '../workspace/workspace.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { ContainerClient } from '@azure/storage-blob';

/** The input and the output of a smoke job. */
export interface SmokeData {
  /** Fields of the job's body. */
  fields: JsonObject;
  /** Writes the input. Idempotent. */
  prepare(): Promise<void>;
  /**
   * Compares what the job wrote with what it read.
   * Errors: PreconditionError.
   */
  check(): Promise<void>;
  /** Removes input and output. Idempotent. */
  clear(): Promise<void>;
}

const copied = 'copied.txt';

/**
 * Prepares the data of one smoke job.
 * Errors: PreconditionError if the workspace has no default datastore of blobs: its jobs would not find their files.
 */
export async function smokeData(context: StepContext, job: string): Promise<SmokeData> {
  const { azure, to, signal } = context;
  const workspace = await findWorkspace(azure.arm, to, signal);
  const datastore = await defaultDatastore(context, workspace.id);
  const { blob } = placeOfDatastore(datastore);
  if (!blob) {
    throw new UnderstudyError(
      'PreconditionError',
      `the default datastore "${datastore.name}" of workspace "${to.workspace.name}" is not one of blobs`,
      { place: datastore.id },
    );
  }
  const folder = `understudy/smoke/${job}`;
  const input = `${folder}/in.txt`;
  const output = `${folder}/out`;
  const content = `read and written by ${job}\n`;
  const container = async () => (await azure.blobAccount(await accountId(), { signal })).container(blob.container);
  // Someone may have made another datastore the default one.
  const accountId = async () => {
    if (sameName(blob.account, nameOfId(workspace.storageAccountId))) return workspace.storageAccountId;
    const found = await findAccount({ azure, workspace, signal }, blob.account, datastore);
    return found?.id ?? workspace.storageAccountId;
  };
  const uri = (path: string) => datastoreUri(to.workspace, datastore.name, path);
  return {
    fields: {
      command: `cp "\${{inputs.probe}}" "\${{outputs.result}}/${copied}"`,
      inputs: { probe: { jobInputType: 'uri_file', mode: 'Download', uri: uri(input) } },
      outputs: { result: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: uri(`${output}/`) } },
    },
    async prepare() {
      const blob = (await container()).getBlockBlobClient(input);
      try {
        await blob.upload(content, Buffer.byteLength(content), { abortSignal: signal });
      } catch (error) {
        throw azureError(`writing ${input}`, error, signal.aborted);
      }
    },
    async check() {
      const found = await read(await container(), `${output}/${copied}`, signal);
      if (found === content) return;
      throw new UnderstudyError(
        'PreconditionError',
        `smoke job "${job}" is Completed, but what it should have written is ${found === undefined ? 'not there' : 'another text'}: ${output}/${copied} in datastore "${datastore.name}"`,
        {
          place: datastore.id,
          next: 'See which storage the datastore points to, and what the job says of its output; then retry the run.',
        },
      );
    },
    async clear() {
      for (const path of [input, `${output}/${copied}`]) {
        try {
          await (await container()).getBlobClient(path).deleteIfExists({ abortSignal: signal });
        } catch (error) {
          throw azureError(`removing ${path}`, error, signal.aborted);
        }
      }
    },
  };
}

async function defaultDatastore({ azure, signal }: StepContext, workspace: string): Promise<ArmResource> {
  const path = `${workspace}/datastores?isDefault=true`;
  for await (const datastore of azure.arm.list(path, apiVersions.machineLearning, { signal }))
    if (datastore.properties['isDefault'] === true) return datastore;
  throw new UnderstudyError('PreconditionError', 'the workspace has no default datastore', {
    place: workspace,
  });
}

/** Undefined if the blob does not exist. */
async function read(container: ContainerClient, path: string, signal: AbortSignal): Promise<string | undefined> {
  const blob = container.getBlobClient(path);
  try {
    if (!(await blob.exists({ abortSignal: signal }))) return undefined;
    return (await blob.downloadToBuffer(0, undefined, { abortSignal: signal })).toString();
  } catch (error) {
    throw azureError(`reading ${path}`, error, signal.aborted);
  }
}
