/** Judges by Azure alone what both sides must be like whatever befell the run: the writer works, the other rests. */
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { expect } from 'vitest';
import { digestsBelow, type Resource } from './azure-reader.ts';
import type { Scene } from './harness.ts';
import { readEast, readWest, type Region } from './judge.ts';
import type { Workspace } from './workspaces.ts';

/** Of jobs in which a person works, or that run as a person: theirs to start again. */
export const ofPeople = ['fraud-explore-ana', 'fraud-features-daily'];

/** The file by which a job is asked for a checkpoint, unless the topology names another. */
const requestName = 'checkpoint-now';

export interface Sides {
  writer: Workspace;
  other: Workspace;
}

/**
 * `writer` has its schedules on, and its default datastore opens with the key that its workspace holds; the other has
 * no schedule on, unless that is still owed; nobody waits for a checkpoint on either, but on the other side after a
 * switchover that a failover has ended (`asks`); no lineage has the same hop twice, or is at work twice.
 */
export async function judgeSides(
  scene: Scene,
  writer: Region,
  when: string,
  { owes = false, asks = false }: { owes?: boolean; asks?: boolean } = {},
): Promise<Sides> {
  const [east, west] = await Promise.all([readEast(scene.azure), readWest(scene.azure)]);
  const sides = writer === 'eastus' ? { writer: east, other: west } : { writer: west, other: east };
  expect(enabledOf(sides.writer), `${when}: schedules of ${writer}`).toEqual([...sides.writer.schedules.keys()]);
  expect(enabledOf(sides.writer).length, when).toBeGreaterThan(0);
  if (!owes) expect(enabledOf(sides.other), `${when}: schedules of the other side`).toEqual([]);
  for (const side of asks ? [sides.writer] : [east, west])
    expect(await requestsIn(side), `${when}: requests in ${side.name}`).toEqual([]);
  await openDatastore(scene, sides.writer, when);
  const hops = [...east.jobs.values(), ...west.jobs.values()]
    .map((job) => lineageOf(job))
    .filter(({ hop }) => hop > 0)
    .map(({ root, hop }) => `${root} ${hop}`);
  expect(hops.toSorted(), `${when}: successors`).toEqual([...new Set(hops)].toSorted());
  const live = unfinishedOf(sides.writer).map((job) => lineageOf(job).root);
  expect(live.toSorted(), `${when}: at work`).toEqual([...new Set(live)].toSorted());
  return sides;
}

function enabledOf({ schedules }: Workspace): string[] {
  return [...schedules.values()].filter(({ properties }) => properties.isEnabled === true).map(({ name }) => name);
}

export function unfinishedOf({ jobs }: Workspace): Resource[] {
  return [...jobs.values()].filter(
    ({ properties }) => !['Completed', 'Failed', 'Canceled'].includes(String(properties.status)),
  );
}

export function tagsOf({ properties }: Resource): Record<string, string> {
  return (properties.tags ?? {}) as Record<string, string>;
}

/** Which job it goes back to, as the tags of a successor have it, and how many successions lie between. */
export function lineageOf(job: Resource): { root: string; hop: number } {
  const { 'understudy.lineage': root, 'understudy.hop': hop } = tagsOf(job);
  if (root !== undefined) return { root, hop: Number(hop) };
  const region = job.id.includes('/workspaces/fraud-east/') ? 'eastus' : 'westus3';
  return { root: `${region}.${region === 'eastus' ? 'fraud-east' : 'fraud-west'}.${job.name}`, hop: 0 };
}

async function requestsIn(side: Workspace): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of defaultContainer(side).listBlobsFlat())
    if (name.endsWith(`/${requestName}`)) found.push(name);
  return found;
}

function defaultContainer({ blobs, datastores }: Workspace): ContainerClient {
  return blobs.getContainerClient(String(datastores.get('workspaceblobstore')?.properties.containerName));
}

/** With the key that the workspace holds, not with that of the account: a job has no other. */
export async function openDatastore(scene: Scene, side: Workspace, when: string): Promise<void> {
  const { key } = (await scene.azure.post(`${side.id}/datastores/workspaceblobstore/listSecrets`)) as { key: string };
  const credential = new StorageSharedKeyCredential(side.storageId.split('/').at(-1) ?? '', key);
  const container = new ContainerClient(defaultContainer(side).url, credential);
  const page = await container.listBlobsFlat().byPage({ maxPageSize: 1 }).next();
  expect(page.done, `${when}: the default datastore of ${side.name}`).toBe(false);
}

/** The job of the example that writes checkpoints. */
export const training = 'fraud-train-2025q4';
const folder = `checkpoints/${training}/`;

/** The successor of the training, in `to`, has a copy of the newest checkpoint that the training wrote in `from`. */
export async function judgeTraining(from: Workspace, to: Workspace, when: string): Promise<void> {
  const [successor, ...more] = unfinishedOf(to).filter((job) =>
    tagsOf(job)['understudy.origin']?.endsWith(`/${training}`),
  );
  if (!successor || more.length > 0)
    throw new Error(`${when}: of the training run ${more.length + (successor ? 1 : 0)} successors`);
  const { containerName } = defaultContainer(from);
  const written = await digestsBelow(from.blobs, containerName, folder);
  const newest = Object.entries(written)
    .filter(([path]) => !path.includes('-hop-'))
    .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  const resume = `understudy/resume/${successor.name}/`;
  const given = await digestsBelow(to.blobs, defaultContainer(to).containerName, resume);
  expect(JSON.stringify(successor.properties.inputs), when).toContain(resume);
  expect(Object.values(given), `${when}: ${newest?.[0]}`).toContain(newest?.[1]);
}
