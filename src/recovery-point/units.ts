/** Merges what assets need into units that do not overlap: each blob is then listed, copied and counted once. Pure. */
import type { ResourceClass } from '../topology/words.ts';
import { covers, orderKey, type Unit, type UnitPlace } from './manifest.ts';
import type { BlobRoot } from '../workspace/places.ts';

export interface NeededRoot extends BlobRoot {
  asset: string;
  class: ResourceClass;
  growing?: true;
}

/** In `orderKey` order: a root comes before everything below it, so one look back finds the unit that covers it. */
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
    // What one reference calls a plain folder must hold still, even if another only adds to it.
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

/** How many assets a blob is said to belong to: not each of thousands of jobs that read one folder. */
const assetsNamed = 10;

export interface UnitIndex {
  assetsOf(path: string): string[];
  /**
   * The classes that restore a blob to its own path. `training` goes last and needs the others' blobs anyway, so what another class
   * brings is not counted again under it. None: it is only a job's checkpoint, and its successor gets a copy elsewhere.
   */
  classesOf(path: string): ResourceClass[];
  /** Whether every place that the blob is of is only added to. */
  isGrowing(path: string): boolean;
  /** The paths of places that the blob is of. */
  pathsOf(path: string): string[];
}

/** What is known of all places at one path. */
interface Spot {
  path: string;
  assets: string[];
  classes: Set<ResourceClass>;
  growing: boolean;
}

/** Looks places up by a blob's path and the folders above it, however many places a unit has. */
export function indexUnit(unit: Unit): UnitIndex {
  const spots = new Map<string, Spot>();
  for (const { path, asset, class: of, growing } of unit.places) {
    const spot = spots.get(path) ?? { path, assets: [], classes: new Set(), growing: true };
    if (spot.assets.length < assetsNamed) spot.assets.push(asset);
    if (!growing) spot.classes.add(of);
    spot.growing &&= growing === true;
    spots.set(path, spot);
  }
  const spotsOf = (path: string): Spot[] => {
    const found = [spots.get('')];
    for (let at = 0; at !== -1;) {
      at = path.indexOf('/', at + 1);
      found.push(spots.get(at === -1 ? path : path.slice(0, at)));
    }
    return found.filter((spot) => spot !== undefined);
  };
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
