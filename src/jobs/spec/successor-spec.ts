/**
 * Turns a rewritten spec into that of a successor: adds tags that name its original, gives it outputs of its own where
 * the original may still be writing unseen, and sets the checkpoint to resume from. Pure.
 */
import type { JsonObject } from '../../azure/azure.ts';
import { parseAzureMlUri } from '../../azure/ids.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';
import { withoutSignature } from '../../azure/storage/blob-url.ts';
import { folderOfHop, withoutHop } from '../../workspace/jobs/hop-folder.ts';
import { originTags, tagsOf, type RawJob } from '../../workspace/jobs/job.ts';
import type { Change, RewrittenSpec } from './rewrite-spec.ts';
import { mapTexts } from '../../azure/body/json-texts.ts';

/** A successor as its tags describe it. */
export interface SuccessorOf {
  name: string;
  hop: number;
  lineageRoot: string;
  run: string;
}

/** How to make a successor. */
export interface SuccessorSpecOptions {
  successor: SuccessorOf;
  /** The input that receives the checkpoint, and where its copy is in the standby. */
  resume?: { input: string; uri: string };
  /** The output that has checkpoints. A successor writes its own to a folder of its hop. */
  checkpointOutput: string;
  /** Whether both workspaces write to the same store under this datastore's name. */
  isShared: (datastore: string) => boolean;
}

/** The spec of a successor. */
export interface SuccessorSpec {
  /** The body of the PUT. */
  body: { properties: JsonObject };
  /** Everything that differs from the old workspace. */
  changes: Change[];
}

/** `moved`: the result of `rewriteSpec` for `job`. */
export function successorSpec(job: RawJob, moved: RewrittenSpec, options: SuccessorSpecOptions): SuccessorSpec {
  const changes = new Map(moved.changes.map((change) => [change.place, change]));
  const change = (place: string, from: string, to: string) =>
    changes.set(place, {
      place,
      from: changes.get(place)?.from ?? withoutSignature(from),
      to: withoutSignature(to),
    });
  const properties = mapTexts(moved.properties, (text, place, keys) => {
    if (keys.at(-1) !== 'uri' || keys.at(-3) !== 'outputs') return text;
    const own = ownOutput(job, { uri: text, output: keys.at(-2), isMoved: changes.has(place) }, options);
    if (own !== text) change(place, text, own);
    return own;
  });
  if (options.resume) {
    const { input, uri } = options.resume;
    change(`properties.inputs.${input}.uri`, giveCheckpoint(properties, options.resume), uri);
  }
  properties['tags'] = { ...objectAt(moved.properties, 'tags'), ...tagsOfSuccessor(job, options.successor) };
  return { body: { properties }, changes: [...changes.values()] };
}

/** Sets the checkpoint. The input keeps the mode that its owner gave it. Returns what it read before. */
function giveCheckpoint(properties: JsonObject, { input, uri }: { input: string; uri: string }): string {
  const inputs = isObject(properties['inputs']) ? properties['inputs'] : {};
  const declared = isObject(inputs[input]) ? inputs[input] : {};
  const { value: _literal, ...kept } = declared;
  properties['inputs'] = { ...inputs, [input]: { ...kept, jobInputType: 'uri_folder', uri } };
  return textAt(declared, 'uri') ?? textAt(declared, 'value') ?? '';
}

interface Output {
  /** The URI in the standby. */
  uri: string;
  output: string | undefined;
  /** Whether the URI differs from that in the old workspace. */
  isMoved: boolean;
}

/**
 * The original may still be running unseen. An output at Azure's default path for its job therefore moves to the
 * successor's default path. Checkpoints, and outputs on a store that both sides write to, get a folder for each hop,
 * below the path that the owner of the first job chose.
 */
function ownOutput(
  job: RawJob,
  { uri, output, isMoved }: Output,
  { successor, isShared, checkpointOutput }: SuccessorSpecOptions,
): string {
  const original = withoutHop(uri, job);
  // A path that contains the job's name already differs for each job.
  const isCheckpoint = output === checkpointOutput && !/\$\{\{\s*name\s*\}\}/.test(original);
  const target = parseAzureMlUri(original)?.target;
  if (target?.kind !== 'datastore') {
    const meetsOrigin = isAddress(uri) && (!isMoved || isCheckpoint);
    return meetsOrigin ? folderOfHop(original, successor) : uri;
  }
  const [folder, name, ...rest] = target.path.split('/');
  if (folder === 'azureml' && name === job.name) {
    const start = original.slice(0, original.length - target.path.length);
    return start + [folder, successor.name, ...rest].join('/');
  }
  return isCheckpoint || isShared(target.datastore) ? folderOfHop(original, successor) : uri;
}

/** Whether it is an address outside the workspaces: every job with it writes to the same place. */
function isAddress(uri: string): boolean {
  return /^(https?|wasbs?|abfss?|adl):\/\//i.test(uri);
}

function tagsOfSuccessor(job: RawJob, { lineageRoot, hop, run }: SuccessorOf): Record<string, string> {
  return {
    [originTags.origin]: job.id || job.name,
    [originTags.lineage]: lineageRoot,
    [originTags.hop]: String(hop),
    [originTags.run]: run,
  };
}

/** Reads the tags that name a job's original. Undefined for a job that is not a successor. */
export function originOf(job: RawJob): SuccessorOf | undefined {
  const tags = tagsOf(job);
  const [lineageRoot, hop, run] = [tags[originTags.lineage], tags[originTags.hop], tags[originTags.run]];
  return lineageRoot !== undefined && hop !== undefined && run !== undefined
    ? { name: job.name, lineageRoot, hop: Number(hop), run }
    : undefined;
}
