/**
 * Takes what a run needs from the user's disk, once: the topology, each region's template as ARM JSON, its parameters. The
 * topology is loaded without the templates, and the bundle made only for what plans or starts a run: a template that is
 * missing keeps nobody from looking, or from steering a run, which has its own bundle in the control store.
 */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import type { Bundle } from '../run/bundle.ts';
import { lineOf, parseTopology, topologyError } from '../topology/load.ts';
import type { Region, Topology } from '../topology/topology.ts';
import { checkTemplate } from './check-template.ts';

export interface LoadedTopology {
  topology: Topology;
  file: string;
  /** What stands in the file: errors name lines of it. */
  text: string;
}

/** A place in the topology that names a file: errors about the file stand there. */
interface Place {
  topology: string;
  path: string[];
  line: number | undefined;
}

/** Throws TopologyError naming the file, the field and the line of whatever is wrong in it; the files that it names are not read. */
export async function loadTopology(file: string): Promise<LoadedTopology> {
  const text = await readTopology(file);
  return { topology: parseTopology(text, file, process.env), file, text };
}

/** Throws TopologyError naming the file, the field and the line of whatever is wrong in the templates and their parameters. */
export async function makeBundle({ topology, file, text }: LoadedTopology): Promise<Bundle> {
  const templates: Bundle['templates'] = {};
  for (const [name, region] of Object.entries(topology.regions)) {
    if (!region.template) continue;
    const placeOf = (key: 'file' | 'parameters'): Place => {
      const path = ['regions', name, 'template', key];
      return { topology: file, path, line: lineOf(text, path) };
    };
    templates[name] = await loadTemplate({ name, ...region }, region.template, placeOf);
  }
  return { topology, templates };
}

async function loadTemplate(
  region: Region & { name: string },
  declared: NonNullable<Region['template']>,
  placeOf: (key: 'file' | 'parameters') => Place,
) {
  const place = placeOf('file');
  const folder = dirname(resolve(place.topology));
  const source = resolve(folder, declared.file);
  const text =
    extname(source) === '.bicep' ? await compileBicep(place, source) : await readNamed(place, source);
  const template = parseJson(place, source, text);
  const parameters =
    declared.parameters === undefined
      ? {}
      : await readParameters(placeOf('parameters'), resolve(folder, declared.parameters));
  const problems = checkTemplate(region, { template, parameters });
  if (problems.length > 0) {
    throw topologyError(
      place.topology,
      problems.map(({ of, message }) => {
        // Parameters that are missing may be so because no file of them is declared.
        const key = of === 'parameters' && declared.parameters !== undefined ? of : 'file';
        const { path, line } = placeOf(key);
        return { path: path.join('.'), line, message: `"${declared[key] ?? ''}": ${message}` };
      }),
    );
  }
  return { source: declared.file, template, parameters };
}

/** What stands within the envelope of a parameters file, or the whole file where there is none. */
async function readParameters(place: Place, file: string): Promise<unknown> {
  if (extname(file) === '.bicepparam') {
    throw problem(
      place,
      `"${file}" is Bicep: expected a parameters file in JSON ("bicep build-params" makes one)`,
    );
  }
  const value = parseJson(place, file, await readNamed(place, file));
  return (value as { parameters?: unknown } | null)?.parameters ?? value;
}

/** The Bicep CLI compiles where there is one; else the ARM JSON that stands beside the Bicep is taken. */
async function compileBicep(place: Place, source: string): Promise<string> {
  await readNamed(place, source);
  const run = promisify(execFile);
  for (const [command, args] of [
    ['bicep', ['build', source, '--stdout']],
    ['az', ['bicep', 'build', '--file', source, '--stdout']],
  ] as const) {
    try {
      return (await run(command, [...args], { maxBuffer: 64 << 20 })).stdout;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const absent = code === 'ENOENT' || /bicep cli not found|not installed/i.test(messageOf(error));
      if (command === 'bicep' && !absent) throw problem(place, `${source}: ${messageOf(error)}`);
    }
  }
  const compiled = source.replace(/\.bicep$/, '.json');
  try {
    await access(compiled);
  } catch {
    throw problem(
      place,
      `there is no Bicep CLI to compile "${source}", and no "${compiled}" beside it`,
      'Install the Bicep CLI, or name the compiled ARM template.',
    );
  }
  return readNamed(place, compiled);
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

/** As ARM reads it: comments, trailing commas and a byte order mark are no errors. */
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
  throw problem(
    place,
    `"${file}" is not JSON: ${what} at ${before.length}:${(before.at(-1) ?? '').length + 1}`,
  );
}

function problem({ topology, path, line }: Place, message: string, next?: string): UnderstudyError {
  return topologyError(topology, [{ path: path.join('.'), line, message }], next);
}
