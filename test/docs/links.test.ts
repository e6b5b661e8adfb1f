/** What the docs say of the tree and of the command line is there. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseTopology } from '../../src/topology/load.ts';

const root = dirname(dirname(import.meta.dirname));
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const blocksOf = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text ?? '');

describe.each(pages)('%s', (page) => {
  test('links to what is there', () => {
    const broken = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target ?? '')
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [path = '', fragment] = target.split('#');
        const file = path === '' ? join(root, page) : join(root, dirname(page), path);
        if (!existsSync(file)) return true;
        return fragment !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(fragment);
      });
    expect(broken).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const named = [
      ...read(page).matchAll(/`((?:src|test|simulator|templates|examples|workflows|activities|docs)\/[^`\s*]+)`/g),
    ];
    expect(named.map(([, path]) => path ?? '').filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

test('the topologies of the README are valid', () => {
  const topologies = blocksOf('README.md', 'yaml');
  expect(topologies.length).toBeGreaterThan(0);
  for (const text of topologies) expect(parseTopology(text, 'README.md').name).toBe('fraud-ml');
});

test('the README lists the commands there are, and their exit codes', async () => {
  const program = join(root, 'bin', 'understudy.mjs');
  const { stdout: help } = await promisify(execFile)(process.execPath, [program, '--help']);
  const commands = [
    ...help.matchAll(/^ {2}([a-z][a-z-]+)(?:\|[a-z-]+)?(?: \[options\]| <\w+>| \[\w+\])*(?= {2,})/gm),
  ].map(([, name]) => name ?? '');
  const there = commands.filter((name) => name !== 'help').toSorted();
  expect(there.length).toBeGreaterThan(10);
  const table = read('README.md').split('| command | |')[1]?.split('\n\n')[0] ?? '';
  const cells = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => [
    ...(cell ?? '').matchAll(/`([a-z-]+)[^`]*`/g),
  ]);
  expect([...new Set(cells.map(([, name]) => name ?? ''))].toSorted()).toEqual(there);
  for (const [, code, meaning] of help.matchAll(/^ {2}(\d) {2}(\w+)/gm)) {
    expect(read('README.md')).toContain(`**${code}** ${meaning}`);
  }
});

test('the changelog has the version that package.json has', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('CHANGELOG.md')).toContain(`## [${version}]`);
});
