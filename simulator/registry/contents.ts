/** Repositories, tags, manifests and referrers, as the OCI distribution specification lists and gives them. */

import type { Json } from '../contract/index.ts';
import { OciError, unsupported } from './oci-error.ts';
import { isDigest, isTag, readManifest } from './references.ts';
import type { Manifest, RegistryStore } from './registry-store.ts';
import type { RegistryAnswer, RegistryRequest } from './request.ts';

const PAGE = 100;
const LARGEST_PAGE = 1000;

/** GET /v2/_catalog */
export function listRepositories(store: RegistryStore, request: RegistryRequest): RegistryAnswer {
  const { items, headers } = page(request, store.repositories(request.name));
  return { status: 200, headers, body: { repositories: items } };
}

/** GET /v2/{name}/tags/list */
export function listTags(store: RegistryStore, request: RegistryRequest, repository: string): RegistryAnswer {
  if (request.method !== 'GET' || !request.path.endsWith('/tags/list')) throw unsupported(request.method, request.path);
  requireKnown(store, request.name, repository);
  const { items, headers } = page(
    request,
    store.tags(request.name, repository).map(({ tag }) => tag),
  );
  return { status: 200, headers, body: { name: repository, tags: items } };
}

/** GET /v2/{name}/referrers/{digest}: what was pushed about a manifest, as an index. */
export function listReferrers(
  store: RegistryStore,
  { name, method, path, query }: RegistryRequest,
  repository: string,
  digest: string,
): RegistryAnswer {
  if (method !== 'GET') throw unsupported(method, path);
  if (!isDigest(digest)) throw new OciError(400, 'DIGEST_INVALID', `Expected a sha256 digest, got '${digest}'.`);
  const wanted = query.get('artifactType');
  const manifests = store.manifests(name, repository).flatMap((manifest): Json[] => {
    const { subject, artifactType, annotations } = readManifest(store.read(manifest.digest), manifest.mediaType);
    if (subject !== digest || (wanted !== null && wanted !== artifactType)) return [];
    const more = {
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    return [{ mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.sizeBytes, ...more }];
  });
  const type = 'application/vnd.oci.image.index.v1+json';
  const headers: Record<string, string> = {
    'Content-Type': type,
    ...(wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
  };
  return { status: 200, headers, body: { schemaVersion: 2, mediaType: type, manifests } };
}

/** GET, HEAD, PUT and DELETE of /v2/{name}/manifests/{reference} */
export function askManifest(
  store: RegistryStore,
  request: RegistryRequest,
  repository: string,
  reference: string,
  body: Buffer,
  now: number,
): RegistryAnswer {
  const { name, method, path } = request;
  if (!isDigest(reference) && !isTag(reference))
    throw new OciError(
      400,
      reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID',
      `'${reference}' is neither a tag nor a sha256 digest.`,
    );
  if (method === 'PUT') return putManifest(store, request, repository, reference, body, now);
  const manifest = store.manifest(name, repository, reference);
  if (!manifest) {
    requireKnown(store, name, repository);
    throw new OciError(404, 'MANIFEST_UNKNOWN', `manifest tagged by "${reference}" is not found`);
  }
  if (method === 'DELETE') {
    if (isDigest(reference)) store.removeManifest(manifest);
    else store.removeTag(name, repository, reference);
    return { status: 202 };
  }
  if (method !== 'GET' && method !== 'HEAD') throw unsupported(method, path);
  return {
    status: 200,
    headers: {
      'Content-Type': manifest.mediaType,
      'Docker-Content-Digest': manifest.digest,
      ETag: `"${manifest.digest}"`,
      'Content-Length': String(manifest.sizeBytes),
    },
    body: store.read(manifest.digest),
  };
}

function putManifest(
  store: RegistryStore,
  { name, headers, base }: RegistryRequest,
  repository: string,
  reference: string,
  body: Buffer,
  now: number,
): RegistryAnswer {
  const { mediaType, manifests, blobs, subject } = readManifest(body, headers['content-type']);
  const missing = [
    ...manifests.filter((digest) => !store.manifest(name, repository, digest)),
    ...blobs.filter((digest) => !store.hasBlob(name, repository, digest)),
  ];
  if (missing.length > 0)
    throw new OciError(
      400,
      'MANIFEST_BLOB_UNKNOWN',
      `The manifest refers to what this repository does not have: ${missing.join(', ')}.`,
    );
  const digest = store.keep(body);
  if (isDigest(reference) && digest !== reference)
    throw new OciError(400, 'DIGEST_INVALID', `The manifest's digest is ${digest}, and it was put as ${reference}.`);
  const fields = { registry: name, repository, mediaType, at: now };
  store.putManifest(fields, body, isDigest(reference) ? undefined : reference);
  const about: Record<string, string> = subject === undefined ? {} : { 'OCI-Subject': subject };
  return {
    status: 201,
    headers: {
      Location: `${base}/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...about,
    },
  };
}

/** Throws OciError 404 `NAME_UNKNOWN` where nothing was ever pushed. */
function requireKnown(store: RegistryStore, registry: string, repository: string): void {
  if (store.manifests(registry, repository).length === 0)
    throw new OciError(404, 'NAME_UNKNOWN', `repository name not known to registry: '${repository}'`);
}

/** The entries after `last`, at most `n`, and where the next page is. */
function page(
  { query, path, base }: RegistryRequest,
  all: string[],
): { items: string[]; headers: Record<string, string> } {
  const asked = query.get('n');
  const size = asked === null ? PAGE : Number(asked);
  if (!Number.isInteger(size) || size < 0)
    throw new OciError(400, 'PAGINATION_NUMBER_INVALID', `n: expected a number from 0 on, got '${asked}'.`);
  const last = query.get('last') ?? '';
  const rest = all.filter((one) => one > last);
  const items = rest.slice(0, Math.min(size, LARGEST_PAGE));
  const end = items.at(-1);
  if (items.length === rest.length || end === undefined) return { items, headers: {} };
  const next = new URLSearchParams({ last: end, n: String(size) });
  return {
    items,
    headers: { Link: `<${new URL(base).pathname.replace(/\/$/, '')}${path}?${next.toString()}>; rel="next"` },
  };
}

/** The manifest with all that it names, for an import: deepest first. */
export function closure(store: RegistryStore, manifest: Manifest): { manifests: Manifest[]; blobs: string[] } {
  const { manifests: children, blobs } = readManifest(store.read(manifest.digest), manifest.mediaType);
  const found = children.flatMap((digest) => store.manifest(manifest.registry, manifest.repository, digest) ?? []);
  const below = found.map((child) => closure(store, child));
  return {
    manifests: [...below.flatMap((one) => one.manifests), manifest],
    blobs: [...new Set([...below.flatMap((one) => one.blobs), ...blobs])],
  };
}
