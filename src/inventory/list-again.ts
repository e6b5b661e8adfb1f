/**
 * The action `listAgain`: before a switchover takes the region pointer, lists the old side once more and compares it
 * with the recovery point that the run has sealed. What has come since then (a job, a version of an asset, a blob, a
 * resource) would stay behind: the run stops and names it.
 */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { isFolderMarker, listBlobs } from '../azure/storage/blobs.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { OpenRecoveryPoint, SealedManifest } from '../recovery-point/manifest.ts';
import { readLedger, readPart } from '../recovery-point/recovery-point.ts';
import { batches, mapBounded } from '../run/work/bounded.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { provided } from '../run/work/provided.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { showCount } from '../topology/figures.ts';
import { workspaceId } from '../topology/sides.ts';
import { belowEndpoint } from '../workspace/workspace.ts';
import { assetKey, assetTypeNames, assetTypes, type AssetType } from '../workspace/asset-types.ts';
import { createdAt, isFinished, ownerOf, parentOf, showJob, statusOf } from '../workspace/jobs/job.ts';
import { selectVersions } from './select.ts';

/** How many lines a message has. */
const mostLines = 20;

/**
 * The clock of the storage may be this much behind ours. A blob that is compared although it is older costs a
 * comparison, and is found equal.
 */
const skewMs = 5 * 60_000;

const readsSideBySide = 8;

/** Errors: ReconciliationError if something has come; AzureUnavailable, AzureError, RecoveryPointError. */
export async function listAgain(context: StepContext): Promise<StepResult> {
  const point = await openPointOfRun(context);
  const heartbeat = startHeartbeat(context, 'resources');
  const came = [
    ...(await newJobs(context, point, heartbeat)),
    ...(await newAssets(context, point.sealed, heartbeat)),
    ...(await newResources(context, point.sealed, heartbeat)),
    ...(await newBlobs(context, point.sealed, heartbeat)),
  ];
  const { from, run, step } = context;
  if (came.length === 0)
    return { state: 'completed', detail: `nothing has come in ${from.region} since recovery point ${point.ref.id}` };
  const more = came.length > mostLines ? `; and ${came.length - mostLines} more` : '';
  throw new UnderstudyError(
    'ReconciliationError',
    `${showCount(came.length, 'thing')} came in ${from.region} after the last recovery point, and would stay behind: ${came.slice(0, mostLines).join('; ')}${more}`,
    {
      next:
        `Give the switchover up ("understudy cancel": everything is then as before) and make another; or go without them: ` +
        `"understudy retry ${run.runId} --accept-loss ${step.id} --reason …".`,
    },
  );
}

/** Jobs that were submitted since the listing, and any that run although the ledger does not have them. */
async function newJobs(context: StepContext, point: OpenRecoveryPoint, heartbeat: Heartbeat): Promise<string[]> {
  const { azure, store, from, signal } = context;
  const known = new Set<string>();
  for await (const { name } of readLedger(store, point)) known.add(name);
  const [listing] = await provided(context, 'point.listed');
  // By the clock of the service alone, which need not be ours.
  const newestAt = listing?.facts?.newestJobAt;
  const found: string[] = [];
  const path = `${workspaceId(from.workspace)}/jobs?listViewType=All`;
  for await (const job of azure.arm.list(path, apiVersions.machineLearning, { signal })) {
    await heartbeat.beat();
    if (known.has(job.name) || parentOf(job) !== undefined) continue;
    const status = statusOf(job);
    const isNew = typeof newestAt !== 'string' || (createdAt(job) ?? '') > newestAt;
    if (isFinished(status) && !isNew) continue;
    found.push(`${showJob({ name: job.name, owner: ownerOf(job) })} (${status})`);
  }
  return found;
}

