import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/config-files/error.ts';
import type { ConfigMoment, ConfigRequest, GitTarget, ObserveConfigs } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs, undoConfigs } from '../../src/config-files/targets.ts';
import { eastSubscription, mapping } from './mapping.ts';

const configJson = `{"subscription_id": "${eastSubscription}", "resource_group": "ml-east", "workspace_name": "fraud-east"}\n`;
const job = 'compute: azureml:gpu-east # here\nenvironment_variables: {API_KEY: canary-1}\n';

let folder: string;
const path = (name: string): string => join(folder, name);
const read = (name: string): Promise<string> => readFile(path(name), 'utf8');
const git = (...args: string[]): string => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();
const commits = (): number => Number(git('rev-list', '--count', 'HEAD'));
const state = (): string =>
  `${git('rev-parse', 'HEAD')}\n${git('status', '--porcelain', '--ignored')}\n${git('diff', 'HEAD')}`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-git-'));
  // No configuration of this machine's, and no identity.
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  vi.stubEnv('GIT_AUTHOR_NAME', 'Ann');
  vi.stubEnv('GIT_AUTHOR_EMAIL', 'ann@example.com');
  vi.stubEnv('GIT_COMMITTER_NAME', 'Ann');
  vi.stubEnv('GIT_COMMITTER_EMAIL', 'ann@example.com');
  git('init', '--quiet', '--initial-branch=main');
  await mkdir(path('jobs'));
  await writeFile(path('config.json'), configJson);
  await writeFile(path('jobs/train.yml'), job);
  await writeFile(path('jobs/other.yml'), 'name: gpu-east\n');
  await writeFile(path('README.md'), 'gpu-east\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'Start');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function request(over: Partial<ConfigRequest> = {}, target: Partial<GitTarget> = {}): ConfigRequest {
  return {
    target: { host: 'train-01', git: folder, files: ['config.json', 'jobs/*.yml'], ...target },
    mapping,
    runId: 'failover-1',
    ...over,
  };
}

function dieAt(kind: ConfigMoment['kind'], nth = 1): ObserveConfigs {
  let seen = 0;
  return (moment) => {
    if (moment.kind !== kind) return;
    seen += 1;
    if (seen === nth) throw new Error('killed');
  };
}

async function refusal(over: ConfigRequest): Promise<ConfigError> {
  const before = state();
  const error: unknown = await applyConfigs(over).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  expect(state()).toBe(before);
  expect((await lookAtConfigs(over)).findings).toContainEqual(
    expect.objectContaining({ severity: 'fails', file: error.file, ...error.diagnosis }),
  );
  return error;
}

