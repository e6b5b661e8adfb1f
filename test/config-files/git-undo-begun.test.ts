/** An undo of a rewriting that was begun: it finds what was done, and never does it. */
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/config-files/error.ts';
import type { ConfigRequest, ConfigUndoOutcome } from '../../src/config-files/outcome.ts';
import { applyConfigs, undoBegunConfigs, undoConfigs } from '../../src/config-files/targets.ts';
import { mapping } from './mapping.ts';
import { dieAt, makeRepository, type Repository } from './repository.ts';

const east = 'compute: azureml:gpu-east\n';
const west = 'compute: azureml:gpu-west\n';
let repository: Repository;
let request: ConfigRequest;

beforeEach(async () => {
  repository = await makeRepository({ 'a.yml': east, 'b.yml': east });
  request = {
    target: { host: 'train-01', git: repository.folder, files: ['*.yml'] },
    mapping,
    runId: 'run-1',
    stepId: 'switch/platform/configs-1',
  };
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await repository.remove();
});

function undo(): Promise<ConfigUndoOutcome> {
  return undoBegunConfigs({ ...request, mapping: () => Promise.resolve(mapping) });
}

/** As `undo`, where the control store and Azure cannot be reached. */
const undoWithoutMapping = () =>
  undoBegunConfigs({ ...request, mapping: () => Promise.reject(new Error('not reached')) });

async function refuse(): Promise<ConfigError> {
  const error: unknown = await applyConfigs(request).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  return error;
}

describe('an undo of a rewriting that was begun', () => {
  it('has nothing to do after a hook refused, while it still refuses and once it is gone', async () => {
    await repository.hook('pre-commit', 'echo "no:" >&2; echo >&2; echo "never;" >&2; exit 1');
    const before = repository.state();
    const error = await refuse();
    expect(error.diagnosis.found).toBe(
      'a hook ("pre-commit") may have refused the commit: "git commit" failed with exit code 1: no:; never',
    );
    expect(repository.state()).toBe(before);
    expect(await undoWithoutMapping()).toEqual({ files: [] });
    await rm(repository.path('.git/hooks/pre-commit'));
    expect(await undoWithoutMapping()).toEqual({ files: [] });
    expect(repository.state()).toBe(before);
    expect(repository.commits()).toBe(1);
  });

  it.each([
    ['checked', 1, []],
    ['written', 1, ['restored']],
    ['written', 2, ['restored', 'restored']],
    ['staged', 1, ['restored', 'restored']],
  ] as const)('restores what was written and makes no commit, after a kill at %s %i', async (kind, nth, statuses) => {
    const before = repository.state();
    await expect(applyConfigs({ ...request, observe: dieAt(kind, nth) })).rejects.toThrow('killed');
    expect((await undo()).files.map(({ status }) => status)).toEqual(statuses);
    expect(repository.state()).toBe(before);
    expect(await undo()).toEqual({ files: [] });
    expect(repository.commits()).toBe(1);
  });

  it('reverts a commit that was made but not recorded, once', async () => {
    await expect(applyConfigs({ ...request, observe: dieAt('committed') })).rejects.toThrow('killed');
    expect((await undoWithoutMapping()).files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(await repository.read('a.yml')).toBe(east);
    expect(await undoWithoutMapping()).toEqual({ files: [] });
    expect(repository.commits()).toBe(3);
  });

  it('names the branch that has the commit, if another is checked out', async () => {
    await expect(applyConfigs({ ...request, observe: dieAt('committed') })).rejects.toThrow('killed');
    repository.git('switch', '--quiet', '-c', 'side', 'HEAD^');
    expect((await undo()).files).toMatchObject([
      { status: 'failed', reason: expect.stringContaining('expected "main"') },
    ]);
  });

  it('leaves changes of a person, and names a file that has both', async () => {
    await expect(applyConfigs({ ...request, observe: dieAt('written') })).rejects.toThrow('killed');
    await writeFile(repository.path('b.yml'), `${east}name: mine\n`);
    expect((await undo()).files).toEqual([{ file: 'a.yml', status: 'restored' }]);
    expect(await repository.read('b.yml')).toBe(`${east}name: mine\n`);
    await writeFile(repository.path('a.yml'), `${west}# fraud-west, mine\n`);
    expect((await undo()).files).toMatchObject([{ file: 'a.yml', status: 'changed-since' }]);
    expect(await repository.read('a.yml')).toBe(`${west}# fraud-west, mine\n`);
  });

  it('waits for the Git of a killed worker, which commits later', async () => {
    await repository.hook('pre-commit', 'sleep 3');
    await expect(applyConfigs({ ...request, observe: dieAt('staged') })).rejects.toThrow('killed');
    const late = ['commit', '-q', '-m', 'Late', '-m', 'Understudy-Run: run-1\nUnderstudy-Files: ["*.yml"]'];
    const child = spawn('git', ['-C', repository.folder, ...late, '--only', 'a.yml', 'b.yml']);
    await vi.waitFor(() => repository.read('.git/index.lock'), { interval: 20 });
    const undone = undo();
    await new Promise((resolve) => child.once('close', resolve));
    expect((await undone).files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(await repository.read('a.yml')).toBe(east);
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(repository.commits()).toBe(3);
  }, 30_000);
});

describe('a refused commit', () => {
  it('leaves nothing of what a hook wrote into the files', async () => {
    await repository.hook('pre-commit', 'echo "# formatted" >> a.yml; exit 1');
    const before = repository.state();
    await refuse();
    expect(repository.state()).toBe(before);
  });

  it('leaves the commit in place, if it is the undo', async () => {
    const { undo: kept } = await applyConfigs(request);
    await repository.hook('commit-msg', 'exit 1');
    const before = repository.state();
    const { files } = await undoConfigs(kept);
    expect(files[0]).toMatchObject({ status: 'failed', reason: expect.stringContaining('a hook ("commit-msg")') });
    expect(repository.state()).toBe(before);
    await rm(repository.path('.git/hooks/commit-msg'));
    expect((await undoConfigs(kept)).files.map(({ status }) => status)).toEqual(['restored', 'restored']);
  });
});

describe('line endings that differ from a checkout', () => {
  it.each(['\n', '\r\n'])('are kept through a rewriting, a kill and an undo: %j', async (end) => {
    await repository.write('.gitattributes', '*.yml text eol=crlf\n');
    repository.git('add', '.');
    repository.git('commit', '--quiet', '-m', 'CRLF');
    for (const name of ['a.yml', 'b.yml']) await repository.write(name, east.replace('\n', end));
    repository.git('add', '.');
    expect(repository.git('status', '--porcelain')).toBe('');
    await expect(applyConfigs({ ...request, observe: dieAt('staged') })).rejects.toThrow('killed');
    const { undo: kept } = await applyConfigs(request);
    expect(await repository.read('a.yml')).toBe(west.replace('\n', end));
    expect((await undoConfigs(kept)).files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(await repository.read('a.yml')).toBe(east.replace('\n', end));
    expect(repository.git('status', '--porcelain')).toBe('');
  });
});
