/** What a step brings of the divergence point: the items that were decided to come over, and under which version. */
import type { ControlStore } from '../control-store/store.ts';
import { assetsAt, readAssetPlaces, type AssetPlaces } from '../recovery-point/asset-places.ts';
import type { BlobLine, PartKind, PartLines, SealedManifest } from '../recovery-point/manifest.ts';
import { assetKey, isAssetKey, isAssetType } from '../workspace/asset-types.ts';
import { belowEndpoint } from '../workspace/workspace.ts';
import type { DecidedItem } from './decisions.ts';
import { fileNames } from './read-items.ts';

/** It is not brought to the writer. */
export function leaveBehind({ take }: DecidedItem): boolean {
  return take === 'writer';
}

/** Jobs do not move: they go on where they were. */
export function isJob({ item }: DecidedItem): boolean {
  return item.startsWith('jobs/');
}

const files = 'files';

/** It is made, or made again, as a whole; otherwise its fields are changed one by one. */
export function isWhole({ item, case: what, fields }: DecidedItem): boolean {
  return (
    what === 'only there' ||
    what === 'made on both sides' ||
    fields.some(({ field }) => field === files) ||
    item.startsWith('connections/')
  );
}

/** What of a recovery point comes over. */
export class Selection {
  readonly #byItem: ReadonlyMap<string, DecidedItem>;
  readonly #containers: ReadonlySet<string>;
  readonly #endpoints: ReadonlySet<string>;
  readonly #folder: string;
  readonly #places: AssetPlaces;
  readonly #nameOf: (file: Pick<BlobLine, 'account' | 'container' | 'path'>) => string;

  private constructor(read: Read) {
    const { items, places, nameOf, folder } = read;
    this.#byItem = new Map(items.map((each) => [each.item, each]));
    this.#places = places;
    this.#nameOf = nameOf;
    this.#folder = folder;
    this.#containers = new Set(items.map(({ item }) => item.split('/').slice(0, 2).join('/')));
    this.#endpoints = new Set(
      items.filter(({ item }) => item.startsWith('deployments/')).map(({ item }) => `endpoints/${item.split('/')[1]}`),
    );
  }

  static async open(store: ControlStore, sealed: SealedManifest, items: readonly DecidedItem[]): Promise<Selection> {
    return new Selection({
      items: items.filter((each) => !leaveBehind(each) && !isJob(each) && isWhole(each)),
      places: await readAssetPlaces(store, sealed),
      nameOf: await fileNames(store, sealed),
      folder: `understudy/${sealed.id}`,
    });
  }

  has(item: string): boolean {
    return this.#byItem.has(item);
  }

  /** As a mapping of references asks. */
  readonly versions = (type: string | undefined, name: string, version: string): string | undefined =>
    type === undefined ? this.#versionOfName(name, version) : this.#byItem.get(`${type}/${name}/${version}`)?.as;

  /** Of `azureml:name:version`, whose type is not said: undefined too if several types have become another one. */
  #versionOfName(name: string, version: string): string | undefined {
    const found = [...this.#byItem.values()].filter(
      ({ item, as }) => as !== undefined && item.split('/').slice(1).join('/') === `${name}/${version}`,
    );
    return found.length === 1 ? found[0]?.as : undefined;
  }

  /** The line as it is to be written; undefined: it does not come over. */
  line<K extends PartKind>(kind: K, line: PartLines[K]): PartLines[K] | undefined {
    if (isAssetType(kind)) return this.#asset(line as PartLines['models']) as PartLines[K] | undefined;
    const { id, name } = line as PartLines['endpoints'];
    const item = kind === 'deployments' ? `deployments/${belowEndpoint(id)}` : `${kind}/${name}`;
    return this.has(item) || this.#endpoints.has(item) ? line : undefined;
  }

  #asset(line: PartLines['models']): PartLines['models'] | undefined {
    const { type, name, version, resource } = line;
    if (version === undefined) return this.#containers.has(assetKey(type, name)) ? line : undefined;
    const item = this.#byItem.get(assetKey(type, name, version));
    if (!item) return undefined;
    return item.as === undefined ? line : { ...line, version: item.as, resource: { ...resource, name: item.as } };
  }

  /**
   * The blob at each path where it is to be written. What becomes another version gets files of its own: the writer may
   * have others at the same path.
   */
  blobs(line: BlobLine): BlobLine[] {
    const ofAssets = assetsAt(this.#places, line).filter(({ asset }) => isAssetKey(asset));
    if (ofAssets.length === 0) return this.has(this.#nameOf(line)) ? [line] : [];
    const items = ofAssets.map(({ asset }) => this.#byItem.get(asset)).filter((each) => each !== undefined);
    return [
      ...(items.some(({ as }) => as === undefined) ? [line] : []),
      ...(items.some(({ as }) => as !== undefined)
        ? [{ ...line, unit: this.#own(line.unit), path: this.#own(line.path) }]
        : []),
    ];
  }

  #own(path: string): string {
    return path === '' ? this.#folder : `${this.#folder}/${path}`;
  }

  /** Returns where the files of a version are that has become `version`; undefined: it has not become another. */
  placesOf(type: string, name: string, version: string): ((place: BlobPlace) => string) | undefined {
    const found = [...this.#byItem.values()].find(
      ({ item, as }) => as === version && item.startsWith(`${type}/${name}/`),
    );
    if (!found) return undefined;
    return ({ account, container, path }) => {
      const at = { account, container, path: path.replace(/\/+$/, '') };
      return assetsAt(this.#places, at).some(({ asset }) => asset === found.item) ? this.#own(path) : path;
    };
  }
}

interface Read {
  items: readonly DecidedItem[];
  places: AssetPlaces;
  nameOf: (file: Pick<BlobLine, 'account' | 'container' | 'path'>) => string;
  folder: string;
}

/** A place that an asset names. */
export type BlobPlace = Pick<BlobLine, 'account' | 'container' | 'path'>;
