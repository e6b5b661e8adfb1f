/**
 * Checkpoints where their job writes them, in a workspace that answers: finds the last whole one, asks for another, and
 * copies one within the workspace for a job that goes on there.
 */
import { apiVersions, type ArmResource, type BlobAccount } from '../azure/azure.ts';
import { textAt } from '../azure/body/json.ts';
import { azureError } from '../azure/errors.ts';
import { datastoreUri, sameName } from '../azure/ids.ts';
import { blobStatus, listBlobs, statBlob, type ListedBlob } from '../azure/storage/blobs.ts';
import { copyBlob } from '../blobs/copy-blob.ts';
import { isUnderstudyError } from '../errors/error.ts';
import type { LedgerCheckpoint } from '../ledger/ledger.ts';
import { entryOf } from '../ledger/whole-checkpoint.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Side } from '../topology/sides.ts';
import { placeOfDatastore, type DatastorePlace } from '../workspace/datastores.ts';
import { findAccount } from '../workspace/find-account.ts';
import { checkpointFolder, outputPlace, type DatastorePath } from '../workspace/jobs/checkpoint.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { findWorkspace, nameOfId, type KnownWorkspace } from '../workspace/workspace.ts';
import type { BringCheckpoint } from './bring-checkpoint.ts';
import { belowFolder, folderAt, isCheckpointFile } from './checkpoint-lines.ts';
import { checkpointFolders, choiceOf, sizeAndTime, type Choice } from './choose-checkpoints.ts';

interface Folder {
  account: BlobAccount;
  container: string;
  path: string;
}

/** The checkpoints of one workspace. */
export class LiveCheckpoints {
  readonly #context: StepContext;
  readonly #side: Side;
  readonly #workspace: KnownWorkspace;
  readonly #datastores: DatastorePlace[];
  readonly #resources: ArmResource[];
  readonly #accounts = new Map<string, Promise<BlobAccount | undefined>>();

  private constructor(context: StepContext, side: Side, workspace: KnownWorkspace, datastores: ArmResource[]) {
    this.#context = context;
    this.#side = side;
    this.#workspace = workspace;
    this.#resources = datastores;
    this.#datastores = datastores.map(placeOfDatastore);
  }

  /** Errors: PreconditionError if the workspace does not exist; AzureUnavailable. */
  static async open(context: StepContext, side: Side): Promise<LiveCheckpoints> {
    const { azure, signal } = context;
    const workspace = await findWorkspace(azure.arm, side, signal);
    const path = `${workspace.id}/datastores`;
    const datastores = await Array.fromAsync(azure.arm.list(path, apiVersions.machineLearning, { signal }));
    return new LiveCheckpoints(context, side, workspace, datastores);
  }

