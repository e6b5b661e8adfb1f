/**
 * What a look at a Git working copy finds: everything that would fail the rewriting, at once, and without a
 * write.
 */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConfigFinding, ConfigLook, GitTarget } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs } from '../../src/config-files/targets.ts';
import { eastSubscription, mapping } from './mapping.ts';

const trio = `{"subscription_id": "${eastSubscription}", "resource_group": "ml-east", "workspace_name": "fraud-east"}\n`;
let root: string;
let copy: string;
const path = (name: string): string => join(copy, name);
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', copy, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
const state = (): string =>
  `${git('for-each-ref')}\n${git('status', '--porcelain', '--ignored')}\n${git('diff', 'HEAD')}`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'understudy-look-git-'));
  copy = join(root, 'copy');
  await mkdir(join(copy, 'jobs'), { recursive: true });
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ann');
  git('config', 'user.email', 'ann@example.com');
  await writeFile(path('config.json'), trio);
  await writeFile(path('jobs/train.yml'), 'compute: azureml:gpu-east\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'Start');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

async function look(over: Partial<GitTarget> = {}): Promise<ConfigLook> {
  const before = state();
  const target = { host: 'train-01', git: copy, files: ['config.json', 'jobs/*.yml'], ...over };
  const seen = await lookAtConfigs({ target, mapping });
  expect(state()).toBe(before);
  const first = seen.findings.find(({ severity }) => severity === 'fails');
  if (first) {
    const { found, expected, next } = first;
    await expect(applyConfigs({ target, mapping, runId: 'run-1' })).rejects.toMatchObject({
      diagnosis: { found, expected, next },
    });
    expect(state()).toBe(before);
  }
  return seen;
}

const only = async (over: Partial<GitTarget> = {}): Promise<ConfigFinding> => {
  const { findings } = await look(over);
  expect(findings).toHaveLength(1);
  return findings[0] as ConfigFinding;
};

async function makeRemote(): Promise<string> {
  const remote = join(root, 'remote.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  git('remote', 'add', 'origin', remote);
  git('push', '--quiet', '--set-upstream', 'origin', 'main');
  return remote;
}

describe('a look at a Git working copy', () => {
  it('says how much a move would change, and has nothing to find where all is well', async () => {
    const { files, findings } = await look();
    expect(files.map(({ file, status }) => [file, status])).toEqual([
      ['config.json', 'changed'],
      ['jobs/train.yml', 'changed'],
    ]);
    expect(findings).toEqual([]);
  });

  it('finds what is wrong with each file and each glob, not only with the first', async () => {
    await writeFile(path('jobs/bad.yml'), 'a: b: c\n');
    git('add', '.');
    git('commit', '--quiet', '-m', 'Break');
    await writeFile(path('jobs/train.yml'), 'compute: azureml:mine\n');
    await writeFile(path('new.json'), trio);
    const { findings } = await look({ files: ['config.json', 'jobs/*.yml', 'none/*.yml', 'new.*'] });
    expect(findings).toMatchObject([
      { file: copy, found: 'no file that Git tracks matches "none/*.yml"' },
      {
        file: copy,
        found: expect.stringContaining('only others such as "new.json"'),
        next: expect.stringContaining('git add new.json'),
      },
      { file: 'jobs/bad.yml', line: 1 },
      { file: 'jobs/train.yml', found: expect.stringContaining('uncommitted changes') },
    ]);
    expect(findings.every(({ severity }) => severity === 'fails')).toBe(true);
  });

  it('finds that there is no working copy, another branch, or none', async () => {
    const lookAt = async (over: Partial<GitTarget>) =>
      (await lookAtConfigs({ target: { host: 'h', git: copy, files: ['*'], ...over }, mapping })).findings;
    for (const git of [path('gone'), root])
      expect(await lookAt({ git })).toMatchObject([
        { severity: 'fails', file: git, next: expect.stringContaining('Clone') },
      ]);
    expect(await only({ branch: 'release' })).toMatchObject({
      found: 'branch "main" is checked out',
      expected: '"release"',
    });
    git('checkout', '--quiet', '--detach');
    expect((await only()).found).toContain('detached HEAD');
  });

  it('finds a lock that Git left behind, and waits for one that Git holds', async () => {
    await writeFile(path('.git/index.lock'), '');
    await utimes(path('.git/index.lock'), new Date(), new Date(Date.now() - 3_600_000));
    const { file, found, next } = await only();
    expect(file).toBe(path('.git/index.lock'));
    expect(found).toMatch(/^a lock of Git, 1h 00m old/);
    expect(next).toContain('delete that file');
    const seen = lookAtConfigs({ target: { host: 'h', git: copy, files: ['config.json'] }, mapping });
    setTimeout(() => void rm(path('.git/index.lock')), 500);
    expect((await seen).findings).toEqual([]);
  });

  it('refuses a folder that became a symbolic link out of the working copy', async () => {
    await rename(path('jobs'), join(root, 'jobs'));
    await symlink('../jobs', path('jobs'));
    expect(await only()).toMatchObject({
      file: path('jobs/train.yml'),
      found: `a symbolic link leads out of the target, to "${join(root, 'jobs/train.yml')}"`,
    });
  });

  it.each(['assume-unchanged', 'skip-worktree'])(
    'refuses a file that is marked %s, and keeps its edit',
    async (mark) => {
      git('update-index', `--${mark}`, 'config.json');
      const edited = trio.replace('}', ', "mine": 1}');
      await writeFile(path('config.json'), edited);
      expect(await only()).toMatchObject({
        severity: 'fails',
        file: 'config.json',
        found: expect.stringContaining(`is marked "${mark}"`),
        next: expect.stringContaining(`git update-index --no-${mark} config.json`),
      });
      expect(await readFile(path('config.json'), 'utf8')).toBe(edited);
      expect(git('rev-list', '--count', 'HEAD')).toBe('1');
    },
  );

  it('warns of hooks that will run, also where core.hooksPath has them', async () => {
    await writeFile(path('.git/hooks/pre-commit'), '#!/bin/sh\n', { mode: 0o755 });
    await writeFile(path('.git/hooks/commit-msg'), '#!/bin/sh\n', { mode: 0o644 });
    expect(await only()).toMatchObject({
      severity: 'warning',
      found: 'a hook will run for the commit ("pre-commit") and may refuse it',
    });
    await mkdir(path('.git/own'));
    await writeFile(path('.git/own/commit-msg'), '#!/bin/sh\n', { mode: 0o755 });
    git('config', 'core.hooksPath', '.git/own');
    expect((await only()).found).toContain('("commit-msg")');
    expect((await only({ git: path('jobs'), files: ['train.yml'] })).found).toContain('("commit-msg")');
    expect((await look({ files: ['config.json'] })).findings).toHaveLength(1);
  });

  it('warns of signed commits, and finds that the program is missing', async () => {
    git('config', 'commit.gpgsign', 'yes');
    git('config', 'gpg.program', path('.git/sign'));
    await writeFile(path('.git/sign'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    expect(await only()).toMatchObject({ severity: 'warning', found: expect.stringContaining('commits are signed') });
    await chmod(path('.git/sign'), 0o644);
    expect((await look()).findings).toMatchObject([
      { severity: 'fails', found: expect.stringContaining(`no program "${path('.git/sign')}"`) },
      { severity: 'warning' },
    ]);
    git('config', 'gpg.format', 'ssh');
    git('config', 'gpg.ssh.program', 'no-such-program');
    expect((await look()).findings[0]?.found).toContain('no program "no-such-program"');
  });

  it('says unreadable of a file that nobody may read', async () => {
    await chmod(path('config.json'), 0o000);
    git('config', 'core.fileMode', 'false');
    if (process.geteuid?.() === 0) expect((await only()).found).toBe('the file is unreadable (mode 0000)');
  });

  it('warns where nothing names the old workspace', async () => {
    await writeFile(path('README.md'), 'none\n');
    await writeFile(path('other.yml'), 'a: b\n');
    git('add', '.');
    git('commit', '--quiet', '-m', 'More');
    expect(await only({ files: ['other.yml'] })).toMatchObject({ severity: 'warning', file: copy });
    expect((await look({ files: ['*.yml', 'config.json'] })).findings).toEqual([]);
  });
});

describe('a look at a remote', () => {
  it('finds nothing where a push would be taken, and pushes nothing', async () => {
    const remote = await makeRemote();
    await writeFile(path('config.json'), `${trio}\n`);
    git('commit', '--quiet', '-am', 'Not pushed yet');
    const tip = () => execFileSync('git', ['-C', remote, 'for-each-ref'], { encoding: 'utf8' });
    const before = tip();
    expect((await look()).findings).toEqual([]);
    expect(tip()).toBe(before);
  });

  it('warns of one that is ahead, one that is gone, and a branch that follows none', async () => {
    const remote = await makeRemote();
    await writeFile(path('config.json'), `${trio}\n`);
    git('commit', '--quiet', '-am', 'Of somebody else');
    git('push', '--quiet');
    git('reset', '--quiet', '--hard', 'HEAD^');
    expect(await only()).toMatchObject({
      severity: 'warning',
      found: expect.stringMatching(/^branch "main" cannot be pushed to "origin": .*(rejected|behind|fetch first)/s),
    });
    await rm(remote, { recursive: true });
    expect((await only()).found).toContain('does not appear to be a git repository');
    git('switch', '--quiet', '-c', 'side');
    expect((await only()).found).toBe('branch "side" follows no branch of a remote');
  });

  it('warns of one that does not answer, and leaves no process', async () => {
    await makeRemote();
    const marker = `300.${process.pid}`;
    git('remote', 'set-url', 'origin', 'ssh://nobody@localhost/x');
    git('config', 'core.sshCommand', `sleep ${marker}; :`);
    expect((await only()).found).toContain('no answer within 3s');
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(processes).not.toContain(`sleep ${marker}`);
  });
});
