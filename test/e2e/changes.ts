/**
 * What people make in a workspace while nobody there knows of the other: some two hundred versions of assets. Some have
 * the same names on both sides, with the same content or with another one.
 */
import { readText } from './azure-reader.ts';
import type { Scene } from './harness.ts';
import { readRegion, type Region } from './judge.ts';
import type { Workspace } from './workspaces.ts';

const kinds = ['data', 'models', 'environments'] as const;
type Kind = (typeof kinds)[number];
/** Of each asset that is made. */
const versions = 10;
/** Of each kind, for each of the three: made alike on both sides, made otherwise on both, made here alone. */
const assets = { alike: 2, otherwise: 2, alone: 3 } as const;
type Making = keyof typeof assets;
const makings = Object.keys(assets) as Making[];

export interface Made {
  kind: Kind;
  name: string;
  version: string;
  /** What is in it: its file's text, or its image. */
  content: string;
}

/** 210 versions. */
function toMake(region: Region): Made[] {
  return kinds.flatMap((kind) =>
    makings.flatMap((making) =>
      numbers(assets[making]).flatMap((index) =>
        numbers(versions).map((version) => ({
          kind,
          name: `${making}-${index}${making === 'alone' ? `-${region}` : ''}`,
          version: `${version + 1}`,
          content: `${kind}-${index}-${version}${making === 'alike' ? '' : `-${region}`}`,
        })),
      ),
    ),
  );
}

/** Makes them in a region. */
export async function makeAssets(scene: Scene, region: Region): Promise<Made[]> {
  const { azure } = scene;
  const { id, blobs, datastores } = await readRegion(azure, region);
  const container = blobs.getContainerClient(String(datastores.get('workspaceblobstore')?.properties.containerName));
  const all = toMake(region);
  await eachOf(all, async ({ kind, name, version, content }) => {
    const file = `changes/${region}/${kind}/${name}/${version}/content.txt`;
    if (kind !== 'environments') await container.getBlockBlobClient(file).upload(content, content.length);
    const uri = `azureml://datastores/workspaceblobstore/paths/${file}`;
    const properties = {
      data: { dataType: 'uri_file', dataUri: uri },
      models: { modelType: 'custom_model', modelUri: uri },
      environments: { image: `example.azurecr.io/base:${content}` },
    }[kind];
    await azure.put(`${id}/${kind}/${name}/versions/${version}`, { properties });
  });
  return all;
}

/** Eight at a time. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const one = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(numbers(8).map(one));
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The content of each version that a workspace has of an asset such as `models/alike-0`, sorted. */
export async function contentsOf({ versions: all, blobs, datastores }: Workspace, asset: string): Promise<string[]> {
  const found = [...all].filter(([key]) => key.startsWith(`${asset}/`)).map(([, { properties }]) => properties);
  const contents = found.map(async ({ image, dataUri, modelUri }) => {
    if (typeof image === 'string') return image.split(':')[1] ?? '';
    const [, datastore = '', path = ''] = /\/datastores\/([^/]+)\/paths\/(.*)$/.exec(String(dataUri ?? modelUri)) ?? [];
    const container = String(datastores.get(datastore)?.properties.containerName);
    return readText(blobs.getContainerClient(container).getBlobClient(path));
  });
  return (await Promise.all(contents)).toSorted();
}
