/**
 * Rewrites references from one workspace to the other: ARM ids, azureml:// URIs, `runs:/` and blob addresses. Every
 * value is parsed. Nothing is replaced as text, so a value that only looks like the old workspace stays.
 */
import type { WorkspaceRef } from '../topology/topology.ts';
import type { Json, JsonObject } from './azure.ts';
import { locateWorkspace, sameName, sameWorkspace, type WorkspacePlace } from './arm-id.ts';
import { parseAzureMlUri, type AzureMlUri, type Target } from './azureml-uri.ts';
import { addressIn, placeInAccount } from './storage/blob-url.ts';
import { isFreeText } from './body/free-text.ts';

export { formatArmId, parseArmId, sameName, sameWorkspace } from './arm-id.ts';
export { datastoreUri, parseAzureMlUri } from './azureml-uri.ts';

type MappedWorkspace = WorkspaceRef & {
  /** `properties.workspaceId`: needed for `azureml://locations/…/workspaces/{guid}`. */
  workspaceGuid?: string;
  /** Azure's short region name. */
  location?: string;
};

/** A path as a datastore has it, or a container of an account. */
export interface DatastorePath {
  datastore: string;
  path: string;
}
export interface AccountPath {
  account: string;
  container: string;
  path: string;
}

/** What is mapped to what. Names are looked up without regard to case, as in Azure. */
export interface ReferenceMapping {
  from: MappedWorkspace;
  to: MappedWorkspace;
  /** Computes with another name in the target: old → new. */
  compute: Record<string, string>;
  datastores?: Record<string, string>;
  /**
   * Blob endpoints (`https://…/`), containers with another name in the target, and containers that both sides read in
   * place.
   */
  storage: {
    account: string;
    from: string;
    to: string;
    containers?: Record<string, string>;
    kept?: readonly string[];
  }[];
  /** ARM ids of other resources (accounts, vaults, registries), old → new. Applies to everything below them too. */
  resources?: Record<string, string>;
  /**
   * Returns where the output of a job of the old workspace was copied to. Undefined if it was not. MLflow's run
   * artifacts are the output `artifacts`.
   */
  jobOutputs?: (job: string, output: string, path: string) => string | undefined;
  /**
   * Returns the version under which the target has one of the old workspace, if that is another. `type`: absent in
   * `azureml:name:version`.
   */
  versions?: (type: string | undefined, name: string, version: string) => string | undefined;
  /** Returns the path under which the target has what the old workspace has at a path. Absent: the same. */
  paths?: (place: DatastorePath | AccountPath) => string;
  /**
   * What the target has (lower-case names). A reference to anything else is reported as unmapped. Not checked if
   * absent.
   */
  has?: { computes?: ReadonlySet<string>; datastores?: ReadonlySet<string> };
}

/** The result of rewriting one value. */
export interface Rewritten {
  value: string;
  changed: boolean;
  /** Why the value, which refers to the old workspace, could not be rewritten. `value` is then unchanged. */
  unmapped?: string;
}

/** Rewrites one string. A value that refers to no workspace, another one, or a registry stays. */
export function rewriteReference(value: string, mapping: ReferenceMapping): Rewritten {
  if (/[\r\n]/.test(value)) return keep(value);
  const arm = /^(azureml:)?(\/subscriptions\/.*)$/i.exec(value);
  if (arm) return rewritten(value, rewriteArm(arm[2] ?? '', mapping), arm[1] ?? '');
  const uri = parseAzureMlUri(value);
  if (uri) return rewritten(value, rewriteUri(uri, mapping), '');
  return rewritten(value, rewriteAddress(value, mapping), '');
}

/** Rewrites the name of a compute as jobs write it: `gpu`, `azureml:gpu`, or an ARM id. */
export function rewriteCompute(value: string, mapping: ReferenceMapping): Rewritten {
  if (value.includes('/') || value === '') return rewriteReference(value, mapping);
  const prefix = /^azureml:/i.exec(value)?.[0] ?? '';
  return rewritten(value, moveCompute(value.slice(prefix.length), mapping), prefix);
}

/** Rewrites the name of a datastore as jobs write it: `store`, `azureml:store`, or an ARM id. */
export function rewriteDatastore(value: string, mapping: ReferenceMapping): Rewritten {
  if (value.includes('/') || value === '') return rewriteReference(value, mapping);
  const prefix = /^azureml:/i.exec(value)?.[0] ?? '';
  return rewritten(value, moveDatastore(value.slice(prefix.length), mapping), prefix);
}

interface Finding {
  /** `jobs.train.inputs.data.uri` */
  place: string;
  value: string;
}
/** The result of rewriting JSON. */
export interface RewrittenJson<T extends Json = Json> {
  value: T;
  changes: (Finding & { to: string })[];
  unmapped: (Finding & { reason: string })[];
}

/**
 * Rewrites every string of an entity's properties that is a reference as a whole. Text for people stays, whatever it
 * looks like. Nothing is lost or reordered.
 */
