/**
 * Reads what a run needs from the user's disk, once: the topology, each region's template as ARM JSON, and its
 * parameters. A topology is loaded without templates. The bundle is made only to plan or start a run, so a missing
 * template does not prevent anyone from inspecting or controlling a run, which has its own bundle in the control store.
 */
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import type { Bundle } from '../run/bundle.ts';
import { checkTopology, topologyError, type Problem } from '../topology/load.ts';
import { placeIn } from '../topology/read-yaml.ts';
import type { Region, Topology } from '../topology/topology.ts';
import { checkTemplate } from './check-template.ts';
import { compileBicep } from './compile-bicep.ts';

/** A topology and the file it came from. */
export interface LoadedTopology {
  topology: Topology;
  file: string;
  /** The content of the file: errors name places in it. */
  text: string;
  /** What may be a mistake, or intended. */
  warnings: Problem[];
}

/** A place in the topology that names a file: errors about that file refer to it. */
type Place = Omit<Problem, 'message'> & { topology: string };

/**
 * Reads a topology, but not the files that it names.
 * Errors: TopologyError with the file, field, line and column of every problem.
 */
export async function loadTopology(file: string): Promise<LoadedTopology> {
  const text = await readTopology(file);
  return { ...checkTopology(text, file, process.env), file, text };
}

/**
 * Reads the templates and their parameters.
 * Errors: TopologyError with the place of every problem.
 */
export async function makeBundle(loaded: LoadedTopology): Promise<Bundle> {
  return (await makeCheckedBundle(loaded)).bundle;
}

/** As `makeBundle`, but also returns warnings about the topology and its templates. */
export async function makeCheckedBundle({
  topology,
  file,
  text,
  warnings: given,
}: LoadedTopology): Promise<{ bundle: Bundle; warnings: Problem[] }> {
  const templates: Bundle['templates'] = {};
  const warnings = [...given];
  for (const [name, region] of Object.entries(topology.regions)) {
    if (!region.template) continue;
    const placeOf = (key: 'file' | 'parameters'): Place => {
      const path = ['regions', name, 'template', key];
      return { topology: file, path: path.join('.'), ...placeIn(text, path) };
    };
    const { warnings: found, ...template } = await loadTemplate({ name, ...region }, region.template, placeOf);
    templates[name] = template;
    warnings.push(...found.map((message) => ({ ...placeOf('file'), message })));
  }
  return { bundle: { topology, templates }, warnings };
}

async function loadTemplate(
  region: Region & { name: string },
  declared: NonNullable<Region['template']>,
  placeOf: (key: 'file' | 'parameters') => Place,
) {
  const place = placeOf('file');
  const folder = dirname(resolve(place.topology));
  const { file, text, warnings } = await readTemplate(place, resolve(folder, declared.file));
  const template = parseJson(place, file, text);
  const parameters =
    declared.parameters === undefined
      ? {}
      : await readParameters(placeOf('parameters'), resolve(folder, declared.parameters));
  const problems = checkTemplate(region, { template, parameters });
  if (problems.length > 0) {
    throw topologyError(
      place.topology,
      problems.map(({ of, message }) => {
        // Parameters may be missing because no parameters file is declared.
        const key = of === 'parameters' && declared.parameters !== undefined ? of : 'file';
        return { ...placeOf(key), message: `"${declared[key] ?? ''}": ${message}` };
      }),
    );
  }
  return { source: declared.file, template, parameters, warnings };
}

/** Returns the template as ARM JSON, and the file that has it. */
async function readTemplate(place: Place, source: string): Promise<{ file: string; text: string; warnings: string[] }> {
  const text = await readNamed(place, source);
  if (extname(source) !== '.bicep') return { file: source, text, warnings: [] };
  const compiled = await compileBicep(source, text);
  if ('problem' in compiled) throw problem(place, compiled.problem, compiled.next);
  return compiled;
}

/** Returns the content of a parameters file's envelope, or the whole file if it has none. */
async function readParameters(place: Place, file: string): Promise<unknown> {
  if (extname(file) === '.bicepparam') {
    throw problem(place, `"${file}" is Bicep: expected a parameters file in JSON ("bicep build-params" makes one)`);
  }
  const value = parseJson(place, file, await readNamed(place, file));
  return (value as { parameters?: unknown } | null)?.parameters ?? value;
}

async function readTopology(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('\0')) throw new Error('it is not text in UTF-8');
    return text;
  } catch (error) {
    throw new UnderstudyError('TopologyError', `cannot load topology "${file}": ${unreadable(error)}`, {
      next: 'Name it with --topology, or make one with "understudy init".',
    });
  }
}

async function readNamed(place: Place, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw problem(place, `cannot read "${file}": ${unreadable(error)}`);
  }
}

function unreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'reading it is not permitted';
    default:
      return messageOf(error);
  }
}

/** Parses as ARM does: allows comments, trailing commas and a byte order mark. */
function parseJson(place: Place, file: string, text: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const value: unknown = parse(json, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (!first) return value;
  const before = json.slice(0, first.offset).split('\n');
  const what = printParseErrorCode(first.error)
    .replaceAll(/(?<=.)[A-Z]/g, ' $&')
    .toLowerCase();
  throw problem(place, `"${file}" is not JSON: ${what} at ${before.length}:${(before.at(-1) ?? '').length + 1}`);
}

function problem(place: Place, message: string, next?: string): UnderstudyError {
  return topologyError(place.topology, [{ ...place, message }], next);
}
