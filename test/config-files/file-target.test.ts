import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config-files/error.ts';
import type { ConfigMoment, ConfigRequest, ObserveConfigs } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs, undoConfigs } from '../../src/config-files/targets.ts';
import { armId, eastSubscription, mapping } from './mapping.ts';

const configJson = `{\r\n  "subscription_id": "${eastSubscription}",\r\n  "resource_group": "ml-east",\r\n  "workspace_name": "fraud-east"\r\n}`;
const dotEnv = `API_KEY=canary-1\nSCOPE=${armId('east')}\n`;

let folder: string;
const path = (name: string): string => join(folder, name);
const read = (name: string): Promise<string> => readFile(path(name), 'utf8');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-config-'));
  await writeFile(path('config.json'), configJson);
  await writeFile(path('.env'), dotEnv, { mode: 0o640 });
  await writeFile(path('plain.yml'), 'a: b\n');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function request(files: string[], over: Partial<ConfigRequest> = {}): ConfigRequest {
  return {
    target: { host: 'train-01', file: files.map(path) },
    mapping,
    runId: 'failover-1',
    backupDirectory: path('backups'),
    ...over,
  };
}

const all = ['config.json', '.env', 'plain.yml'];

async function contents(): Promise<string[]> {
  return Promise.all(all.map(read));
}

/** An observer that dies at the given moment, as a killed worker does. */
function dieAt(kind: ConfigMoment['kind'], nth = 1): ObserveConfigs {
  let seen = 0;
  return (moment) => {
    if (moment.kind !== kind) return;
    seen += 1;
    if (seen === nth) throw new Error('killed');
  };
}

async function refusal(over: ConfigRequest): Promise<ConfigError> {
  const before = await contents();
  const error: unknown = await applyConfigs(over).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  expect(await contents()).toEqual(before);
  expect((await lookAtConfigs(over)).findings).toContainEqual(
    expect.objectContaining({ severity: 'fails', file: error.file, ...error.diagnosis }),
  );
  return error;
}

