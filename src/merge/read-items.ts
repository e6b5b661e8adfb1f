/** Reads a recovery point as items that can be compared with those of another, also of another region. */
import type { ArmResource } from '../azure/azure.ts';
import { digestOf } from '../control-store/digest.ts';
import { canonical, type ControlStore } from '../control-store/store.ts';
import { assetsAt, readAssetPlaces } from '../recovery-point/asset-places.ts';
import type { AssetLine, BlobLine, SealedManifest } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { workspaceId } from '../topology/sides.ts';
import { belowEndpoint } from '../workspace/workspace.ts';
import { assetKey, assetTypeNames, assetTypes, isAssetKey, mutable } from '../workspace/asset-types.ts';
import { fieldsOf, type Item } from './item.ts';

/** Fields that Azure or a fence sets: they are no change that somebody made. */
const volatile = new Set([
  'allocationState',
  'allocationStateTransitionTime',
  'connectivityEndpoints',
  'createdOn',
  'currentNodeCount',
  'errors',
  'isEnabled',
  'lastOperation',
  'modifiedOn',
  'nodeStateCounts',
  'provisioningErrors',
  'provisioningState',
  'state',
  'targetNodeCount',
]);

/** Fields that say where an asset's files are. */
const places = new Set(['codeUri', 'modelUri', 'dataUri', 'referencedUris', 'jobName']);

const resourceKinds = ['datastores', 'connections', 'schedules', 'endpoints', 'computes'] as const;

/** Errors: RecoveryPointError if a part is missing or altered; AzureUnavailable. */
export async function readItems(store: ControlStore, sealed: SealedManifest): Promise<Map<string, Item>> {
  const items = new Map<string, Item>();
  const files = await readFiles(store, sealed);
  for (const type of assetTypeNames)
    for await (const line of readPart(store, sealed, type)) {
      const key = assetKey(line.type, line.name, line.version);
      items.set(key, assetItem(line, sealed, files.ofAssets.get(key)));
    }
  for (const kind of resourceKinds)
    for await (const resource of readPart(store, sealed, kind))
      items.set(`${kind}/${resource.name}`, resourceItem(resource));
  for await (const resource of readPart(store, sealed, 'deployments'))
    items.set(`deployments/${belowEndpoint(resource.id)}`, resourceItem(resource));
  for (const [name, content] of files.others) items.set(name, { fields: new Map(), content });
  return items;
}

function resourceItem({ properties }: ArmResource): Item {
  return { fields: fieldsOf(properties, 'properties', (field) => volatile.has(field)), content: '' };
}

function assetItem(
  { type, version, resource }: AssetLine,
  sealed: SealedManifest,
  files: AssetFiles | undefined,
): Item {
  const { properties } = resource;
  const fields = new Map<string, string>();
  for (const field of mutable)
    for (const [path, value] of fieldsOf(properties[field], `properties.${field}`, () => false))
      fields.set(path, value);
  if (version === undefined) return { fields, content: '' };
  if (files?.isFuzzy) return { fields, content: null };
  // Where there are files, they say more than where they are.
  const content = assetTypes[type].content
    .filter((field) => !files || !places.has(field))
    .map((field) => [field, properties[field] ?? null]);
  const here = workspaceId(sealed.workspace).toLowerCase();
  const text = canonical(content).replaceAll(/\/subscriptions\/[^"]*?\/workspaces\/[^/"]+/gi, (id) =>
    id.toLowerCase() === here ? 'this-workspace' : id,
  );
  return { fields, content: digestOf([text, ...(files?.lines.toSorted() ?? [])].join('\n\n')) };
}

/** What an asset consists of: a line for each file, its path within the asset and its digest. */
interface AssetFiles {
  lines: string[];
  isFuzzy: boolean;
}

interface Files {
  ofAssets: Map<string, AssetFiles>;
  /** What no asset consists of, and is not a job's checkpoint: by `files/DATASTORE/PATH`; null: not known. */
  others: Map<string, string | null>;
}

/** Returns what names the item of a file. */
export async function fileNames(
  store: ControlStore,
  sealed: SealedManifest,
): Promise<(file: Pick<BlobLine, 'account' | 'container' | 'path'>) => string> {
  const datastores = new Map<string, string>();
  for await (const { name, properties } of readPart(store, sealed, 'datastores')) {
    const { accountName: account, containerName: container } = properties;
    if (typeof account === 'string' && typeof container === 'string') datastores.set(`${account}/${container}`, name);
  }
  return ({ account, container, path }) =>
    `files/${datastores.get(`${account}/${container}`) ?? `${account}/${container}`}/${path}`;
}

async function readFiles(store: ControlStore, sealed: SealedManifest): Promise<Files> {
  const nameOf = await fileNames(store, sealed);
  const places = await readAssetPlaces(store, sealed);
  const found: Files = { ofAssets: new Map(), others: new Map() };
  const assetFiles = (asset: string) => {
    const files = found.ofAssets.get(asset) ?? { lines: [], isFuzzy: false };
    found.ofAssets.set(asset, files);
    return files;
  };
  for await (const { account, container, path, classes, sha256 } of readPart(store, sealed, 'blobs')) {
    const ofAssets = assetsAt(places, { account, container, path }).filter(({ asset }) => isAssetKey(asset));
    for (const { asset, root } of ofAssets) assetFiles(asset).lines.push(`${path.slice(root.length)}\n${sha256}`);
    if (ofAssets.length === 0 && classes.length > 0) found.others.set(nameOf({ account, container, path }), sha256);
  }
  for await (const { assets, account, container, path } of readPart(store, sealed, 'fuzzy')) {
    const known = assets.filter(isAssetKey);
    for (const asset of known) assetFiles(asset).isFuzzy = true;
    if (known.length === 0 && found.others.has(nameOf({ account, container, path })))
      found.others.set(nameOf({ account, container, path }), null);
  }
  return found;
}
