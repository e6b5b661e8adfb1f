/**
 * Azure's own clients of Python, at the versions of the requirements files beside this. `LOCAL_AZURE_CLIENTS` says where: a folder
 * with the virtual environments `azure-ai-ml` and `az`; `1` makes them in `.venv` (some minutes, from PyPI). Without it, what the
 * machine has is taken, if it is of the pinned version. What is not found is skipped.
 */

import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(dirname(here)));

export type ClientName = 'azure-ai-ml' | 'az';

interface Kind {
  requirements: string;
  /** The program below a virtual environment, and what it is called on a machine that has it anyway. */
  program: string;
  distribution: string;
}

const KINDS: Record<ClientName, Kind> = {
  'azure-ai-ml': { requirements: 'requirements.txt', program: 'python3', distribution: 'azure-ai-ml' },
  az: { requirements: 'requirements-az.txt', program: 'az', distribution: 'azure-cli' },
};

export interface Client {
  program: string;
  /** Makes the virtual environment if that was asked for and it is not there. Throws with pip's own words. */
  prepare(): void;
}

/** The client, or undefined, having said why its tests are skipped. */
export function findClient(name: ClientName): Client | undefined {
  const kind = KINDS[name];
  const asked = process.env.LOCAL_AZURE_CLIENTS;
  if (asked !== undefined && asked !== '') {
    const environment = join(asked === '1' ? join(root, '.venv') : asked, name);
    const program = join(environment, 'bin', kind.program);
    return { program, prepare: () => (asked === '1' ? install(environment, kind) : require_(program)) };
  }
  const pinned = pinnedVersion(kind);
  const found = versionOnMachine(name);
  if (found === pinned) return { program: kind.program, prepare: () => undefined };
  const why = found === undefined ? 'it is not on this machine' : `this machine has ${found}`;
  process.stdout.write(
    `skipped: tests with ${name} ${pinned}: ${why}. LOCAL_AZURE_CLIENTS=1 installs it for them.\n`,
  );
  return undefined;
}

function pinnedVersion({ requirements, distribution }: Kind): string {
  const text = readFileSync(join(here, requirements), 'utf8');
  const version = new RegExp(`^${distribution}==(.+)$`, 'm').exec(text)?.[1];
  if (version === undefined) throw new Error(`${requirements} does not pin ${distribution}`);
  return version.trim();
}

/** Undefined where there is no such program, or the library is not installed. */
function versionOnMachine(name: ClientName): string | undefined {
  const [program, ...args] =
    name === 'az'
      ? ['az', 'version', '--query', '"azure-cli"', '--output', 'tsv']
      : ['python3', '-c', 'import importlib.metadata as m; print(m.version("azure-ai-ml"))'];
  try {
    return execFileSync(program ?? '', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined; // Not there, or not usable: the tests that want it are skipped, and say so.
  }
}

function require_(program: string): void {
  if (!existsSync(program)) throw new Error(`LOCAL_AZURE_CLIENTS: there is no '${program}'`);
}

function install(environment: string, { requirements, program }: Kind): void {
  if (existsSync(join(environment, 'bin', program)) && existsSync(join(environment, 'complete'))) return;
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync('python3', ['-m', 'venv', environment], options);
  const pip = join(environment, 'bin', 'pip');
  execFileSync(pip, ['install', '--quiet', '--requirement', join(here, requirements)], options);
  writeFileSync(join(environment, 'complete'), requirements);
}
