/**
 * The command is never typed in a form that lets npm look for it: its registry has another package under this name,
 * which would be fetched, and run next to credentials of Azure.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = dirname(dirname(import.meta.dirname));
const fetching = /\b(?:npx|npm (?:x|exec|i|install|add))\s+(?:-\S*\s+)*["'`]?understudy\b/;

test('no text and no code types it so', () => {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = tracked.split('\0').filter((file) => file !== '' && file !== 'CHANGELOG.md');
  expect(files.length).toBeGreaterThan(500);
  const found = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (fetching.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test('what is looked for is found', () => {
  const name = 'understudy';
  for (const form of ['npx', 'npx --yes', 'npx --no --', 'npm exec --', 'npm i -g', 'x="npx']) {
    expect(`${form} ${name} status`).toMatch(fetching);
  }
  expect(`npx node examples/${name}.ts`).not.toMatch(fetching);
});

test('the package has a name that is nobody else’s, and cannot be published by mistake', () => {
  const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;
  const own = read('package.json');
  expect(own).toMatchObject({
    name: expect.stringMatching(/^@[a-z-]+\/understudy$/),
    private: true,
    bin: { understudy: 'bin/understudy.mjs' },
  });
  expect(read('package-lock.json')).toMatchObject({ name: own.name, packages: { '': { name: own.name } } });
});

test('before "npm ci" the launcher says so, and fetches nothing', async () => {
  const checkout = mkdtempSync(join(tmpdir(), 'understudy-bare-'));
  try {
    mkdirSync(join(checkout, 'bin'));
    for (const file of ['package.json', 'bin/understudy.mjs']) cpSync(join(root, file), join(checkout, file));
    const failed: unknown = await promisify(execFile)(process.execPath, [
      join(checkout, 'bin/understudy.mjs'),
      'status',
    ]).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('"npm ci"') });
    expect(failed).toMatchObject({ stderr: expect.not.stringContaining('    at ') });
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
});
