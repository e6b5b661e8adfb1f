/**
 * POST importImage: an image, with all that it names, from one registry of this cloud into another, digests as they
 * are.
 */

import { isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type ActionResult,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Stored,
} from '../contract/index.ts';
import { closure } from './contents.ts';
import { isRepository, parseImage } from './references.ts';
import type { Manifest, RegistryStore } from './registry-store.ts';
import { passwordsOf } from './credentials.ts';
import { loginServerOf, regionsOf, REGISTRY } from './places.ts';

const IMPORT_MS = 4000;

interface Order {
  source: Stored;
  image: { repository: string; reference: string };
  targets: { repository: string; tag?: string }[];
  isForced: boolean;
}

/**
 * Throws ArmError 400, 401 and 409 for what can be seen at once; what the source lacks when it is read ends the
 * operation.
 */
export function importImage(store: RegistryStore, call: Call): ActionResult {
  const { cloud, existing } = call;
  if (!existing) return { status: 404 };
  const order = readOrder(call);
  const target = existing.resource.name.toLowerCase();
  if (!call.resumed && !order.isForced) requireFree(store, target, order);
  const finish = (): Promise<undefined> => {
    requireReachable(cloud, order.source);
    const manifest = requireImage(store, order);
    for (const { repository, tag } of order.targets) copy(store, manifest, target, repository, tag, cloud.clock.now());
    return Promise.resolve(undefined);
  };
  return { longRunning: { milliseconds: IMPORT_MS, finish } };
}

function readOrder({ cloud, body }: Call): Order {
  const source = isObject(body.source) ? body.source : undefined;
  if (!source) throw invalid('source', 'an object', body.source);
  const image = parseImage(textOf(source.sourceImage));
  if (!image) throw invalid('source.sourceImage', "'repository:tag' or 'repository@sha256:…'", source.sourceImage);
  const { mode = 'NoForce' } = body;
  if (mode !== 'NoForce' && mode !== 'Force') throw invalid('mode', 'NoForce or Force', mode);
  const targets: Order['targets'] = [
    ...texts(body.targetTags, 'targetTags').map((text, i) => {
      const parsed = parseImage(text);
      if (!parsed || parsed.reference.includes(':')) throw invalid(`targetTags[${i}]`, "'repository:tag'", text);
      return { repository: parsed.repository, tag: parsed.reference };
    }),
    ...texts(body.untaggedTargetRepositories, 'untaggedTargetRepositories').map((repository, i) => {
      if (!isRepository(repository))
        throw invalid(`untaggedTargetRepositories[${i}]`, 'the name of a repository', repository);
      return { repository };
    }),
  ];
  // As Azure has it: without a target, the image keeps its repository and tag.
  const own = image.reference.includes(':')
    ? { repository: image.repository }
    : { repository: image.repository, tag: image.reference };
  return {
    source: sourceOf(cloud, source),
    image,
    targets: targets.length > 0 ? targets : [own],
    isForced: mode === 'Force',
  };
}

function sourceOf(cloud: Cloud, source: JsonObject): Stored {
  const all = cloud.store.ofType(REGISTRY);
  if (source.resourceId !== undefined) {
    const id = textOf(source.resourceId).toLowerCase();
    const found = all.find(({ resource }) => resource.id.toLowerCase() === id);
    if (found) return found;
    throw invalid('source.resourceId', 'the id of a container registry', source.resourceId);
  }
  const uri = textOf(source.registryUri).toLowerCase();
  const found = all.find(({ resource }) => loginServerOf(cloud, resource.name) === uri);
  if (!found)
    throw invalid('source', 'the resourceId, or the registryUri, of a registry of this cloud', source.registryUri);
  requireCredentials(found, source.credentials);
  return found;
}

/** Another's registry is named by its address, and asks for its own credentials. */
function requireCredentials(registry: Stored, credentials: Json | undefined): void {
  if (registry.resource.properties.anonymousPullEnabled === true) return;
  const { username, password } = isObject(credentials) ? credentials : {};
  const isAdmin = textOf(username).toLowerCase() === registry.resource.name.toLowerCase();
  const isOn = registry.resource.properties.adminUserEnabled === true;
  if (isOn && isAdmin && passwordsOf(registry).some(({ value }) => value === password)) return;
  throw new ArmError(
    401,
    'UnAuthorizedForSourceRegistry',
    `The credentials do not open the source registry '${registry.resource.name}'.`,
  );
}

function requireFree(store: RegistryStore, target: string, { targets }: Order): void {
  const taken = targets.find(({ repository, tag }) => tag !== undefined && store.manifest(target, repository, tag));
  if (taken)
    throw new ArmError(409, 'Conflict', `Tag ${taken.repository}:${taken.tag} already exists in target registry.`);
}

function requireReachable(cloud: Cloud, source: Stored): void {
  if (regionsOf(cloud, source).some((region) => !cloud.isDark(region))) return;
  throw new ArmError(
    504,
    'GatewayTimeout',
    `The source registry '${source.resource.name}' did not answer within the specified time period.`,
  );
}

function requireImage(store: RegistryStore, { source, image }: Order): Manifest {
  const manifest = store.manifest(source.resource.name.toLowerCase(), image.repository, image.reference);
  if (manifest) return manifest;
  const separator = image.reference.includes(':') ? '@' : ':';
  throw new ArmError(
    404,
    'ImageNotFound',
    `The image '${image.repository}${separator}${image.reference}' was not found in the source registry '${source.resource.name}'.`,
  );
}

function copy(
  store: RegistryStore,
  manifest: Manifest,
  registry: string,
  repository: string,
  tag: string | undefined,
  at: number,
): void {
  const { manifests, blobs } = closure(store, manifest);
  for (const digest of blobs) store.linkBlob(registry, repository, digest);
  for (const { digest, mediaType } of manifests)
    store.putManifest(
      { registry, repository, mediaType, at },
      store.read(digest),
      digest === manifest.digest ? tag : undefined,
    );
}

function texts(value: Json | undefined, name: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw invalid(name, 'a list of texts', value);
  return value;
}

function invalid(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'InvalidParameters',
    `Invalid parameter '${name}': expected ${expected}, got ${JSON.stringify(got ?? null)}.`,
    {
      target: name,
    },
  );
}