  /**
   * The last whole checkpoint of a job as its storage has it now. One in a store that cannot be opened is not found.
   * Errors: AzureUnavailable, AzureError.
   */
  async last(job: RawJob): Promise<Choice> {
    const { topology, now, run } = this.#context;
    const policy = topology.jobs.checkpoint;
    const quietSince = new Date(now().getTime() - toSeconds(policy.quiet) * 1000).toISOString();
    const folders = checkpointFolders(job, this.#datastores, policy, { complete: policy.complete, quietSince });
    for (const folder of folders) {
      const account = await this.#account(folder.account);
      if (!account) continue;
      for await (const { below, blob } of this.#files({ ...folder, account }))
        folder.scan.add({ path: below, ...sizeAndTime(blob) });
    }
    return choiceOf(folders, run.runId);
  }

  /**
   * Asks a job for a checkpoint, by a file in the output that holds them; the job looks for it. Returns when it was
   * asked, by the clock of the storage (ISO 8601); undefined: the job has no such output. Asking twice is asking once.
   * Errors: AzureUnavailable, AzureError.
   */
  async ask(job: RawJob): Promise<string | undefined> {
    const request = await this.#request(job);
    if (!request) return undefined;
    const { run, signal, now } = this.#context;
    const before = await statBlob(request, signal);
    if (before?.metadata?.['run'] === run.runId) return before.writtenAt;
    const text = JSON.stringify({ run: run.runId, askedAt: now().toISOString() });
    try {
      await request.account
        .container(request.container)
        .getBlockBlobClient(request.path)
        .upload(text, Buffer.byteLength(text), {
          abortSignal: signal,
          metadata: { run: run.runId },
          blobHTTPHeaders: { blobContentType: 'application/json' },
        });
    } catch (error) {
      throw azureError(`asking job "${job.name}" for a checkpoint`, error, signal.aborted);
    }
    return (await statBlob(request, signal))?.writtenAt;
  }

  /** Takes the request back. Errors: AzureUnavailable, AzureError. */
  async withdraw(job: RawJob): Promise<void> {
    const request = await this.#request(job);
    if (!request) return;
    const { signal } = this.#context;
    try {
      await request.account
        .container(request.container)
        .getBlobClient(request.path)
        .deleteIfExists({ abortSignal: signal });
    } catch (error) {
      const known = azureError(`taking back the request to job "${job.name}"`, error, signal.aborted);
      // Without its container there is no request.
      if (blobStatus(known) !== 404) throw known;
    }
  }

  /**
   * Copies a checkpoint that `last` has found to a folder of its own, in the same container: the job that goes on from
   * it may go on once more before it has written another.
   */
  readonly bring: BringCheckpoint = async ({ checkpoint, successor, beat }) => {
    const folder = await this.#folderOf(checkpoint);
    if (!folder) return { missing: `datastore "${checkpoint.datastore}" cannot be opened`, files: 0 };
    const { signal, topology } = this.#context;
    const { leave = [], files: expected } = checkpoint;
    const files: { below: string; blob: ListedBlob }[] = [];
    for await (const file of this.#files(folder)) if (!leave.includes(entryOf(file.below))) files.push(file);
    if (files.length !== expected) return { missing: `it has ${files.length} of its ${expected} files now`, files: 0 };
    const target = checkpointFolder(successor, checkpoint.recoveryPoint);
    const { account, container } = folder;
    const changed: string[] = [];
    await forEachBounded(files, topology.artifacts.concurrency, async ({ below, blob }) => {
      const to = { account, container, path: `${target}/${below}` };
      const copied = await copyBlob({
        source: { ...to, path: blob.path },
        listed: blob,
        target: to,
        signal,
        onBlock: beat,
      });
      if (copied === 'changed' || copied === 'damaged') changed.push(below);
      await beat();
    });
    const [first] = changed;
    if (first !== undefined)
      return { missing: `${first} changed while it was copied`, files: expected - changed.length };
    const there = new Map<string, number>();
    for await (const { path, sizeBytes } of listBlobs(account, container, target, signal)) there.set(path, sizeBytes);
    const whole = files.filter(({ below, blob }) => there.get(`${target}/${below}`) === blob.sizeBytes).length;
    if (whole !== expected) return { missing: `${expected - whole} of its files are not as they were`, files: whole };
    return { uri: datastoreUri(this.#side.workspace, checkpoint.datastore, `${target}/`), files: whole };
  };

  /** The files of a checkpoint folder. */
  async *#files({ account, container, path }: Folder): AsyncIterable<{ below: string; blob: ListedBlob }> {
    const { signal, topology } = this.#context;
    for await (const blob of listBlobs(account, container, path, signal)) {
      const below = belowFolder({ path }, blob);
      if (isCheckpointFile(below, blob, topology.jobs.drain.request)) yield { below, blob };
    }
  }

  async #request(job: RawJob): Promise<Folder | undefined> {
    const { checkpoint, drain } = this.#context.topology.jobs;
    const place = outputPlace(job, checkpoint.output);
    const folder = place && (await this.#folderOf(place));
    return folder && { ...folder, path: folder.path === '' ? drain.request : `${folder.path}/${drain.request}` };
  }

  async #folderOf(place: DatastorePath | LedgerCheckpoint): Promise<Folder | undefined> {
    const root = folderAt(place, this.#datastores);
    const account = root && (await this.#account(root.account));
    return root && account && { account, container: root.container, path: root.path };
  }

  #account(name: string): Promise<BlobAccount | undefined> {
    const key = name.toLowerCase();
    const known = this.#accounts.get(key) ?? this.#open(name);
    this.#accounts.set(key, known);
    return known;
  }

  #datastoreIn(account: string): ArmResource | undefined {
    return this.#resources.find(({ properties }) => sameName(textAt(properties, 'accountName'), account));
  }

  async #open(name: string): Promise<BlobAccount | undefined> {
    const { azure, signal } = this.#context;
    const { storageAccountId } = this.#workspace;
    const id = sameName(nameOfId(storageAccountId), name)
      ? storageAccountId
      : (await findAccount({ azure, workspace: this.#workspace, signal }, name, this.#datastoreIn(name)))?.id;
    if (id === undefined) return undefined;
    try {
      return await azure.blobAccount(id, { signal });
    } catch (error) {
      if (!isUnderstudyError(error, 'AzureError')) throw error;
      return undefined;
    }
  }
}
