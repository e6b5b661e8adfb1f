/**
 * Turns a job of one workspace into the body that creates its successor in the other. Works on raw JSON, so that no field is
 * lost; says what it changed, what it left out, and what it could not map (such a job is for a person: better not run than run wrong).
 */
import { z } from 'zod';
import type { Json, JsonObject } from '../azure/azure.ts';
import { withoutSignature } from '../azure/storage/blob-url.ts';
import {
  parseAzureMlUri,
  rewriteCompute,
  rewriteDatastore,
  rewriteReference,
  sameName,
  sameWorkspace,
  type ReferenceMapping,
  type Rewritten,
} from '../azure/ids.ts';
import { isProse } from '../azure/prose.ts';
import { folderOfHop, withoutHop } from '../workspace/hop-folder.ts';
import { isObject, textAt } from '../azure/json.ts';
import { originTags, tagsOf, type RawJob } from '../workspace/job.ts';
import { namedIdentity } from './managed-identity.ts';
import { isRegionField, moveRegions } from './region-fields.ts';
import { stripRunBound } from './run-bound.ts';

export interface SuccessorOf {
  name: string;
  hop: number;
  lineageRoot: string;
  run: string;
}

export interface RewriteSpec {
  mapping: ReferenceMapping;
  /** Absent: the same job in the other workspace, without tags of origin or a path of its own. */
  successor?: SuccessorOf;
  /** The input that takes the checkpoint, and where the standby has the copy. */
  resume?: { input: string; uri: string };
  /** The output that holds checkpoints: a successor writes its own to a folder of its hop. */
  checkpointOutput?: string;
  /** Whether both workspaces write to one and the same store under this datastore's name. */
  isShared?: (datastore: string) => boolean;
}

export const Change = z.strictObject({
  /** `properties.inputs.data.uri` */
  place: z.string(),
  from: z.string(),
  to: z.string(),
});
export type Change = z.infer<typeof Change>;

export const Unmapped = z.strictObject({ place: z.string(), value: z.string(), reason: z.string() });
export type Unmapped = z.infer<typeof Unmapped>;

export interface RewrittenSpec {
  /** The body of the PUT. */
  body: { properties: JsonObject };
  changes: Change[];
  unmapped: Unmapped[];
  /** Places of what is read-only or bound to the old run. */
  stripped: string[];
}

export function rewriteSpec(job: RawJob, options: RewriteSpec): RewrittenSpec {
  const { properties, places } = stripRunBound(job);
  const rewriting = new Rewriting(job, options);
  const rewritten = rewriting.walk(properties, 'properties', []) as JsonObject;
  if (options.resume) resumeFrom(rewritten, options.resume, rewriting.changes);
  if (options.successor) {
    const { name: origin } = job;
    const { lineageRoot, hop, run } = options.successor;
    rewritten['tags'] = {
      ...(isObject(rewritten['tags']) ? rewritten['tags'] : {}),
      [originTags.origin]: job.id || origin,
      [originTags.lineage]: lineageRoot,
      [originTags.hop]: String(hop),
      [originTags.run]: run,
    };
  }
  return {
    body: { properties: rewritten },
    changes: rewriting.changes,
    unmapped: rewriting.unmapped,
    stripped: places,
  };
}

/** The input keeps the mode its owner gave it. */
function resumeFrom(
  properties: JsonObject,
  { input, uri }: { input: string; uri: string },
  changes: Change[],
): void {
  const inputs = isObject(properties['inputs']) ? properties['inputs'] : {};
  const declared = isObject(inputs[input]) ? inputs[input] : {};
  const { value: _literal, ...kept } = declared;
  const from = textAt(declared, 'uri') ?? textAt(declared, 'value') ?? '';
  properties['inputs'] = { ...inputs, [input]: { ...kept, jobInputType: 'uri_folder', uri } };
  const place = `properties.inputs.${input}.uri`;
  const earlier = changes.find((change) => change.place === place);
  if (earlier) earlier.to = uri;
  else changes.push({ place, from, to: uri });
}

export const computeKeys = new Set([
  'computeId',
  'compute',
  'default_compute',
  'defaultCompute',
  'compute_id',
]);
export const datastoreKeys = new Set(['default_datastore', 'defaultDatastore', 'datastore', 'datastoreId']);

class Rewriting {
  readonly changes: Change[] = [];
  readonly unmapped: Unmapped[] = [];
  readonly #job: RawJob;
  readonly #options: RewriteSpec;

  constructor(job: RawJob, options: RewriteSpec) {
    this.#job = job;
    this.#options = options;
  }

