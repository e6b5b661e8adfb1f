/**
 * Azure's own clients of Python, at the versions of the requirements files beside this. They are looked for in the
 * folder that `LOCAL_AZURE_CLIENTS` names (virtual environments `azure-ai-ml` and `az`), in the user's cache, and on
 * the machine itself. What is nowhere is skipped, with a word; `node test/simulator/clients/prepare.ts` puts it into
 * the cache (from PyPI, some minutes).
 */

import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const CLIENTS = ['azure-ai-ml', 'az'] as const;
export type ClientName = (typeof CLIENTS)[number];

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
}

/** The client, or undefined, having said why its tests are skipped. Errors: a folder is named that does not have it. */
export function findClient(name: ClientName): Client | undefined {
  const kind = KINDS[name];
  const asked = process.env.LOCAL_AZURE_CLIENTS;
  if (asked !== undefined && asked !== '') {
    const program = join(asked, name, 'bin', kind.program);
    if (!existsSync(program)) throw new Error(`LOCAL_AZURE_CLIENTS: there is no '${program}'`);
    return { program };
  }
  const cached = environmentOf(name);
  if (isComplete(cached)) return { program: join(cached, 'bin', kind.program) };
  const pinned = pinnedVersion(kind);
  const found = versionOnMachine(name);
  if (found === pinned) return { program: kind.program };
  const why = found === undefined ? 'it is not on this machine' : `this machine has ${found}`;
  process.stdout.write(
    `skipped: tests with ${name} ${pinned}: ${why}. "node test/simulator/clients/prepare.ts ${name}" installs it for them.\n`,
  );
  return undefined;
}

/** Where the cache has the client, in its pinned version. */
function environmentOf(name: ClientName): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'understudy', 'azure-clients', `${name}-${pinnedVersion(KINDS[name])}`);
}

/** An installation that was broken off lacks its last file. */
function isComplete(environment: string): boolean {
  return existsSync(join(environment, 'complete'));
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

/**
 * Installs the client into the cache, if it is not there. Errors: no python3 with venv, no package registry, or no end
 * after `timeoutMs` (per program called); what pip says goes to stderr.
 */
export function prepareClient(name: ClientName, timeoutMs: number): string {
  const environment = environmentOf(name);
  if (isComplete(environment)) return environment;
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: timeoutMs };
  execFileSync('python3', ['-m', 'venv', '--clear', environment], options);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  execFileSync(
    join(environment, 'bin', 'python3'),
    [...pip, '--requirement', join(here, KINDS[name].requirements)],
    options,
  );
  writeFileSync(join(environment, 'complete'), '');
  return environment;
}
