/** The folder in which a job works: its code, its inputs as they were when it began, and a folder for each output. */

import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { jobOutputUri, longUri } from '../../job-life/job-outputs.ts';
import { resolveAsset } from '../../bodies/references.ts';
import { below, downloadBlob, downloadFolder, type BlobPlace } from '../data/blob-files.ts';
import { commandOf } from './command-spec.ts';
import {
  addressOf,
  assetKindOf,
  inputsOf,
  isOutput,
  locateData,
  locateOutput,
  outputsOf,
  requireOutputs,
} from '../data/job-data.ts';
import type { Places } from './job-environment.ts';
import { GrowingFile, OutputFolder } from '../data/output-folder.ts';
import { RunFailure } from '../data/run-failure.ts';

/** What is uploaded when. */
export interface Uploads {
  /** While it runs, and at the end. */
  live: OutputFolder[];
  /** When it has ended by itself. */
  atEnd: OutputFolder[];
  log: GrowingFile | undefined;
}

export interface Workplace {
  code: string;
  log: string;
  places: Places;
  uploads: Uploads;
}

/** Fills the folder of a job. Errors: RunFailure for what is not there. */
export async function prepareWorkplace(cloud: Cloud, job: Stored, folder: string): Promise<Workplace> {
  requireOutputs(cloud, job);
  const code = join(folder, 'code');
  const places: Places = { home: folder, temporary: join(folder, 'tmp'), inputs: {}, outputs: {} };
  for (const made of [code, places.temporary, join(folder, 'inputs'), join(folder, 'outputs')])
    await mkdir(made, { recursive: true });
  await providePython(places);
  await fetchCode(cloud, job, code);
  for (const [name, input] of inputsOf(job)) {
    const value = await fetchInput(cloud, job, input, join(folder, 'inputs', name));
    if (value !== undefined) places.inputs[name] = value;
  }
  const log = join(folder, 'std_log.txt');
  const own = locateOutput(cloud, job, 'default');
  const uploads: Uploads = {
    live: [],
    atEnd: [],
    log: own && new GrowingFile(cloud.blobs, log, below(own, 'user_logs/std_log.txt')),
  };
  for (const [name, output] of outputsOf(job))
    places.outputs[name] = await prepareOutput(cloud, job, { name, output, folder, uploads });
  // What a script leaves in ./outputs and ./logs is kept with its run.
  for (const name of own ? ['outputs', 'logs'] : [])
    if (own) uploads.live.push(await adopted(cloud, join(code, name), below(own, name)));
  return { code, log, places, uploads };
}

/** Azure's images call it `python`, many machines only `python3`. */
async function providePython(places: Places): Promise<void> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((one) => one !== '');
  const find = (program: string): string | undefined =>
    folders.map((one) => join(one, program)).find((file) => existsSync(file));
  const python3 = find('python3');
  if (find('python') !== undefined || python3 === undefined) return;
  places.programs = join(places.home, 'bin');
  await mkdir(places.programs, { recursive: true });
  await symlink(python3, join(places.programs, 'python'));
}

async function fetchCode(cloud: Cloud, job: Stored, folder: string): Promise<void> {
  const { code } = commandOf(cloud, job);
  if (code === undefined) return;
  const asset = resolveAsset(cloud, workspaceIdOf(job.resource.id), 'codes', code);
  const uri = textOf(asset?.resource.properties.codeUri);
  if (uri === undefined) throw new RunFailure('UserError', `There is no code '${code}' in the workspace.`);
  const count = await downloadFolder(cloud.blobs, locateData(cloud, job, uri, 'codes'), folder);
  if (count === 0) throw new RunFailure('UserError', `The code snapshot '${code}' at '${uri}' has no files.`);
}

/** Answers what `${{inputs.x}}` stands for; undefined: an input that is not given. */
async function fetchInput(cloud: Cloud, job: Stored, input: JsonObject, folder: string): Promise<string | undefined> {
  const kind = textOf(input.jobInputType) ?? '';
  if (kind === 'literal') return literal(input.value);
  const uri = textOf(input.uri);
  if (uri === undefined) return undefined;
  if (input.mode === 'Direct') return addressOf(cloud, job, uri, assetKindOf(input));
  const place = locateData(cloud, job, uri, assetKindOf(input));
  const file = join(folder, basename(place.path));
  if (place.path !== '' && (await downloadBlob(cloud.blobs, place, file))) return file;
  if (kind === 'uri_file') throw new RunFailure('UserError', `There is no file at '${uri}'.`);
  const count = await downloadFolder(cloud.blobs, place, folder);
  // A container may be empty, and so may what another job has left; storage knows no other empty folder.
  if (count === 0 && place.path !== '' && !isOutput(cloud, job, place))
    throw new RunFailure('UserError', `There is nothing at '${uri}': no file has that name or is below it.`);
  return folder;
}

function literal(value: JsonObject[string] | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

interface OutputToPrepare {
  name: string;
  output: JsonObject;
  folder: string;
  uploads: Uploads;
}

/**
 * Makes the folder (or, for a file, that around it) of an output, and says what will be uploaded when. Answers its
 * path.
 */
async function prepareOutput(
  cloud: Cloud,
  job: Stored,
  { name, output, folder, uploads }: OutputToPrepare,
): Promise<string> {
  if (output.mode === 'Direct') return longUri(workspaceIdOf(job.resource.id), jobOutputUri(job.resource, name));
  const place = locateOutput(cloud, job, name);
  if (!place) throw new RunFailure('UserError', `The output '${name}' names no datastore of blobs of the workspace.`);
  const at = join(folder, 'outputs', name);
  if (textOf(output.jobOutputType) === 'uri_file') {
    await mkdir(at, { recursive: true });
    uploads.live.push(new OutputFolder(cloud, at, { ...place, path: parentPath(place) }));
    return join(at, basename(place.path));
  }
  if (output.mode === 'Upload') {
    await mkdir(at, { recursive: true });
    uploads.atEnd.push(new OutputFolder(cloud, at, place));
  } else {
    // A mount shows what is there already.
    await downloadFolder(cloud.blobs, place, at);
    uploads.live.push(await adopted(cloud, at, place));
  }
  return at;
}

function parentPath({ path }: BlobPlace): string {
  return path.split('/').slice(0, -1).join('/');
}

async function adopted(cloud: Cloud, folder: string, place: BlobPlace): Promise<OutputFolder> {
  const output = new OutputFolder(cloud, folder, place);
  await output.adopt();
  return output;
}
