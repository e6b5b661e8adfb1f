/**
 * The blobs of a recovery point, one unit at a time, so that a container is listed folder by folder instead of queried
 * blob by blob.
 */
import type { ListedBlob } from '../azure/storage/blobs.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { resourceClasses, type ResourceClass } from '../topology/words.ts';
import { orderKey, type BlobLine, type SealedManifest } from '../recovery-point/manifest.ts';
import type { Selection } from '../merge/selection.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { cursor, type Spool, type Spools } from '../run/work/spool.ts';

/** Blobs of one unit. */
export interface BlobGroup {
  account: string;
  container: string;
  /** Path of the unit. */
  unit: string;
  /** In `orderKey` order. May be discarded once it is read. */
  lines: Spool<BlobLine>;
}

interface BlobGroups {
  store: ControlStore;
  sealed: SealedManifest;
  /** Absent: all of the recovery point comes over, at the path that it has. */
  selection?: Selection | undefined;
  /** Only blobs of these classes are in the groups. */
  classes: ReadonlySet<ResourceClass>;
  /** Where the lines are kept. */
  lists: Spools;
  /** Called for each line that is read. */
  beat: () => Promise<void>;
}

/**
 * Yields one group per unit, and one for what of a unit is written elsewhere. The blobs of a unit are consecutive in a
 * recovery point.
 */
export async function* blobGroups(request: BlobGroups): AsyncIterable<BlobGroup> {
  const { store, sealed, selection, classes, lists, beat } = request;
  /** Of one unit of the recovery point. */
  let groups: BlobGroup[] = [];
  let last = '';
  for await (const line of readPart(store, sealed, 'blobs')) {
    await beat();
    if (!line.classes.some((each) => classes.has(each))) continue;
    const from = orderKey(line.account, line.container, line.unit);
    if (from !== last) {
      yield* groups;
      groups = [];
      last = from;
    }
    for (const written of selection ? selection.blobs(line) : [line]) {
      const { account, container, unit } = written;
      const known = groups.find((each) => each.unit === unit);
      const group = known ?? { account, container, unit, lines: lists.make<BlobLine>(keyIn({ account, container })) };
      if (!known) groups.push(group);
      await group.lines.add(written);
    }
  }
  yield* groups;
}

function keyIn({ account, container }: Pick<BlobGroup, 'account' | 'container'>) {
  return ({ path }: { path: string }) => orderKey(account, container, path);
}

/** Lines of a group, and the standby's blobs to pair them with. */
export interface LinesWithBlobs {
  group: BlobGroup;
  /** The standby's blobs as they are now. */
  blobs: AsyncIterable<ListedBlob> | Iterable<ListedBlob>;
  lists: Spools;
  beat: () => Promise<void>;
}

/** Yields each line of a group with the standby's blob at its path. */
export async function* linesWithBlobs({
  group,
  blobs,
  lists,
  beat,
}: LinesWithBlobs): AsyncGenerator<{ line: BlobLine; there: ListedBlob | undefined }> {
  const keyOf = keyIn(group);
  const sorted = lists.make<ListedBlob>(keyOf);
  for await (const blob of blobs) {
    await sorted.add(blob);
    await beat();
  }
  const there = cursor(sorted, keyOf);
  try {
    for await (const line of group.lines) yield { line, there: (await there.take(keyOf(line)))[0] };
  } finally {
    await there.close();
    await sorted.discard();
  }
}

/** Returns `classes` (or `class`) of a step's input. All classes if absent. */
export function classesOfStep({ step }: StepContext): Set<ResourceClass> {
  const { classes, class: one } = step.input;
  const named = Array.isArray(classes) ? classes : one === undefined ? resourceClasses : [one];
  return new Set(resourceClasses.filter((each) => named.includes(each)));
}
