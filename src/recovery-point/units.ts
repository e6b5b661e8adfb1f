/**
 * Merges what assets need into units that do not overlap, so that each blob is listed, copied and counted once. Pure.
 */
import type { ResourceClass } from '../topology/words.ts';
import { covers, orderKey, rootsOf, type Unit, type UnitPlace } from './manifest.ts';
import type { BlobRoot } from '../workspace/places.ts';

/** A root that an asset needs. */
export interface NeededRoot extends BlobRoot {
  asset: string;
  class: ResourceClass;
  growing?: true;
}

/**
 * Merges roots into units, in `orderKey` order. A root comes before everything below it, so comparing it with the last
 * unit is enough.
 */
export function mergeUnits(roots: readonly NeededRoot[]): Unit[] {
  const keyed = roots.map((root) => ({ root, key: orderKey(root.account, root.container, root.path) }));
  const sorted = keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const units: Unit[] = [];
  /** Places of the last unit, so that a folder that thousands of jobs read is not searched thousands of times. */
  let known = new Map<string, UnitPlace>();
  for (const { root } of sorted) {
    const { account, container, path } = root;
    let unit = units.at(-1);
    if (unit?.account !== account || unit.container !== container || !covers(unit.path, path)) {
      unit = { account, container, path, places: [] };
      units.push(unit);
      known = new Map();
    }
    const key = `${root.asset}\n${path}`;
    const same = known.get(key);
    // If one reference treats a folder as plain, it must not change, even if another reference only adds to it.
    if (same && !root.growing) delete same.growing;
    if (same) continue;
    const place: UnitPlace = {
      asset: root.asset,
      path,
      class: root.class,
      ...(root.growing ? { growing: true } : {}),
    };
    known.set(key, place);
    unit.places.push(place);
  }
  return units;
}

/** How many assets to name for a blob. Thousands of jobs may read one folder. */
const assetsNamed = 10;

/** Looks up what a blob of a unit is for. */
export interface UnitIndex {
  assetsOf(path: string): string[];
  /**
   * The classes that restore a blob to its own path. `training` is restored last and needs the others' blobs anyway, so
   * what another class restores is not counted again for it. Empty if it is only a job's checkpoint: its successor gets
   * a copy elsewhere.
   */
  classesOf(path: string): ResourceClass[];
  /** Whether every place that contains the blob is only added to. */
  isGrowing(path: string): boolean;
  /** The paths of the places that contain the blob. */
  pathsOf(path: string): string[];
}

/** What is known about all places at one path. */
interface Spot {
  path: string;
  assets: string[];
  classes: Set<ResourceClass>;
  growing: boolean;
}

/**
 * Indexes a unit by path. A lookup checks the blob's path and the folders above it, however many places the unit has.
 */
export function indexUnit(unit: Unit): UnitIndex {
  const spots = new Map<string, Spot>();
  for (const { path, asset, class: of, growing } of unit.places) {
    const spot = spots.get(path) ?? { path, assets: [], classes: new Set(), growing: true };
    if (spot.assets.length < assetsNamed) spot.assets.push(asset);
    if (!growing) spot.classes.add(of);
    spot.growing &&= growing === true;
    spots.set(path, spot);
  }
  const spotsOf = (path: string): Spot[] => rootsOf(path).flatMap((root) => spots.get(root) ?? []);
  return {
    assetsOf: (path) => [...new Set(spotsOf(path).flatMap(({ assets }) => assets))].slice(0, assetsNamed),
    classesOf(path) {
      const all = [...new Set(spotsOf(path).flatMap(({ classes }) => [...classes]))];
      const others = all.filter((each) => each !== 'training');
      return (others.length > 0 ? others : all).toSorted();
    },
    isGrowing: (path) => spotsOf(path).every(({ growing }) => growing),
    pathsOf: (path) => spotsOf(path).map((spot) => spot.path),
  };
}
