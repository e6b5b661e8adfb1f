/** What there is in a workspace, read freshly with the test's own client: nothing of the product has a part in it. */
import { createHash } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import type { BlobAccount } from '../../../src/azure/azure.ts';
import type { Place, World } from './world.ts';

export const assetKinds = ['codes', 'environments', 'models', 'data', 'components'] as const;

export interface Held {
  id: string;
  name: string;
  properties: JsonObject;
  [field: string]: unknown;
}

export interface Seen {
  /** `models/m/1` and, for the container, `models/m`. */
  assets: Map<string, Held>;
  /** Names of versions, newest first as Azure lists them, by `models/m`. */
  versions: Map<string, string[]>;
  datastores: Map<string, Held>;
  connections: Map<string, Held>;
  schedules: Map<string, Held>;
  computes: Map<string, Held>;
  endpoints: Map<string, Held>;
  deployments: Map<string, Held>;
  jobs: Map<string, Held>;
  /** `secrets` of datastores and connections, by `datastore x`, `connection y`. */
  secrets: Map<string, unknown>;
}

export async function look(world: World, { id }: Place): Promise<Seen> {
  const { fixture } = world;
  const list = async (path: string) => (await fixture.list(`${id}/${path}`)).map((each) => each as unknown as Held);
  const named = async (path: string) => new Map((await list(path)).map((each) => [each.name, each]));
  const seen: Seen = {
    assets: new Map(),
    versions: new Map(),
    datastores: await named('datastores'),
    connections: await named('connections'),
    schedules: await named('schedules?listViewType=All'),
    computes: await named('computes'),
    endpoints: await named('onlineEndpoints'),
    deployments: new Map(),
    jobs: await named('jobs?listViewType=All'),
    secrets: new Map(),
  };
  for (const kind of assetKinds) {
    for (const container of await list(`${kind}?listViewType=All`)) {
      const key = `${kind}/${container.name}`;
      seen.assets.set(key, container);
      const versions = await list(`${key}/versions?listViewType=All`);
      seen.versions.set(
        key,
        versions.map(({ name }) => name),
      );
      for (const version of versions) seen.assets.set(`${key}/${version.name}`, version);
    }
  }
  for (const name of seen.endpoints.keys())
    for (const each of await list(`onlineEndpoints/${name}/deployments`))
      seen.deployments.set(`${name}/${each.name}`, each);
  for (const name of seen.datastores.keys()) {
    const { body, status } = await fixture.arm('POST', `${id}/datastores/${name}/listSecrets`, {});
    if (status === 200) seen.secrets.set(`datastore ${name}`, body);
  }
  for (const name of seen.connections.keys()) {
    const { body } = await fixture.arm('POST', `${id}/connections/${name}/listsecrets`, {});
    const { credentials, value } = body.properties as JsonObject;
    seen.secrets.set(`connection ${name}`, { credentials, value });
  }
  return seen;
}

export interface SeenBlob {
  sha256: string;
  sizeBytes: number;
  headers: Record<string, unknown>;
  metadata: Record<string, string>;
  etag: string;
}

/** Every blob of an account, by `container/path`; but for what lies in the containers named. */
export async function lookAtBlobs(account: BlobAccount, but: readonly string[] = []): Promise<Map<string, SeenBlob>> {
  const found = new Map<string, SeenBlob>();
  for await (const { name } of account.service.listContainers()) {
    if (!but.includes(name)) await lookInContainer(account.container(name), found);
  }
  return found;
}

async function lookInContainer(container: ContainerClient, found: Map<string, SeenBlob>): Promise<void> {
  for await (const { name, properties, metadata } of container.listBlobsFlat({ includeMetadata: true })) {
    const content =
      properties.contentLength === 0 ? Buffer.alloc(0) : await container.getBlobClient(name).downloadToBuffer();
    const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, blobType } = properties;
    found.set(`${container.containerName}/${name}`, {
      sha256: createHash('sha256').update(content).digest('hex'),
      sizeBytes: content.length,
      headers: { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, blobType },
      // No metadata is an empty text in this client's answer.
      metadata: { ...metadata },
      etag: properties.etag,
    });
  }
}