describe('files on a host', () => {
  it('rewrites, says what it did, and takes it back to the byte', async () => {
    const outcome = await applyConfigs(request(all));
    expect(outcome.files.map(({ file, status }) => [file, status])).toEqual([
      [path('config.json'), 'changed'],
      [path('.env'), 'changed'],
      [path('plain.yml'), 'unchanged'],
    ]);
    expect(await read('.env')).toBe(`API_KEY=canary-1\nSCOPE=${armId('west')}\n`);
    expect(outcome.files[0]?.diff).toContain('+  "workspace_name": "fraud-west"');
    expect(JSON.stringify(outcome)).not.toContain('canary');
    expect((await stat(path('.env'))).mode & 0o777).toBe(0o640);
    const undone = await undoConfigs(structuredClone(outcome.undo));
    expect(undone.files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(await contents()).toEqual([configJson, dotEnv, 'a: b\n']);
    expect((await stat(path('.env'))).mode & 0o777).toBe(0o640);
    const again = await undoConfigs(outcome.undo);
    expect(again.files.map(({ status }) => status)).toEqual(['already-restored', 'already-restored']);
  });

  it('answers the same to a second call, and changes nothing for another run', async () => {
    const first = await applyConfigs(request(all));
    const after = await contents();
    expect(await applyConfigs(request(all))).toEqual(first);
    const other = await applyConfigs(request(all, { runId: 'failover-2' }));
    expect(other.files.every(({ status }) => status === 'unchanged')).toBe(true);
    expect(other.undo).toEqual({ kind: 'none' });
    expect(await contents()).toEqual(after);
  });

  it('previews the same changes and writes nothing', async () => {
    const before = await readdir(folder);
    const preview = await lookAtConfigs(request(all));
    expect(await contents()).toEqual([configJson, dotEnv, 'a: b\n']);
    expect(await readdir(folder)).toEqual(before);
    expect((await applyConfigs(request(all))).files).toEqual(preview.files);
  });

  it.each([
    ['checked', 1],
    ['backed-up', 1],
    ['backed-up', 2],
    ['written', 1],
    ['written', 2],
  ] as const)('finishes after it was killed at %s %i, with the true backup', async (kind, nth) => {
    const whole = await applyConfigs(request(all, { backupDirectory: path('other') }));
    await undoConfigs(whole.undo);
    await expect(applyConfigs(request(all, { observe: dieAt(kind, nth) }))).rejects.toThrow('killed');
    const outcome = await applyConfigs(request(all));
    expect(outcome.files).toEqual(whole.files);
    await undoConfigs(outcome.undo);
    expect(await contents()).toEqual([configJson, dotEnv, 'a: b\n']);
  });

  it('keeps backups to their owner, and beside the file by default', async () => {
    const { undo } = await applyConfigs(request(all));
    if (undo.kind !== 'files') throw new Error(`unexpected undo ${undo.kind}`);
    expect((await stat(path('backups'))).mode & 0o777).toBe(0o700);
    for (const { backup } of undo.files) expect((await stat(backup)).mode & 0o777).toBe(0o600);
    await undoConfigs(undo);
    const { backupDirectory: _, ...beside } = request(['.env']);
    await applyConfigs(beside);
    expect(await readdir(path('.understudy-backup'))).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes away the temporary file a killed process left, and no other', async () => {
    // No process has this id: it is above the kernel's limit.
    await writeFile(path('..env.4194999-00ff.understudy.tmp'), 'half');
    await writeFile(path(`..env.${process.ppid}-00ff.understudy.tmp`), 'of a living one');
    await applyConfigs(request(['.env']));
    const left = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
    expect(left).toEqual([`..env.${process.ppid}-00ff.understudy.tmp`]);
  });

  it('follows a symbolic link, keeps it, and rewrites a file with two names once', async () => {
    await symlink('.env', path('linked.env'));
    const outcome = await applyConfigs(request(['linked.env', '.env']));
    expect(outcome.files).toHaveLength(1);
    expect((await lstat(path('linked.env'))).isSymbolicLink()).toBe(true);
    expect(await read('.env')).toContain('fraud-west');
  });

  it('does not restore over what someone wrote since', async () => {
    const { undo } = await applyConfigs(request(all));
    await writeFile(path('.env'), 'MINE=1\n');
    const { files } = await undoConfigs(undo);
    expect(files.map(({ status }) => status)).toEqual(['restored', 'changed-since']);
    expect(await read('.env')).toBe('MINE=1\n');
    await rm(path('config.json'));
    expect((await undoConfigs(undo)).files[0]).toMatchObject({ status: 'failed' });
  });

  it('does not restore from a damaged backup', async () => {
    const { undo } = await applyConfigs(request(['.env']));
    if (undo.kind !== 'files') throw new Error(`unexpected undo ${undo.kind}`);
    await writeFile(undo.files[0]?.backup ?? '', 'other');
    const { files } = await undoConfigs(undo);
    expect(files[0]).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('damaged') as string,
    });
    expect(await read('.env')).toContain('fraud-west');
  });

  it('keeps an edit made after the rewrite when it is run again', async () => {
    await applyConfigs(request(['.env']));
    const edited = `${await read('.env')}MINE=1\n`;
    await writeFile(path('.env'), edited);
    const outcome = await applyConfigs(request(['.env']));
    expect(outcome.files[0]).toMatchObject({ status: 'changed' });
    expect(await read('.env')).toBe(edited);
    await writeFile(path('.env'), `${edited}AGAIN=${armId('east')}\n`);
    expect(await refusal(request(['.env']))).toMatchObject({ line: 4 });
  });
});

describe('files that cannot be rewritten', () => {
  it('changes nothing when one of them is malformed, missing, read-only or a folder', async () => {
    await writeFile(path('bad.json'), '{"a": \n');
    expect(await refusal(request([...all, 'bad.json']))).toMatchObject({ file: path('bad.json'), line: 2 });
    expect((await refusal(request([...all, 'none.json']))).reason).toContain('does not exist');
    await writeFile(path('ro.json'), configJson);
    await chmod(path('ro.json'), 0o444);
    expect((await refusal(request([...all, 'ro.json']))).reason).toContain('read-only (mode 0444)');
    await mkdir(path('folder.json'));
    expect((await refusal(request([...all, 'folder.json']))).reason).toContain('regular file');
    await symlink('nowhere', path('dangling.json'));
    expect((await refusal(request([...all, 'dangling.json']))).reason).toContain('symbolic link');
    await link(path('.env'), path('second.env'));
    expect((await refusal(request(['config.json', 'second.env']))).reason).toContain('hard links');
    expect(await readdir(folder)).not.toContain('backups');
  });

  it('lets a read-only file be that has nothing to change', async () => {
    await chmod(path('plain.yml'), 0o444);
    expect((await applyConfigs(request(all))).files[2]?.status).toBe('unchanged');
  });

  it('needs an absolute path', async () => {
    const target = { host: 'h', file: 'config.json' };
    expect((await refusal({ target, mapping, runId: 'r' })).reason).toContain('absolute');
  });

  it('leaves a file that is written while it is being rewritten', async () => {
    const observe = async (moment: ConfigMoment): Promise<void> => {
      if (moment.kind === 'backed-up') await writeFile(path('.env'), 'MINE=1\n');
    };
    await expect(applyConfigs(request(['.env'], { observe }))).rejects.toThrow(ConfigError);
    expect(await read('.env')).toBe('MINE=1\n');
  });
});
