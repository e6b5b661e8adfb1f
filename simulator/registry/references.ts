/** Names of repositories, tags and digests, and what a manifest refers to. */

import { isObject } from '../resource/fields.ts';
import type { Json } from '../contract/index.ts';
import { OciError } from './oci-error.ts';

const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;

export function isRepository(name: string): boolean {
  return name.length <= 255 && REPOSITORY.test(name);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Throws OciError 400. */
export function requireRepository(name: string): void {
  if (!isRepository(name)) throw new OciError(400, 'NAME_INVALID', `Invalid repository name: '${name}'.`);
}

/** 'repository', 'repository:tag' or 'repository@sha256:…'; undefined where it is none of these. */
export function parseImage(text: string): { repository: string; reference: string } | undefined {
  const [repository = '', digest] = text.split('@');
  if (digest !== undefined)
    return isRepository(repository) && isDigest(digest) ? { repository, reference: digest } : undefined;
  const colon = text.lastIndexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const tag = colon < 0 ? 'latest' : text.slice(colon + 1);
  return isRepository(name) && isTag(tag) ? { repository: name, reference: tag } : undefined;
}

export interface Refers {
  mediaType: string;
  /** Digests of the manifests that an index names. */
  manifests: string[];
  /** Digests of config and layers. */
  blobs: string[];
  subject: string | undefined;
  artifactType: string | undefined;
  annotations: Json | undefined;
}

const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';

/** What a manifest names. Throws OciError 400 where it is none. */
export function readManifest(bytes: Buffer, contentType: string | undefined): Refers {
  let parsed: Json;
  try {
    parsed = JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    throw new OciError(400, 'MANIFEST_INVALID', `The manifest is no JSON: ${(error as Error).message}.`);
  }
  if (!isObject(parsed) || parsed.schemaVersion !== 2)
    throw new OciError(400, 'MANIFEST_INVALID', "The manifest is invalid: expected an object with 'schemaVersion' 2.");
  const declared = typeof parsed.mediaType === 'string' ? parsed.mediaType : undefined;
  const sent = contentType?.split(';')[0]?.trim();
  if (declared !== undefined && sent !== undefined && sent !== '' && declared !== sent)
    throw new OciError(400, 'MANIFEST_INVALID', `The manifest is of '${declared}' and was sent as '${sent}'.`);
  const mediaType = declared ?? (sent === undefined || sent === '' ? IMAGE : sent);
  const config = parsed.config;
  return {
    mediaType,
    manifests: INDEXES.includes(mediaType) ? digestsOf(parsed.manifests, 'manifests') : [],
    blobs: INDEXES.includes(mediaType)
      ? []
      : [...(config === undefined ? [] : digestsOf([config], 'config')), ...digestsOf(parsed.layers ?? [], 'layers')],
    subject: isObject(parsed.subject) && typeof parsed.subject.digest === 'string' ? parsed.subject.digest : undefined,
    artifactType: artifactTypeOf(parsed.artifactType, config),
    annotations: parsed.annotations,
  };
}

function artifactTypeOf(declared: Json | undefined, config: Json | undefined): string | undefined {
  if (typeof declared === 'string') return declared;
  return isObject(config) && typeof config.mediaType === 'string' ? config.mediaType : undefined;
}

function digestsOf(value: Json | undefined, field: string): string[] {
  const list = Array.isArray(value) ? value : [];
  return list.map((one) => {
    const digest = isObject(one) ? one.digest : undefined;
    if (typeof digest !== 'string' || !isDigest(digest))
      throw new OciError(
        400,
        'MANIFEST_INVALID',
        `The manifest is invalid: '${field}' has a descriptor without a sha256 digest.`,
      );
    return digest;
  });
}
