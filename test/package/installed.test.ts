/**
 * The product as `npm install` leaves it on a worker: the compiled program, and of the packages only those that it
 * depends on. The local Azure is a package of its own, with what only it needs.
 */
import { execFile, type ExecFileException } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface Locked {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  link?: boolean;
  resolved?: string;
}

const root = dirname(dirname(import.meta.dirname));
const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};

describe('what an installed product depends on', () => {
  test('is without azurite and x509, and without the local Azure', () => {
    const installed = placesBelow('');
    expect(installed.size).toBeGreaterThan(100);
    expect(named(installed)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(azurite|@peculiar\/.*|@understudy-dr\/.*)$/)]),
    );
  });

  test('is with them where the local Azure is installed', () => {
    expect(named(placesBelow('simulator'))).toEqual(expect.arrayContaining(['azurite', '@peculiar/x509']));
  });

  test('is locked without addresses of downloads', () => {
    const addresses = Object.values(packages).filter(({ link, resolved }) => resolved !== undefined && !link);
    expect(addresses).toEqual([]);
  });
});

describe('an installed product', () => {
  let home = '';
  const scope = () => join(home, 'node_modules', '@understudy-dr');

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'understudy-installed-'));
    await install('understudy', root);
  }, 180_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  test('says of the local Azure that it is a package of its own, and starts nothing', async () => {
    const folder = join(home, 'stack');
    const ended = await understudy('stack', 'up', '--folder', folder);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('package "@understudy-dr/local-azure" is not installed next to Understudy');
    expect(ended.stderr).toContain('In a clone of Understudy: npm ci');
    await expect(readFile(join(folder, 'stack.json'))).rejects.toThrow('ENOENT');
  }, 120_000);

  test('starts the one that is installed next to it', async () => {
    await install('local-azure', join(root, 'simulator'));
    const ended = await understudy('chaos', 'list');
    expect(ended.stderr).toBe('');
    expect(ended.stdout).toContain('region-lost');
  }, 180_000);

  /** What `npm pack` would put there, without writing into this clone. */
  async function install(name: string, from: string): Promise<void> {
    const place = join(scope(), name);
    await mkdir(place, { recursive: true });
    await cp(join(from, 'package.json'), join(place, 'package.json'));
    await cp(join(from, 'bin'), join(place, 'bin'), { recursive: true });
    const how = ['-p', join(from, 'tsconfig.build.json'), '--outDir', join(place, 'dist')];
    const compiled = await run(join(root, 'node_modules/.bin/tsc'), how);
    if (compiled.code !== 0) throw new Error(`"${from}" does not compile: ${compiled.stdout}`);
    for (const needed of named(placesBelow(name === 'local-azure' ? 'simulator' : ''))) {
      await linkOnce(needed);
    }
  }

  async function linkOnce(name: string): Promise<void> {
    const place = join(home, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, 'node_modules', name), place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  function understudy(...args: string[]) {
    return run(process.execPath, [join(scope(), 'understudy', 'bin', 'understudy.mjs'), ...args]);
  }
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** Places in the lock file that a package brings with it, wherever Node would find them. */
function placesBelow(place: string, found = new Set<string>()): Set<string> {
  const { dependencies, optionalDependencies } = packages[place] ?? {};
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const next = placeOf(name, place);
    if (next === undefined || found.has(next)) continue;
    found.add(next);
    placesBelow(next, found);
  }
  return found;
}

/** From the inside outwards, as Node looks. */
function placeOf(name: string, from: string): string | undefined {
  const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[place] !== undefined) return place;
  if (from === '') return undefined;
  const outer = from.lastIndexOf('/node_modules/');
  return placeOf(name, outer < 0 ? '' : from.slice(0, outer));
}

/** The names of those at the top. */
function named(places: Set<string>): string[] {
  return [...places]
    .filter((place) => place.lastIndexOf('node_modules/') === 0)
    .map((place) => place.slice('node_modules/'.length));
}
