/** How long jobs live on a local Azure: properties of a job that no real Azure heeds. */
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';

const Life = z.strictObject({
  queueSeconds: z.number().nonnegative().optional(),
  runSeconds: z.number().nonnegative().optional(),
  outcome: z.enum(['Completed', 'Failed']).optional(),
  checkpointEverySeconds: z.number().positive().optional(),
});
const Simulation = z.record(z.string(), Life);
/** Lives by the name of the job. */
export type Simulation = z.infer<typeof Simulation>;

/** The file may be named from where the command runs, or from the workspace's folder. */
export async function readSimulation(file: string, folder: string): Promise<Simulation> {
  const path = existsSync(file) ? file : join(folder, file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadError(`cannot read "${file}": ${error instanceof Error ? error.message : String(error)}`);
  });
  const result = Simulation.safeParse(parseYaml(text, file));
  if (result.success) return result.data;
  throw new LoadError(
    result.error.issues
      .map((issue) => `${file}: ${issue.path.map(String).join('.')}: ${issue.message}`)
      .join('\n'),
  );
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new LoadError(
      `${file}: not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

export function refuseUnknownJobs(simulation: Simulation, names: readonly string[]): void {
  const unknown = Object.keys(simulation).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new LoadError(
      `simulation: there is no job named "${unknown.join('", "')}": expected one of ${names.join(', ')}`,
    );
  }
}

export function simulatedProperties(simulation: Simulation, name: string): JsonObject {
  const life = simulation[name] ?? {};
  return Object.fromEntries(Object.entries(life).map(([key, value]) => [`simulator.${key}`, String(value)]));
}
