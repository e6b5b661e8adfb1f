/**
 * The action `mirrorState`: copies what a move needs of the control store into the standby's own storage, once a
 * recovery point is sealed. If the control store is lost, the region pointer, the recovery point with its job ledger
 * and the names of its secrets, and the topology with its templates are still there, next to the replicas.
 *
 *     state/newest.json                 which recovery point it is, and every document of it; written last
 *     state/points/{id}/pointer.json    the region pointer, as it was then; topology.json and bundle.json likewise
 *     state/points/{id}/sealed.json     the manifest
 *     state/parts/{sha256}.ndjson       its parts: those that are the same in the next recovery point are not copied again
 */
import { z } from 'zod';
import { ensureContainer, listBlobs } from '../azure/storage/blobs.ts';
import { digestOf } from '../control-store/digest.ts';
import { blobDocuments } from '../control-store/blob-store.ts';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { folderOf, replicaContainer, type OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { openByRef } from '../recovery-point/recovery-point.ts';
import { sealedName } from '../recovery-point/sealed-manifest.ts';
import { bundleFolder } from '../run/bundle.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import type { StepResult } from '../run/work/outcome.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { newTally, skip, toCounts } from '../run/work/tally.ts';
import { showBytes, showCount } from '../topology/figures.ts';
import { findWorkspace } from '../workspace/workspace.ts';

const root = 'state';

/** `state/newest.json`: what a break-glass restore begins with. */
export const MirroredState = z.strictObject({
  point: z.string(),
  digest: z.string(),
  epoch: z.int().min(1),
  region: z.string(),
  documents: z.array(z.strictObject({ name: z.string(), sha256: z.string(), bytes: z.int().nonnegative() })),
});
export type MirroredState = z.infer<typeof MirroredState>;

export const mirroredStates = documentKind('state of the control store in the standby', 1, MirroredState);

interface Source {
  /** Name in the control store, and below `state/`. */
  from: string;
  to: string;
  /** A move can do without it. */
  optional?: true;
  /** Of a part, whose content its name says: it is not read if it is there. */
  sha256?: string;
  bytes?: number;
}

/**
 * Idempotent. A run that was fenced leaves a newer state as it is.
 * Errors: AzureUnavailable, ControlStoreError, RecoveryPointError.
 */
export async function mirrorState(context: StepContext): Promise<StepResult> {
  const { azure, store, to, topology, signal } = context;
  const ref = await recoveryPointOf(context);
  if (!ref) throw new UnderstudyError('PreconditionError', 'the run has no recovery point whose state could be copied');
  const point = await openByRef(store, ref);
  const workspace = await findWorkspace(azure.arm, to, signal);
  const account = await azure.blobAccount(workspace.storageAccountId, { signal });
  await ensureContainer(account.container(replicaContainer), signal);
  const standby = blobDocuments({
    open: async () => (await azure.blobAccount(workspace.storageAccountId, { signal })).container(replicaContainer),
    called: `the storage of ${to.region}`,
  });
  const there = new Map<string, number>();
  for await (const blob of listBlobs(account, replicaContainer, `${root}/parts`, signal))
    there.set(blob.path, blob.sizeBytes);

  const heartbeat = startHeartbeat(context, 'documents');
  const tally = newTally();
  const documents: MirroredState['documents'] = [];
  const sources = sourcesOf(context, point);
  await forEachBounded(sources, topology.artifacts.concurrency, async (source) => {
    const name = `${root}/${source.to}`;
    if (source.sha256 !== undefined && source.bytes !== undefined && there.get(name) === source.bytes) {
      documents.push({ name, sha256: source.sha256, bytes: source.bytes });
      skip(tally, 'it is there already');
    } else {
      const copied = await copy(context.store, standby, source, name);
      if (copied) {
        documents.push(copied);
        tally.done += 1;
      } else skip(tally, 'the control store has none');
    }
    heartbeat.add(1, source.bytes ?? 0);
    await heartbeat.beat();
  });
  documents.sort((a, b) => (a.name < b.name ? -1 : 1));
  const { id, digest, epoch, region } = point.sealed;
  await writeNewest(standby, { point: id, digest, epoch, region, documents });
  const bytes = documents.reduce((total, document) => total + document.bytes, 0);
  return {
    state: 'completed',
    detail: `${showCount(documents.length, 'document')} (${showBytes(bytes)}) of the control store in ${account.name}, ${tally.done} of them new`,
    counts: [toCounts(tally, 'documents of the control store', sources.length)],
  };
}

function sourcesOf({ plan }: StepContext, { sealed }: OpenRecoveryPoint): Source[] {
  const folder = folderOf(sealed.epoch, sealed.id);
  const below = `points/${sealed.id}`;
  return [
    { from: 'pointer.json', to: `${below}/pointer.json` },
    { from: 'topology.json', to: `${below}/topology.json`, optional: true },
    { from: `${bundleFolder}/${plan.bundle}.json`, to: `${below}/bundle.json` },
    { from: sealedName(sealed.epoch, sealed.id), to: `${below}/sealed.json` },
    ...sealed.parts.map(({ name, sha256, bytes }) => ({
      from: `${folder}/${name}`,
      to: `parts/${sha256}.ndjson`,
      sha256,
      bytes,
    })),
  ];
}

async function copy(
  store: ControlStore,
  standby: ControlStore,
  { from, optional, sha256: expected }: Source,
  name: string,
): Promise<MirroredState['documents'][number] | undefined> {
  const text = await store.readText(from);
  if (text === undefined && optional) return undefined;
  if (text === undefined) throw new UnderstudyError('ControlStoreError', `"${from}" is not in the control store`);
  const content = Buffer.from(text);
  const sha256 = digestOf(content);
  if (expected !== undefined && sha256 !== expected)
    throw new UnderstudyError('RecoveryPointError', `"${from}" is not what was sealed: its sha256 is ${sha256}`);
  await standby.write(name, content, from.endsWith('.ndjson') ? 'application/x-ndjson' : 'application/json');
  return { name, sha256, bytes: content.length };
}

/** A later recovery point, or one of a later epoch, is not replaced by an earlier one. */
async function writeNewest(standby: ControlStore, state: MirroredState): Promise<void> {
  const name = `${root}/newest.json`;
  for (;;) {
    const found = await mirroredStates.read(standby, name);
    if (found && isLater(found.value, state)) return;
    if (await mirroredStates.swap(standby, name, state, found?.etag)) return;
  }
}

function isLater(one: MirroredState, other: MirroredState): boolean {
  return one.epoch === other.epoch ? one.point > other.point : one.epoch > other.epoch;
}