export function rewriteReferences<T extends Json>(json: T, mapping: ReferenceMapping): RewrittenJson<T> {
  const changes: RewrittenJson['changes'] = [];
  const unmapped: RewrittenJson['unmapped'] = [];
  const walk = (value: Json, place: string, keys: readonly string[]): Json => {
    if (typeof value === 'string') {
      const result = rewriteReference(value, mapping);
      if (result.changed) changes.push({ place, value, to: result.value });
      if (result.unmapped !== undefined) unmapped.push({ place, value, reason: result.unmapped });
      return result.value;
    }
    if (Array.isArray(value)) return value.map((each, index) => walk(each, `${place}[${index}]`, keys));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([key, each]) => {
      const path = [...keys, key];
      return [key, isFreeText(path) ? each : walk(each, place === '' ? key : `${place}.${key}`, path)];
    });
    return Object.fromEntries(entries) as JsonObject;
  };
  return { value: walk(json, '', []) as T, changes, unmapped };
}

/** A new value, or why there is none. Undefined if the value refers to something else and stays. */
type Move = { to: string } | { unmapped: string } | undefined;

const keep = (value: string): Rewritten => ({ value, changed: false });

function rewritten(value: string, move: Move, prefix: string): Rewritten {
  if (move === undefined) return keep(value);
  if ('unmapped' in move) return { value, changed: false, unmapped: move.unmapped };
  const moved = prefix + move.to;
  return { value: moved, changed: moved !== value };
}

/** Looks up a key without regard to case. */
function lookUp(record: Record<string, string> | undefined, name: string): string | undefined {
  return Object.entries(record ?? {}).find(([key]) => sameName(key, name))?.[1];
}

/** The service resolves `${{default_datastore}}` or `${{parent.inputs.compute_name}}` when the job runs. */
function isExpression(name: string): boolean {
  return name.includes('${{');
}

/** Names that every workspace has, without a resource behind them. */
const builtInComputes = ['serverless', 'local'];

function moveCompute(name: string, mapping: ReferenceMapping): Move {
  if (builtInComputes.includes(name.toLowerCase()) || isExpression(name)) return { to: name };
  const to = lookUp(mapping.compute, name) ?? name;
  const known = mapping.has?.computes;
  if (known && !known.has(to.toLowerCase())) {
    return {
      unmapped: `the standby has no compute "${to}"${sameName(to, name) ? '' : ` (which stands for "${name}")`}`,
    };
  }
  return { to };
}

function moveDatastore(name: string, mapping: ReferenceMapping): Move {
  if (isExpression(name)) return { to: name };
  const to = lookUp(mapping.datastores, name) ?? name;
  const known = mapping.has?.datastores;
  return known && !known.has(to.toLowerCase()) ? { unmapped: `the standby has no datastore "${to}"` } : { to };
}

function rewriteArm(id: string, mapping: ReferenceMapping): Move {
  const segments = id.split('/');
  for (const [from, to] of Object.entries(mapping.resources ?? {})) {
    const prefix = from.replace(/\/+$/, '').split('/');
    if (prefix.every((part, index) => sameName(part, segments[index]))) {
      return { to: [to.replace(/\/+$/, ''), ...segments.slice(prefix.length)].join('/') };
    }
  }
  const place = locateWorkspace(segments, 1);
  return place && moveInWorkspace(segments, place, mapping);
}

/** Replaces the workspace that `segments` names, and the name of what follows if that has another one. */
function moveInWorkspace(segments: string[], place: WorkspacePlace, mapping: ReferenceMapping): Move {
  if (!sameWorkspace(place.workspace, mapping.from)) return undefined;
  const moved = [...segments];
  moved[place.subscriptionAt] = mapping.to.subscriptionId;
  moved[place.resourceGroupAt] = mapping.to.resourceGroup;
  moved[place.nameAt] = mapping.to.name;
  return moveResource(moved, place.nameAt + 1, mapping);
}

function moveResource(segments: string[], at: number, mapping: ReferenceMapping): Move {
  const [type, name] = [segments[at], segments[at + 1]];
  if (type === undefined || !name) return { to: segments.join('/') };
  const move = sameName(type, 'computes') ? moveCompute(name, mapping)
    : sameName(type, 'datastores') ? moveDatastore(name, mapping)
    : sameName(type, 'jobs') ? moveJob(name, mapping)
    : { to: name }; // prettier-ignore
  if (move === undefined || 'unmapped' in move) return move;
  const moved = segments.with(at + 1, move.to);
  if (sameName(type, 'datastores')) return { to: movePath(moved, { name, at }, mapping).join('/') };
  const [, , of, version] = segments.slice(at);
  const other = sameName(of, 'versions') && version ? mapping.versions?.(type.toLowerCase(), name, version) : undefined;
  return { to: (other === undefined ? moved : moved.with(at + 3, other)).join('/') };
}

