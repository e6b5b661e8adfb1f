/** `npm ci` refuses a lock file that lacks an optional package, also one of a platform that is not ours. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

interface LockFile {
  packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
}

const root = dirname(dirname(import.meta.dirname));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;

test('the lock file has every optional package of every platform', () => {
  const wanted = Object.entries(packages).flatMap(([from, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).map((name) => ({ name, from })),
  );
  expect(wanted.length).toBeGreaterThan(50);
  expect(wanted.filter(({ name, from }) => !isLocked(name, from))).toEqual([]);
});

/** Looks where Node would: from the inside outwards. */
function isLocked(name: string, from: string): boolean {
  const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[place]?.version !== undefined) return true;
  return from !== '' && isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
}
