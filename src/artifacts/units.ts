/** Merges what assets need into units that do not overlap: each blob is then listed, copied and counted once. Pure. */
import type { ResourceClass } from '../topology/words.ts';
import { covers, orderKey, type Unit, type UnitPlace } from './manifest.ts';
import type { BlobRoot } from './places.ts';

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
  for (const { root } of sorted) {
    const last = units.at(-1);
    const place: UnitPlace = {
      asset: root.asset,
      path: root.path,
      class: root.class,
      ...(root.growing ? { growing: true } : {}),
    };
    if (
      last &&
      last.account === root.account &&
      last.container === root.container &&
      covers(last.path, root.path)
    ) {
      addPlace(last.places, place);
    } else {
      units.push({ account: root.account, container: root.container, path: root.path, places: [place] });
    }
  }
  return units;
}

function addPlace(places: UnitPlace[], place: UnitPlace): void {
  const same = places.find((each) => each.asset === place.asset && each.path === place.path);
  if (!same) places.push(place);
  // What one reference calls a plain folder must hold still, even if another only adds to it.
  else if (same.growing && !place.growing) delete same.growing;
}

/** How many assets a blob is said to belong to: a folder that thousands of jobs read is not said thousands of times a blob. */
const assetsNamed = 10;

export interface UnitIndex {
  /** The places that cover a blob. */
  placesOf(path: string): UnitPlace[];
  assetsOf(path: string): string[];
  /**
   * The classes that restore a blob. `training` goes last and needs the others' blobs anyway, so what another class brings is not
   * counted again under it.
   */
  classesOf(path: string): ResourceClass[];
}

/** Looks places up by a blob's path and the folders above it, however many places a unit has. */
export function indexUnit(unit: Unit): UnitIndex {
  const byPath = Map.groupBy(unit.places, (place) => place.path);
  const placesOf = (path: string): UnitPlace[] => {
    const found = [...(byPath.get('') ?? [])];
    for (let at = 0; at !== -1;) {
      at = path.indexOf('/', at + 1);
      found.push(...(byPath.get(at === -1 ? path : path.slice(0, at)) ?? []));
    }
    return found;
  };
  return {
    placesOf,
    assetsOf: (path) => [...new Set(placesOf(path).map((place) => place.asset))].slice(0, assetsNamed),
    classesOf(path) {
      const all = [...new Set(placesOf(path).map((place) => place.class))];
      const others = all.filter((each) => each !== 'training');
      return (others.length > 0 ? others : all).toSorted();
    },
  };
}