/** `datastores/{name}/paths/…`: the path as the target has it. */
function movePath(
  segments: string[],
  { name, at }: { name: string; at: number },
  { paths }: ReferenceMapping,
): string[] {
  if (!paths || !sameName(segments[at + 2], 'paths')) return segments;
  return [...segments.slice(0, at + 3), paths({ datastore: name, path: segments.slice(at + 3).join('/') })];
}

/** Jobs are not copied: the name of one means nothing in another workspace. */
function moveJob(name: string, { from, to }: ReferenceMapping): Move {
  return sameWorkspace(from, to)
    ? { to: name }
    : { unmapped: `job "${name}" of workspace "${from.name}" does not exist in "${to.name}"` };
}

function rewriteUri({ scope, target, segments, targetAt }: AzureMlUri, mapping: ReferenceMapping): Move {
  const scheme = 'azureml://';
  if (scope.kind === 'registry') return undefined;
  if (scope.kind === 'current') {
    if (target.kind === 'run') return moveOutput(target, mapping);
    if (target.kind === 'job-output') return moveOutput(target, mapping);
    if (target.kind === 'asset') return moveVersion(target, { segments, targetAt }, mapping);
    return target.kind === 'datastore' ? withScheme(moveResource([...segments], targetAt, mapping), scheme) : undefined;
  }
  if (scope.kind === 'located') return withScheme(moveLocated(segments, mapping), scheme);
  if (!sameWorkspace(scope.workspace, mapping.from)) return undefined;
  if (target.kind === 'job-output') return moveOutput(target, mapping);
  const spelt = scope.kind === 'tracking' ? segments.with(0, moveHost(scope.host, mapping)) : segments;
  return withScheme(moveInWorkspace(spelt, scope.place, mapping), scheme);
}

/** A version of the workspace in which it is named. */
function moveVersion(
  { type, name, version }: Extract<Target, { kind: 'asset' }>,
  { segments, targetAt }: Pick<AzureMlUri, 'segments' | 'targetAt'>,
  mapping: ReferenceMapping,
): Move {
  const other = version === undefined ? undefined : mapping.versions?.(type?.toLowerCase(), name, version);
  if (other === undefined) return undefined;
  if (segments.length === 0) return { to: `azureml:${name}:${other}` };
  return { to: `azureml://${segments.with(targetAt + 3, other).join('/')}` };
}

function withScheme(move: Move, scheme: string): Move {
  return move !== undefined && 'to' in move ? { to: scheme + move.to } : move;
}

function moveOutput(target: Extract<Target, { kind: 'job-output' | 'run' }>, mapping: ReferenceMapping): Move {
  if (sameWorkspace(mapping.from, mapping.to)) return undefined;
  const [job, output] = target.kind === 'run' ? [target.run, 'artifacts'] : [target.job, target.output];
  const to = mapping.jobOutputs?.(job, output, target.path);
  return to === undefined ? { unmapped: `output "${output}" of job "${job}" was not copied` } : { to };
}

function moveLocated(segments: string[], { from, to }: ReferenceMapping): Move {
  const guid = segments[3];
  if (from.workspaceGuid === undefined) return { unmapped: 'the id (GUID) of the old workspace is not known' };
  if (!sameName(guid, from.workspaceGuid)) return undefined;
  if (to.workspaceGuid === undefined || to.location === undefined) {
    return { unmapped: 'the id (GUID) and location of the new workspace are not known' };
  }
  return { to: segments.with(1, to.location).with(3, to.workspaceGuid).join('/') };
}

/** In `eastus.api.azureml.ms`, the first label is the workspace's region. */
function moveHost(host: string, { from, to }: ReferenceMapping): string {
  const [first, ...rest] = host.split('.');
  return sameName(first, from.location) && to.location !== undefined ? [to.location, ...rest].join('.') : host;
}

function rewriteAddress(value: string, mapping: ReferenceMapping): Move {
  for (const { account, from, to, containers, kept } of mapping.storage) {
    const place = placeInAccount(value, from);
    if (!place) continue;
    if (kept?.includes(place.container)) return undefined;
    if (/[?&]sig=/i.test(place.query) && !sameName(from, to)) {
      return { unmapped: 'the address carries a shared access signature of the old storage account' };
    }
    const container = lookUp(containers, place.container) ?? defaultContainer(place.container, mapping);
    const path = mapping.paths?.({ account, container: place.container, path: place.path }) ?? place.path;
    return { to: addressIn(to, { ...place, container, path }) + place.query };
  }
  return undefined;
}

/** The containers that Azure makes with a workspace contain its GUID: `azureml-blobstore-{guid}`. */
function defaultContainer(container: string, { from, to }: ReferenceMapping): string {
  if (from.workspaceGuid === undefined || to.workspaceGuid === undefined) return container;
  return container === `azureml-blobstore-${from.workspaceGuid}` ? `azureml-blobstore-${to.workspaceGuid}` : container;
}
