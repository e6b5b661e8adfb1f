/** The blobs of a recovery point, a unit at a time: so a container is listed folder by folder, not asked blob by blob. */
import type { ControlStore } from '../control-store/store.ts';
import type { StepContext } from '../run/step-context.ts';
import { resourceClasses, type ResourceClass } from '../topology/words.ts';
import type { BlobLine, SealedManifest } from './manifest.ts';
import { readPart } from './recovery-point.ts';

/** Blobs of one unit. */
export interface BlobGroup {
  account: string;
  container: string;
  /** Path of the unit. */
  unit: string;
  lines: BlobLine[];
}

/** Units stand together in a recovery point. Only blobs of `classes` are in the groups. */
export async function* blobGroups(
  store: ControlStore,
  sealed: SealedManifest,
  classes: ReadonlySet<ResourceClass>,
): AsyncIterable<BlobGroup> {
  let group: BlobGroup | undefined;
  for await (const line of readPart(store, sealed, 'blobs')) {
    if (!line.classes.some((each) => classes.has(each))) continue;
    const { account, container, unit } = line;
    if (group?.account !== account || group.container !== container || group.unit !== unit) {
      if (group) yield group;
      group = { account, container, unit, lines: [] };
    }
    group.lines.push(line);
  }
  if (group) yield group;
}

/** `classes` (or `class`) of a step's input; absent: all. */
export function classesOfStep({ step }: StepContext): Set<ResourceClass> {
  const { classes, class: one } = step.input;
  const named = Array.isArray(classes) ? classes : one === undefined ? resourceClasses : [one];
  return new Set(resourceClasses.filter((each) => named.includes(each)));
}
