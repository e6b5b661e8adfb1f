/**
 * Converts Bicep to ARM JSON: with the Bicep CLI if there is one, otherwise from the JSON next to it, as far as that
 * can be trusted. The hash in the JSON (`_generator.templateHash`) is of the JSON itself, and does not tell whether it
 * matches the Bicep.
 */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'jsonc-parser';
import { z } from 'zod';
import { messageOf } from '../errors/error.ts';
import { readBicep } from './read-bicep.ts';

/** The result of compiling a Bicep file. */
export type Compiled =
  | { file: string; text: string; warnings: string[] }
  /** What is wrong, and what to do if it is not simply to correct it. */
  | { problem: string; next?: string };

/** Compiles a Bicep file. `bicep`: the content of `source`. */
export async function compileBicep(source: string, bicep: string): Promise<Compiled> {
  const built = await build(source);
  if ('text' in built) return { file: source, text: built.text, warnings: [] };
  if ('problem' in built) return built;
  return takeCompiled(source, bicep, built.without);
}

type Built = { text: string } | { problem: string } | { without: string };

/** `without`: why no CLI here could compile it. */
async function build(source: string): Promise<Built> {
  const run = promisify(execFile);
  const compilers = [
    ['bicep', ['build', source, '--stdout']],
    ['az', ['bicep', 'build', '--file', source, '--stdout']],
  ] as const;
  let without = 'there is no Bicep CLI here';
  for (const [command, args] of compilers) {
    try {
      return { text: (await run(command, [...args], { maxBuffer: 64 << 20 })).stdout };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      const said = (error as { stderr?: string }).stderr?.trim() || messageOf(error);
      // Azure CLI fails in the same way for errors in the file and for a missing Bicep CLI.
      if (command === 'bicep' || /\bError BCP\d+/.test(said)) return { problem: `${source}: ${asPlaces(said)}` };
      without = `"az bicep" cannot compile here (${said.split('\n', 1)[0] ?? ''})`;
    }
  }
  return { without };
}

/** Converts `a.bicep(3,7) : Error` to `a.bicep:3:7: Error`. */
function asPlaces(said: string): string {
  return said.replaceAll(/\((\d+),(\d+)\) : /g, ':$1:$2: ');
}

/** Throws nothing: a missing JSON, or one that certainly belongs to another Bicep, is a problem in the result. */
async function takeCompiled(source: string, bicep: string, without: string): Promise<Compiled> {
  const file = source.replace(/\.bicep$/, '.json');
  const outline = readBicep(bicep);
  if ('broken' in outline) return { problem: `${source}:${outline.broken}` };
  const next = 'Install the Bicep CLI, or compile it elsewhere ("bicep build") and put the JSON next to it.';
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return { problem: `${without} to compile "${source}", and no "${file}" next to it`, next };
  }
  const differences = [
    ...differencesOf('parameter', outline.parameters, namesIn(text, 'parameters')),
    ...differencesOf('output', outline.outputs, namesIn(text, 'outputs')),
  ];
  if (differences.length > 0) {
    const message = `${without}, and "${file}" is not what "${source}" compiles to: ${differences.join('; ')}`;
    return { problem: message, next };
  }
  return { file, text, warnings: [await doubt(source, file, without)] };
}

const Declared = z.looseObject({
  parameters: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
});

/** Undefined if it is not a template, which is reported elsewhere. */
function namesIn(text: string, of: 'parameters' | 'outputs'): string[] | undefined {
  const json: unknown = parse(text.replace(/^\uFEFF/, ''), [], { allowTrailingComma: true });
  const declared = Declared.safeParse(json);
  return declared.success ? Object.keys(declared.data[of] ?? {}) : undefined;
}

function differencesOf(what: string, inBicep: string[], inJson: string[] | undefined): string[] {
  if (inJson === undefined) return [];
  return [
    ...inBicep.filter((name) => !inJson.includes(name)).map((name) => `the JSON has no ${what} "${name}"`),
    ...inJson.filter((name) => !inBicep.includes(name)).map((name) => `the Bicep has no ${what} "${name}"`),
  ];
}

/** Files that are written together, for instance by a checkout, differ by less. */
const togetherMs = 2000;

async function doubt(source: string, file: string, without: string): Promise<string> {
  const [bicep, json] = [await stat(source), await stat(file)];
  const taken = `${without}: "${basename(file)}" is taken as it is`;
  return bicep.mtimeMs - json.mtimeMs > togetherMs
    ? `${taken}, and is older than "${basename(source)}" (${json.mtime.toISOString()}, ${bicep.mtime.toISOString()}): compile it again`
    : `${taken}; whether "${basename(source)}" compiles to it is not known`;
}
