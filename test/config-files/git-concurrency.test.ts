/** Several targets in one repository at once: each has its own commit, and none disturbs another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConfigOutcome, GitTarget } from '../../src/config-files/outcome.ts';
import { applyConfigs, undoConfigs } from '../../src/config-files/targets.ts';
import { mapping } from './mapping.ts';
import { makeRepository, type Repository } from './repository.ts';

const east = 'compute: azureml:gpu-east\n';
const west = 'compute: azureml:gpu-west\n';
const names = ['a', 'b', 'c', 'd'].map((name) => `${name}/train.yml`);
let repository: Repository;

beforeEach(async () => {
  repository = await makeRepository(Object.fromEntries(names.map((name) => [name, east])));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await repository.remove();
});

function apply(target: Partial<GitTarget>, step: number, runId = 'run-1'): Promise<ConfigOutcome> {
  const whole = { host: 'train-01', git: repository.folder, files: ['**/*.yml'], ...target };
  return applyConfigs({ target: whole, mapping, runId, stepId: `switch/platform/configs-${step}` });
}

const changed = ({ files }: ConfigOutcome) =>
  files.filter(({ status }) => status === 'changed').map(({ file }) => file);

describe('targets in one repository at the same time', () => {
  it('each get a commit of their own, and are each undone, twenty times over', { timeout: 240_000 }, async () => {
    const start = repository.git('rev-parse', 'HEAD');
    for (let round = 1; round <= 20; round += 1) {
      const outcomes = await Promise.all(names.map((name, at) => apply({ files: [name] }, at, `run-${round}`)));
      expect(new Set(outcomes.map(({ commit }) => commit)).size).toBe(4);
      for (const [at, { commit = '' }] of outcomes.entries())
        expect(repository.git('show', '--format=', '--name-only', commit)).toBe(names[at]);
      if (round % 10 === 0) {
        const undone = await Promise.all(outcomes.map(({ undo }) => undoConfigs(undo)));
        expect(undone.flatMap(({ files }) => files.map(({ status }) => status))).toEqual(Array(4).fill('restored'));
        for (const name of names) expect(await repository.read(name)).toBe(east);
        expect(repository.commits()).toBe(9);
      } else expect(repository.commits()).toBe(5);
      expect(repository.git('status', '--porcelain')).toBe('');
      repository.git('reset', '--quiet', '--hard', start);
    }
  });

  it('rewrite a file once, if they are the same, by whatever path', async () => {
    await symlink(repository.folder, join(repository.folder, '../link'));
    const link = join(repository.folder, '../link');
    const outcomes = await Promise.all([apply({}, 1), apply({}, 2), apply({ git: link }, 3), apply({ git: link }, 4)]);
    expect(outcomes.map(changed).filter((files) => files.length > 0)).toEqual([names]);
    expect(outcomes.filter(({ commit }) => commit !== undefined)).toHaveLength(1);
    expect(repository.commits()).toBe(2);
    await Promise.all(outcomes.map(({ undo }) => undoConfigs(undo)));
    expect(await repository.read('a/train.yml')).toBe(east);
    expect(repository.commits()).toBe(3);
  });

  it('that overlap change what is left, and are undone one after the other', async () => {
    const [all, one] = await Promise.all([apply({}, 1), apply({ files: ['a/*.yml'] }, 2)]);
    expect([...changed(all), ...changed(one)].sort()).toEqual(names);
    for (const { undo } of [one, all]) await undoConfigs(undo);
    for (const name of names) expect(await repository.read(name)).toBe(east);
  });

  it('in two folders with the same globs have two commits, whether or not a step is known', async () => {
    for (const step of [1, undefined]) {
      const runId = `run-of-${step}`;
      const outcomes: ConfigOutcome[] = [];
      for (const name of ['a', 'b']) {
        const target = { host: 'train-01', git: repository.path(name), files: ['train.yml'] };
        const stepId = step === undefined ? {} : { stepId: `configs-${name}` };
        outcomes.push(await applyConfigs({ target, mapping, runId, ...stepId }));
      }
      expect(new Set(outcomes.map(({ commit }) => commit)).size).toBe(2);
      expect(await repository.read('b/train.yml')).toBe(west);
      for (const { undo } of outcomes.toReversed()) await undoConfigs(undo);
      expect(await repository.read('b/train.yml')).toBe(east);
    }
  });

  it('report their own commit, not one that is made right after it', async () => {
    await repository.hook(
      'post-commit',
      '[ -e .git/made ] && exit 0; touch .git/made; git commit -q --allow-empty -m More',
    );
    const { commit = '' } = await apply({}, 1);
    expect(repository.git('log', '-1', '--format=%s')).toBe('More');
    expect(repository.git('rev-parse', 'HEAD^')).toBe(commit);
  });

  it('find the commit of release 0.3.0, which names no step', async () => {
    const { commit = '' } = await applyConfigs({
      target: { host: 'train-01', git: repository.folder, files: ['**/*.yml'] },
      mapping,
      runId: 'run-1',
    });
    expect(repository.git('log', '-1', '--format=%B')).not.toContain('Understudy-Step');
    expect((await apply({}, 1)).commit).toBe(commit);
  });
});

describe('another process', () => {
  it('is waited for, and one that was killed leaves no lock', async () => {
    const other = spawn(process.execPath, [join(import.meta.dirname, 'hold-repository.ts'), repository.folder]);
    await once(other.stdout, 'data');
    let waited = 0;
    const target = { host: 'train-01', git: repository.folder, files: ['**/*.yml'] };
    const outcome = await applyConfigs({
      target,
      mapping,
      runId: 'run-1',
      observe: ({ kind }) => {
        if (kind !== 'waiting') return;
        waited += 1;
        expect(repository.commits()).toBe(1);
        other.kill('SIGKILL');
      },
    });
    expect(waited).toBeGreaterThan(0);
    expect(changed(outcome)).toEqual(names);
    expect(repository.git('status', '--porcelain')).toBe('');
  });
});