  /** `keys`: the names on the way from `properties` to `value`. */
  walk(value: Json, place: string, keys: readonly string[]): Json {
    const regions = isRegionField(keys) ? this.#regions(value, place) : undefined;
    if (regions !== undefined) return regions;
    if (Array.isArray(value)) return value.map((each, index) => this.walk(each, `${place}[${index}]`, keys));
    if (typeof value === 'string') return this.#text(value, place, keys);
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, each]): [string, Json] => {
      const path = [...keys, key];
      return [key, isProse(path) ? each : this.walk(each, `${place}.${key}`, path)];
    });
    this.#identity(value, place);
    return Object.fromEntries(entries);
  }

  #regions(value: Json, place: string): Json | undefined {
    const { from, to } = this.#options.mapping;
    const moved = moveRegions(value, from.location, to.location);
    if (moved === undefined) return undefined;
    this.changes.push({ place, ...moved.change });
    return moved.value;
  }

  #text(value: string, place: string, keys: readonly string[]): string {
    const { mapping } = this.#options;
    const key = keys.at(-1) ?? '';
    const isOutput = key === 'uri' && keys.at(-3) === 'outputs';
    const result: Rewritten = computeKeys.has(key)
      ? rewriteCompute(value, mapping)
      : datastoreKeys.has(key)
        ? rewriteDatastore(value, mapping)
        : rewriteReference(value, mapping);
    if (result.unmapped !== undefined) this.#cannot(place, value, result.unmapped);
    else if (!result.changed) this.#look(value, place, keys);
    const to = isOutput ? this.#ownPath(result.value, value, keys.at(-2)) : result.value;
    if (to !== value) this.changes.push({ place, from: withoutSignature(value), to: withoutSignature(to) });
    return to;
  }

  /** Text that is no reference as a whole may still hold one: a command line, a list. That is not rewritten but told. */
  #look(value: string, place: string, keys: readonly string[]): void {
    const { mapping } = this.#options;
    if (sameWorkspace(mapping.from, mapping.to)) return;
    const words = value.split(/[\s"'`,;=()<>|[\]{}]+/).filter((word) => word !== '');
    for (const word of words.length > 1 ? words : []) {
      const { changed, unmapped } = rewriteReference(word, mapping);
      if (changed || unmapped !== undefined) {
        this.#cannot(place, word, 'it stands within other text, which is not rewritten');
      }
    }
    const isVariable = keys.includes('environmentVariables') || keys.includes('environment_variables');
    if (isVariable && sameName(value, mapping.from.name) && !sameName(value, mapping.to.name)) {
      this.#cannot(place, value, 'an environment variable names the old workspace');
    }
  }

  #cannot(place: string, value: string, reason: string): void {
    this.unmapped.push({ place, value: withoutSignature(value), reason });
  }

  /** Nothing says which identity of the standby stands for one of the old region: with that, a job could not sign in, or as somebody else. */
  #identity(value: JsonObject, place: string): void {
    const { from, to } = this.#options.mapping;
    const name = namedIdentity(value);
    if (name === undefined || sameWorkspace(from, to)) return;
    this.#cannot(place, name, `it runs as managed identity ${name}, which the topology maps to nothing`);
  }

  /**
   * The origin may go on unseen. So an output in Azure's own place for its job moves to that of the successor; checkpoints, and what is on
   * a store that both sides write to, get a folder a hop, below the path that the owner of the first job gave.
   */
  #ownPath(uri: string, before: string, output: string | undefined): string {
    const { successor, isShared, checkpointOutput } = this.#options;
    if (!successor) return uri;
    const original = withoutHop(uri, this.#job);
    // A path that has the job's name in it is another one for each job.
    const isCheckpoint = output === checkpointOutput && !/\$\{\{\s*name\s*\}\}/.test(original);
    const target = parseAzureMlUri(original)?.target;
    if (target?.kind !== 'datastore') {
      const meetsOrigin = isAddress(uri) && (uri === before || isCheckpoint);
      return meetsOrigin ? folderOfHop(original, successor) : uri;
    }
    const [folder, job, ...rest] = target.path.split('/');
    if (folder === 'azureml' && job === this.#job.name) {
      const start = original.slice(0, original.length - target.path.length);
      return start + [folder, successor.name, ...rest].join('/');
    }
    return isCheckpoint || isShared?.(target.datastore) ? folderOfHop(original, successor) : uri;
  }
}

/** An address outside the workspaces: whoever runs the job writes to the same place. */
function isAddress(uri: string): boolean {
  return /^(https?|wasbs?|abfss?|adl):\/\//i.test(uri);
}

/** The tags of a job that say where it comes from; undefined for a job of its own. */
export function originOf(job: RawJob): SuccessorOf | undefined {
  const tags = tagsOf(job);
  const [lineageRoot, hop, run] = [tags[originTags.lineage], tags[originTags.hop], tags[originTags.run]];
  return lineageRoot !== undefined && hop !== undefined && run !== undefined
    ? { name: job.name, lineageRoot, hop: Number(hop), run }
    : undefined;
}
