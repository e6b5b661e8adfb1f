/** A Git repository of a test, apart from the configuration of this machine. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import type { ConfigMoment, ObserveConfigs } from '../../src/config-files/outcome.ts';

export interface Repository {
  folder: string;
  path(name: string): string;
  read(name: string): Promise<string>;
  write(name: string, content: string): Promise<void>;
  git(...args: string[]): string;
  commits(): number;
  /** Everything that a rewriting could change. */
  state(): string;
  hook(name: string, script: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a repository with these files in its first commit. */
export async function makeRepository(files: Readonly<Record<string, string>>): Promise<Repository> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-repository-'));
  const folder = join(root, 'copy');
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  const path = (name: string) => join(folder, name);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const write = async (name: string, content: string) => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), content);
  };
  await mkdir(folder);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ann');
  git('config', 'user.email', 'ann@example.com');
  for (const [name, content] of Object.entries(files)) await write(name, content);
  git('add', '.');
  git('commit', '--quiet', '-m', 'Start');
  return {
    folder,
    path,
    git,
    write,
    read: (name) => readFile(path(name), 'utf8'),
    commits: () => Number(git('rev-list', '--count', '--all')),
    state: () => `${git('for-each-ref')}\n${git('status', '--porcelain', '--ignored')}\n${git('diff', 'HEAD')}`,
    async hook(name, script) {
      const file = path(`.git/hooks/${name}`);
      await writeFile(file, `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Ends a rewriting as a kill at this moment would. */
export function dieAt(kind: ConfigMoment['kind'], nth = 1): ObserveConfigs {
  let seen = 0;
  return (moment) => {
    if (moment.kind !== kind) return;
    seen += 1;
    if (seen === nth) throw new Error('killed');
  };
}
