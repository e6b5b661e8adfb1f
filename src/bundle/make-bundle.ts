/** Takes what a run needs from the user's disk, once: the topology, each region's template as ARM JSON, its parameters. */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import type { Bundle } from '../run/step-context.ts';
import { parseTopology } from '../topology/load.ts';
import type { Region, Topology } from '../topology/topology.ts';

export interface LoadedTopology {
  topology: Topology;
  file: string;
  bundle: Bundle;
}

/** Throws TopologyError naming the file, the field and the line of whatever is wrong, templates included. */
export async function loadTopology(file: string): Promise<LoadedTopology> {
  const text = await readNamed(file, 'topology', file);
  const topology = parseTopology(text, file, process.env);
  const templates: Bundle['templates'] = {};
  for (const [name, region] of Object.entries(topology.regions)) {
    if (region.template) templates[name] = await loadTemplate(file, name, region.template);
  }
  return { topology, file, bundle: { topology, templates } };
}

async function loadTemplate(file: string, region: string, declared: NonNullable<Region['template']>) {
  const folder = dirname(resolve(file));
  const place = `regions.${region}.template`;
  const source = resolve(folder, declared.file);
  const text =
    extname(source) === '.bicep'
      ? await compileBicep(file, place, source)
      : await readNamed(file, `${place}.file`, source);
  const template = parseJson(file, `${place}.file`, source, text);
  const parameters =
    declared.parameters === undefined
      ? {}
      : parseJson(
          file,
          `${place}.parameters`,
          declared.parameters,
          await readNamed(file, `${place}.parameters`, resolve(folder, declared.parameters)),
        );
  const inner = (parameters as { parameters?: unknown }).parameters ?? parameters;
  return { source: declared.file, template, parameters: inner };
}

/** The Bicep CLI compiles where there is one; else the ARM JSON that stands beside the Bicep is taken. */
async function compileBicep(file: string, place: string, source: string): Promise<string> {
  await readNamed(file, `${place}.file`, source);
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
      if (command === 'bicep' && !absent) {
        throw new UnderstudyError(
          'TopologyError',
          `cannot load topology "${file}": ${place}.file: ${source}: ${messageOf(error)}`,
        );
      }
    }
  }
  const compiled = source.replace(/\.bicep$/, '.json');
  try {
    await access(compiled);
  } catch {
    throw new UnderstudyError(
      'TopologyError',
      `cannot load topology "${file}": ${place}.file: there is no Bicep CLI to compile "${source}", and no "${compiled}" beside it`,
      { next: 'Install the Bicep CLI, or name the compiled ARM template.' },
    );
  }
  return readNamed(file, `${place}.file`, compiled);
}

async function readNamed(topology: string, place: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : messageOf(error);
    throw new UnderstudyError(
      'TopologyError',
      place === 'topology'
        ? `cannot load topology "${file}": ${reason}`
        : `cannot load topology "${topology}": ${place}: cannot read "${file}": ${reason}`,
      place === 'topology' ? { next: 'Name it with --topology, or make one with "understudy init".' } : {},
    );
  }
}

function parseJson(topology: string, place: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnderstudyError(
      'TopologyError',
      `cannot load topology "${topology}": ${place}: "${file}" is not JSON: ${messageOf(error)}`,
    );
  }
}
