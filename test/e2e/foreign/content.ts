/** Fills the active workspace with all of it; what is random follows from the seed. */
import { manyVersions, versionsCarried, writeAssets, type Special } from './content-assets.ts';
import { writeBlobs } from './content-blobs.ts';
import { writeJobs, type WrittenJob } from './content-jobs.ts';
import {
  writeComputes,
  writeConnections,
  writeDatastores,
  writeEndpoints,
  writeSchedules,
} from './content-resources.ts';
import { randomFrom } from './random.ts';
import type { World } from './world.ts';

export interface Content {
  special: Special;
  jobs: WrittenJob[];
  /** Versions beyond the topology's number to which nothing refers. */
  notCarried: Set<string>;
}

export async function writeContent(world: World, seed: number): Promise<Content> {
  const random = randomFrom(seed);
  await writeBlobs(world, random);
  for (const place of [world.east, world.west]) await writeComputes(world, place);
  await writeDatastores(world);
  const special = await writeAssets(world, random);
  await writeConnections(world);
  await writeEndpoints(world);
  await writeSchedules(world);
  const jobs = await writeJobs(world);
  const oldest = Array.from({ length: manyVersions - versionsCarried }, (_, index) => String(index + 1));
  // A deployment serves version 2.
  const beyond = oldest.filter((version) => version !== '2').map((version) => `models/many/${version}`);
  return { special, jobs, notCarried: new Set(beyond) };
}