describe('a Git working copy', () => {
  it('makes one commit of the matching files, and no other', async () => {
    await writeFile(path('README.md'), 'gpu-east, being edited\n');
    await writeFile(path('new.txt'), 'staged by someone\n');
    git('add', 'new.txt');
    const preview = await lookAtConfigs(request());
    const outcome = await applyConfigs(request());
    expect(outcome.files).toEqual(preview.files);
    expect(outcome.files.map(({ file, status }) => [file, status])).toEqual([
      ['config.json', 'changed'],
      ['jobs/other.yml', 'unchanged'],
      ['jobs/train.yml', 'changed'],
    ]);
    expect(outcome.commit).toBe(git('rev-parse', 'HEAD'));
    expect(git('show', '--format=', '--name-only', 'HEAD').split('\n')).toEqual(['config.json', 'jobs/train.yml']);
    expect(git('status', '--porcelain')).toBe('M README.md\nA  new.txt');
    expect(git('log', '-1', '--format=%an <%ae>')).toBe('Ann <ann@example.com>');
    const message = git('log', '-1', '--format=%B');
    expect(message).toContain('from fraud-east to fraud-west');
    expect(git('log', '-1', '--format=%(trailers:key=Understudy-Run,valueonly)')).toBe('failover-1');
    expect(await read('jobs/train.yml')).toBe(job.replace('gpu-east', 'gpu-west'));
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it('answers the same to a second call, and makes no commit for another run', async () => {
    const first = await applyConfigs(request());
    expect(await applyConfigs(request())).toEqual(first);
    const other = await applyConfigs(request({ runId: 'failover-10' }));
    expect(other).toMatchObject({ undo: { kind: 'none' } });
    expect(other.commit).toBeUndefined();
    expect(commits()).toBe(2);
  });

  it('keeps two targets in one working copy apart', async () => {
    const one = await applyConfigs(request({}, { files: ['config.json'] }));
    const two = await applyConfigs(request({}, { files: ['jobs/**'] }));
    expect(commits()).toBe(3);
    expect(one.commit).not.toBe(two.commit);
    expect(await applyConfigs(request({}, { files: ['config.json'] }))).toEqual(one);
  });

  it.each([
    ['checked', 1],
    ['written', 1],
    ['written', 2],
    ['staged', 1],
    ['committed', 1],
  ] as const)('finishes with one commit after it was killed at %s %i', async (kind, nth) => {
    const preview = await lookAtConfigs(request());
    await expect(applyConfigs(request({ observe: dieAt(kind, nth) }))).rejects.toThrow('killed');
    const outcome = await applyConfigs(request());
    expect(outcome.files).toEqual(preview.files);
    expect(commits()).toBe(2);
    expect(git('status', '--porcelain')).toBe('');
    expect(outcome.commit).toBe(git('rev-parse', 'HEAD'));
  });

  it('takes the commit back with another, once, and can do it all again', async () => {
    const { undo, commit } = await applyConfigs(request());
    await writeFile(path('README.md'), 'later\n');
    git('commit', '--quiet', '-am', 'Later');
    const undone = await undoConfigs(structuredClone(undo));
    expect(undone.files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect([await read('config.json'), await read('jobs/train.yml')]).toEqual([configJson, job]);
    expect(git('log', '-1', '--format=%B')).toContain(`Understudy-Undo: ${commit}`);
    const again = await undoConfigs(undo);
    expect(again).toMatchObject({
      commit: undone.commit,
      files: [{ status: 'already-restored' }, { status: 'already-restored' }],
    });
    expect(commits()).toBe(4);
    const redone = await applyConfigs(request());
    expect(redone.commit).toBe(git('rev-parse', 'HEAD'));
    expect(commits()).toBe(5);
  });

  it('takes nothing back when one of the files was changed since', async () => {
    const { undo } = await applyConfigs(request());
    await writeFile(path('jobs/train.yml'), 'compute: x\n');
    const uncommitted = await undoConfigs(undo);
    expect(uncommitted.files.map(({ status }) => status)).toEqual(['changed-since', 'changed-since']);
    expect(uncommitted.files[1]?.reason).toContain('uncommitted');
    git('commit', '--quiet', '-am', 'Mine');
    const before = state();
    expect((await undoConfigs(undo)).files[1]?.reason).toContain('committed again');
    expect(state()).toBe(before);
  });

  it('says so when the branch no longer has the commit, or another is checked out', async () => {
    const { undo } = await applyConfigs(request());
    git('switch', '--quiet', '-c', 'side');
    expect((await undoConfigs(undo)).files[0]).toMatchObject({ status: 'failed' });
    git('switch', '--quiet', 'main');
    git('reset', '--quiet', '--hard', 'HEAD^');
    expect((await undoConfigs(undo)).files[0]).toMatchObject({ status: 'changed-since' });
    expect(commits()).toBe(1);
  });

  it('finishes an undo that was interrupted before its commit', async () => {
    const { undo } = await applyConfigs(request());
    await writeFile(path('config.json'), configJson);
    git('add', 'config.json');
    expect((await undoConfigs(undo)).files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(git('status', '--porcelain')).toBe('');
    expect(await read('jobs/train.yml')).toBe(job);
  });

  it('works in a folder of the repository, with line endings converted on checkout', async () => {
    git('config', 'core.autocrlf', 'true');
    await rm(path('jobs/train.yml'));
    git('checkout', '--quiet', '--', 'jobs/train.yml');
    expect(await read('jobs/train.yml')).toContain('\r\n');
    const inJobs = request({ observe: dieAt('staged') }, { git: path('jobs'), files: ['train.yml'] });
    await expect(applyConfigs(inJobs)).rejects.toThrow('killed');
    const { observe: _, ...rest } = inJobs;
    const outcome = await applyConfigs(rest);
    expect(await read('jobs/train.yml')).toBe(job.replace('gpu-east', 'gpu-west').replaceAll('\n', '\r\n'));
    expect(commits()).toBe(2);
    await undoConfigs(outcome.undo);
    expect(await read('jobs/train.yml')).toBe(job.replaceAll('\n', '\r\n'));
    expect(git('status', '--porcelain')).toBe('');
  });

  it('signs as Understudy where Git knows no one', async () => {
    for (const name of ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL'])
      vi.stubEnv(name, undefined);
    git('config', 'user.useConfigOnly', 'true');
    await applyConfigs(request());
    expect(git('log', '-1', '--format=%an')).toBe('Understudy');
  });

  it('is not led astray by a Git hook around it', async () => {
    vi.stubEnv('GIT_DIR', '/nowhere');
    const outcome = await applyConfigs(request());
    vi.stubEnv('GIT_DIR', undefined);
    expect(outcome.commit).toBe(git('rev-parse', 'HEAD'));
  });
});

describe('a working copy that cannot be rewritten', () => {
  it.each(['staged', 'not staged'])('refuses uncommitted changes, %s, and keeps them', async (how) => {
    await writeFile(path('jobs/other.yml'), 'name: mine\n');
    if (how === 'staged') git('add', '.');
    const error = await refusal(request());
    expect(error).toMatchObject({ file: 'jobs/other.yml' });
    expect(error.reason).toContain('uncommitted');
  });

  it('refuses a change of mode, a missing file and a glob without a match', async () => {
    await chmod(path('config.json'), 0o755);
    expect((await refusal(request())).reason).toContain('uncommitted');
    await rm(path('config.json'));
    expect((await refusal(request())).reason).toContain('does not exist');
    git('checkout', '--quiet', '--', '.');
    expect((await refusal(request({}, { files: ['config.json', 'none/*.yml'] }))).reason).toContain('"none/*.yml"');
  });

  it('refuses a malformed or read-only file, with nothing changed', async () => {
    await writeFile(path('jobs/other.yml'), 'a: b: c\n');
    git('commit', '--quiet', '-am', 'Break');
    expect(await refusal(request())).toMatchObject({ file: 'jobs/other.yml', line: 1 });
    await chmod(path('jobs/train.yml'), 0o444);
    expect((await refusal(request({}, { files: ['config.json', 'jobs/train.yml'] }))).reason).toContain('read-only');
  });

  it('refuses a folder that is no working copy, another branch, no branch, a merge under way', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'understudy-none-'));
    expect((await refusal(request({}, { git: empty }))).reason).toContain('no Git working copy');
    await rm(empty, { recursive: true });
    expect((await refusal(request({}, { git: path('gone') }))).reason).toContain('no Git working copy');
    expect((await refusal(request({}, { branch: 'release' }))).reason).toContain('expected "release"');
    await writeFile(path('.git/MERGE_HEAD'), git('rev-parse', 'HEAD'));
    expect((await refusal(request())).reason).toContain('a merge');
    await rm(path('.git/MERGE_HEAD'));
    git('checkout', '--quiet', '--detach');
    expect((await refusal(request())).reason).toContain('detached');
  });

  it('refuses a symbolic link', async () => {
    await symlink('config.json', path('linked.json'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'Link');
    expect(await refusal(request({}, { files: ['*.json'] }))).toMatchObject({ file: 'linked.json' });
  });

  it('puts all back when a hook refuses the commit, and says what Git said, without its secrets', async () => {
    await writeFile(path('.git/hooks/pre-commit'), '#!/bin/sh\necho "no: API_KEY=canary-2" >&2\nexit 3\n', {
      mode: 0o755,
    });
    const before = state();
    const error: unknown = await applyConfigs(request()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('no: API_KEY=***');
    expect(state()).toBe(before);
    expect(await read('config.json')).toBe(configJson);
  });
});
