/**
 * Azure's own view of a registry, `/acr/v1/…`: repositories, tags and manifests with their times, as `az acr
 * repository` and `az acr manifest` list them. Source: Azure Container Registry data plane REST API, 2021-07-01.
 */

import type { Json } from '../contract/index.ts';
import { OciError, unsupported } from './oci-error.ts';
import { readManifest } from './references.ts';
import type { Manifest, RegistryStore, Tag } from './registry-store.ts';
import type { RegistryAnswer, RegistryRequest } from './request.ts';

const PAGE = 100;

/** What of a path below `/acr/v1/` names a repository; undefined for the catalog. */
export function repositoryOf(path: string): string | undefined {
  const name = path.slice('/acr/v1/'.length).replace(/\/_(tags|manifests)(\/.*)?$/, '');
  return name === '_catalog' ? undefined : name;
}

export function askAzureApi(
  store: RegistryStore,
  request: RegistryRequest,
  repository: string | undefined,
): RegistryAnswer {
  const { name: registry, method, path, headers, query } = request;
  if (method !== 'GET') throw unsupported(method, path);
  if (repository === undefined)
    return { status: 200, body: { repositories: page(query, store.repositories(registry), (one) => one) } };
  const manifests = store.manifests(registry, repository);
  if (manifests.length === 0) throw new OciError(404, 'NAME_UNKNOWN', `repository "${repository}" is not found`);
  const tags = store.tags(registry, repository);
  const common = { registry: headers.host ?? '', imageName: repository };
  const [, kind = '', , one] = /\/_(tags|manifests)(\/(.*))?$/.exec(path) ?? [];
  if (kind === 'tags') return { status: 200, body: { ...common, ...ofTags(query, tags, one) } };
  if (kind === 'manifests')
    return { status: 200, body: { ...common, ...ofManifests(store, query, manifests, tags, one) } };
  return {
    status: 200,
    body: {
      ...common,
      ...attributes([...manifests, ...tags]),
      manifestCount: manifests.length,
      tagCount: tags.length,
    },
  };
}

function ofTags(query: URLSearchParams, tags: Tag[], name: string | undefined): { [field: string]: Json } {
  const shown = (tag: Tag): Json => ({
    name: tag.tag,
    digest: tag.digest,
    ...attributes([tag]),
    signed: false,
  });
  if (name === undefined) return { tags: page(query, tags, ({ tag }) => tag).map(shown) };
  const found = tags.find(({ tag }) => tag === name);
  if (!found) throw new OciError(404, 'TAG_UNKNOWN', `the specified tag does not exist: "${name}"`);
  return { tag: shown(found) };
}

function ofManifests(
  store: RegistryStore,
  query: URLSearchParams,
  manifests: Manifest[],
  tags: Tag[],
  digest: string | undefined,
): { [field: string]: Json } {
  const shown = (manifest: Manifest): Json => {
    const { blobs } = readManifest(store.read(manifest.digest), manifest.mediaType);
    return {
      digest: manifest.digest,
      imageSize: manifest.sizeBytes + blobs.reduce((sum, blob) => sum + store.sizeOf(blob), 0),
      ...attributes([manifest]),
      mediaType: manifest.mediaType,
      tags: tags.filter((tag) => tag.digest === manifest.digest).map(({ tag }) => tag),
    };
  };
  if (digest === undefined) return { manifests: page(query, manifests, (one) => one.digest).map(shown) };
  const found = manifests.find((one) => one.digest === digest);
  if (!found) throw new OciError(404, 'MANIFEST_UNKNOWN', `manifest "${digest}" is not found`);
  return { manifest: shown(found) };
}

function attributes(of: { at: number }[]): { [field: string]: Json } {
  const times = of.map(({ at }) => at);
  return {
    createdTime: new Date(Math.min(...times)).toISOString(),
    lastUpdateTime: new Date(Math.max(...times)).toISOString(),
    changeableAttributes: { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true },
  };
}

/** The entries after `last`, at most `n`. */
function page<T>(query: URLSearchParams, all: T[], nameOf: (one: T) => string): T[] {
  const last = query.get('last') ?? '';
  const size = Number(query.get('n') ?? PAGE);
  if (!Number.isInteger(size) || size < 1)
    throw new OciError(400, 'PAGINATION_NUMBER_INVALID', `n: expected a number from 1 on, got '${query.get('n')}'.`);
  return all
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .filter((one) => nameOf(one) > last)
    .slice(0, size);
}