async function newAssets(context: StepContext, sealed: SealedManifest, heartbeat: Heartbeat): Promise<string[]> {
  const { azure, store, from, topology, signal } = context;
  const base = workspaceId(from.workspace);
  const found: string[] = [];
  for (const type of assetTypeNames) {
    const known = new Set<string>();
    for await (const { name, version } of readPart(store, sealed, type)) known.add(assetKey(type, name, version));
    const all = assetTypes[type].listViewType ? '?listViewType=All' : '';
    const list = (path: string) => azure.arm.list(`${base}/${path}${all}`, apiVersions.machineLearning, { signal });
    for await (const batch of batches(list(type), readsSideBySide)) {
      const listed = await mapBounded(batch, readsSideBySide, ({ name }) =>
        Array.fromAsync(list(`${type}/${encodeURIComponent(name)}/versions`)),
      );
      for (const [index, versions] of listed.entries())
        found.push(...newVersions(type, batch[index]?.name ?? '', versions, { known, topology }));
      await heartbeat.beat();
    }
  }
  return found;
}

/** Of the versions that the topology selects, those that the recovery point lacks. */
function newVersions(
  type: AssetType,
  name: string,
  versions: readonly ArmResource[],
  { known, topology }: { known: ReadonlySet<string>; topology: StepContext['topology'] },
): string[] {
  return selectVersions(type, name, versions, topology.artifacts)
    .carried.map((version) => assetKey(type, name, version.name))
    .filter((key) => !known.has(key));
}

/** By name: what the recovery point has is not compared, but what it lacks is named. */
async function newResources(context: StepContext, sealed: SealedManifest, heartbeat: Heartbeat): Promise<string[]> {
  const { azure, store, from, signal } = context;
  const base = workspaceId(from.workspace);
  const list = (path: string) => azure.arm.list(`${base}/${path}`, apiVersions.machineLearning, { signal });
  const found: string[] = [];
  /** Returns the names of those that are there still. */
  const compare = async (kind: 'datastores' | 'connections' | 'schedules' | 'computes' | 'endpoints', path: string) => {
    const known = new Set<string>();
    for await (const { name } of readPart(store, sealed, kind)) known.add(name.toLowerCase());
    const still: string[] = [];
    for await (const { name } of list(path)) {
      if (known.has(name.toLowerCase())) still.push(name);
      else found.push(`${kind.slice(0, -1)} ${name}`);
      await heartbeat.beat();
    }
    return still;
  };
  await compare('datastores', 'datastores');
  await compare('connections', 'connections');
  await compare('schedules', 'schedules?listViewType=All');
  await compare('computes', 'computes');
  const endpoints = await compare('endpoints', 'onlineEndpoints');
  const deployments = new Set<string>();
  for await (const { id } of readPart(store, sealed, 'deployments')) deployments.add(belowEndpoint(id).toLowerCase());
  // Of a new endpoint, the endpoint itself is named; one that is gone cannot be asked.
  for (const name of endpoints)
    for await (const { id } of list(`onlineEndpoints/${encodeURIComponent(name)}/deployments`)) {
      const deployment = belowEndpoint(id).toLowerCase();
      if (!deployments.has(deployment)) found.push(`deployment ${deployment}`);
    }
  return found;
}

/** Blobs that were written below what was copied since the listing began, and that are not what was copied. */
async function newBlobs(context: StepContext, sealed: SealedManifest, heartbeat: Heartbeat): Promise<string[]> {
  const { azure, store, signal } = context;
  const since = Date.parse(sealed.startedAt) - skewMs;
  /** By place and etag. */
  const written = new Map<string, string>();
  for await (const { account: name, container, path, places } of readPart(store, sealed, 'units')) {
    // What jobs have written to their checkpoints is copied as it was chosen: nothing goes on from anything newer.
    const account = sealed.accounts.find((each) => sameName(each.name, name));
    if (!account || places.every(({ growing }) => growing)) continue;
    const opened = await azure.blobAccount(account.id, { signal });
    for await (const blob of listBlobs(opened, container, path, signal)) {
      await heartbeat.beat();
      const at = Date.parse(blob.writtenAt ?? '');
      if (isFolderMarker(blob) || at < since) continue;
      written.set(keyOf({ account: name, container, path: blob.path, etag: blob.etag }), `${container}/${blob.path}`);
    }
  }
  if (written.size === 0) return [];
  for await (const line of readPart(store, sealed, 'blobs')) written.delete(keyOf(line));
  return [...written.values()].map((place) => `blob ${place}`);
}

function keyOf({ account, container, path, etag }: { account: string; container: string; path: string; etag: string }) {
  return `${account.toLowerCase()}/${container}/${path}\n${etag}`;
}
