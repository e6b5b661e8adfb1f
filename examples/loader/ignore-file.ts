/** What an upload leaves out: the patterns of the `.amlignore` (or, without one, `.gitignore`) at the folder's root. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Says whether a path below the folder, relative and with slashes, is left out. */
export type Ignored = (relativePath: string) => boolean;

export async function readIgnoreFile(folder: string): Promise<Ignored> {
  for (const name of ['.amlignore', '.gitignore']) {
    const file = join(folder, name);
    if (existsSync(file)) return parseIgnore(await readFile(file, 'utf8'));
  }
  return () => false;
}

/** The patterns of Git's ignore files; of those that match a path the last one decides. */
export function parseIgnore(text: string): Ignored {
  const rules = text
    .split(/\r?\n/u)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const included = line.startsWith('!');
      return { included, expression: expressionOf(included ? line.slice(1) : line) };
    });
  return (relativePath) => {
    const last = rules.findLast((rule) => rule.expression.test(relativePath));
    return last !== undefined && !last.included;
  };
}

function expressionOf(pattern: string): RegExp {
  const folderOnly = pattern.endsWith('/');
  const body = folderOnly ? pattern.slice(0, -1) : pattern;
  const anchored = body.includes('/');
  const source = body
    .replace(/^\//u, '')
    .split(/(\*\*\/|\/\*\*$|\*\*|\*|\?)/u)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '/**') return '/.*';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replace(/[\\^$.|+()[\]{}]/gu, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`${anchored ? '^' : '(?:^|/)'}${source}${folderOnly ? '/' : '(?:/|$)'}`, 'u');
}
