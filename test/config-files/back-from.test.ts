/** The way back: files that are still as an earlier run wrote them get their original content, the others do not. */
import { readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConfigRequest, ConfigUndo, EarlierRun, TargetFiles } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs, undoBegunConfigs, undoConfigs } from '../../src/config-files/targets.ts';
import type { WorkspaceMapping } from '../../src/config-files/mapping.ts';
import { armId, mapping as there } from './mapping.ts';
import { rewrite } from './rewriting.ts';
import { dieAt, makeRepository, type Repository } from './repository.ts';

const turned = (pairs: readonly { from: string; to: string }[] = []) =>
  pairs.map(({ from, to }) => ({ from: to, to: from }));
/** Two computes became one: which of them a file named is not known any more. */
const toWest: WorkspaceMapping = { ...there, compute: { 'gpu-east': 'gpu-west', 'big-gpu-east': 'gpu-west' } };
const toEast: WorkspaceMapping = {
  ...there,
  from: there.to,
  to: there.from,
  compute: {},
  urls: turned(there.urls),
  resources: turned(there.resources),
  workspaceId: { from: there.workspaceId?.to ?? '', to: there.workspaceId?.from ?? '' },
};

/** Names the old workspace in letters of its own, and the new one too. */
const dotEnv = `API_KEY=canary-1\nSCOPE=${armId('east').toUpperCase()}\nSCORE=https://FRAUD.eastus.inference.ml.azure.com/score\nOTHER=${armId('west')}\n`;
const job = 'compute: azureml:big-gpu-east # here\n';
const originals = { 'a.env': dotEnv, 'job.yml': job };

let repository: Repository;
beforeEach(async () => {
  repository = await makeRepository({ ...originals, 'plain.yml': 'a: b\n' });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await repository.remove();
});

const contents = async () => [await repository.read('a.env'), await repository.read('job.yml')];

/** Saves a person's change, as the target wants it. */
async function save(name: string, content: string): Promise<void> {
  await repository.write(name, content);
  repository.git('add', name);
  repository.git('commit', '--quiet', '--allow-empty', '-m', 'Mine', '--', name);
}

describe.each(['files on a host', 'a Git working copy'])('%s', (kind) => {
  const isGit = kind === 'a Git working copy';
  const target = (): TargetFiles =>
    isGit
      ? { host: 'train-01', git: repository.folder, files: ['*.env', '*.yml'] }
      : { host: 'train-01', file: ['a.env', 'job.yml', 'plain.yml'].map((name) => repository.path(name)) };
  let earlier: EarlierRun;
  let west: string[];

  beforeEach(async () => {
    const { undo } = await applyConfigs({ target: target(), mapping: toWest, runId: 'move' });
    earlier = { runId: 'move', undos: [structuredClone(undo)] };
    west = await contents();
  });

  const back = (over: Partial<ConfigRequest> = {}): ConfigRequest => ({
    target: target(),
    mapping: toEast,
    runId: 'back',
    stepId: 'switch/platform/configs-1',
    backFrom: earlier,
    ...over,
  });

  async function go(over: Partial<ConfigRequest> = {}) {
    const seen = await lookAtConfigs(back(over));
    const outcome = await applyConfigs(back(over));
    expect(outcome.files).toEqual(seen.files);
    const told = outcome.files.map(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`));
    return { outcome, told, seen };
  }

  it('have their original bytes again, which no rewriting would give, and a cancel takes them away', async () => {
    expect(west.map((content, at) => rewrite(['a.env', 'job.yml'][at] ?? '', content, toEast).content)).not.toEqual([
      dotEnv,
      job,
    ]);
    const { outcome, told, seen } = await go();
    expect(told).toEqual(['restored', 'restored', 'unchanged']);
    expect(await contents()).toEqual([dotEnv, job]);
    expect(seen.findings.filter(({ file }) => file.endsWith('.env'))).toEqual([]);
    expect(outcome.files[0]?.changes.map(({ place, line }) => [place, line])).toEqual([
      ['SCOPE', 2],
      ['SCORE', 3],
    ]);
    expect(outcome.files[1]?.changes).toEqual([
      { place: 'compute', line: 1, from: 'azureml:gpu-west', to: 'azureml:big-gpu-east' },
    ]);
    expect(outcome.files[1]?.diff).toContain('+compute: azureml:big-gpu-east # here');
    expect(JSON.stringify(outcome)).not.toContain('canary');
    expect(await applyConfigs(back())).toEqual(outcome);
    const undone = await undoConfigs(structuredClone(outcome.undo));
    expect(undone.files.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(await contents()).toEqual(west);
  });

  it('keep an edit, in which only the references go back', async () => {
    await save('a.env', `${west[0]}MINE=1\n`);
    const { outcome, told, seen } = await go();
    expect(told).toEqual(['changed: edited after run move', 'restored', 'unchanged']);
    expect(await contents()).toEqual([rewrite('a.env', `${west[0]}MINE=1\n`, toEast).content, job]);
    expect(await repository.read('a.env')).toContain('MINE=1');
    expect(seen.findings).toContainEqual(expect.objectContaining({ found: 'edited after run move' }));
    await undoConfigs(outcome.undo);
    expect(await contents()).toEqual([`${west[0]}MINE=1\n`, west[1]]);
  });

  it('stay as they are where a person has put the original back', async () => {
    await save('a.env', dotEnv);
    expect((await go()).told).toEqual(['unchanged', 'restored', 'unchanged']);
    expect(await contents()).toEqual([dotEnv, job]);
  });

  it('are rewritten as any other where the run did not write them', async () => {
    const { undos } = earlier;
    earlier = { runId: 'move', undos: [] };
    expect((await go()).told).toEqual(['changed', 'unchanged', 'unchanged']);
    await undoConfigs((await applyConfigs(back())).undo);
    earlier = { runId: 'move', undos };
    await save('later.env', `SCOPE=${armId('west')}\n`);
    const more = isGit
      ? target()
      : { host: 'train-01', file: ['a.env', 'later.env'].map((name) => repository.path(name)) };
    const { outcome } = await go({ runId: 'back-2', target: more });
    expect(outcome.files.find(({ file }) => file.endsWith('later.env'))).toMatchObject({ status: 'changed' });
    expect(await repository.read('later.env')).toBe(`SCOPE=${armId('east')}\n`);
    expect(await repository.read('a.env')).toBe(dotEnv);
  });

  it('are found by another path too', async () => {
    const link = `${repository.folder}-link`;
    await symlink(repository.folder, link);
    const linked: TargetFiles = isGit
      ? { host: 'train-01', git: link, files: ['job.yml'] }
      : { host: 'train-01', file: `${link}/job.yml` };
    expect((await go({ target: linked })).told).toEqual(['restored']);
    expect(await repository.read('job.yml')).toBe(job);
    expect((await applyConfigs(back({ target: linked }))).files).toMatchObject([{ status: 'restored' }]);
  });

  it.each([
    ['checked', 1],
    [isGit ? 'staged' : 'backed-up', 1],
    ['written', 1],
    ['written', 2],
    ...(isGit ? ([['committed', 1]] as const) : []),
  ] as const)('finish after a kill at %s %i, or are as before it after a cancel', async (moment, nth) => {
    const { files } = await lookAtConfigs(back());
    const { backFrom: _, ...cancelled } = back({ runId: 'cancelled' });
    const begun = { ...back({ runId: 'cancelled' }), observe: dieAt(moment, nth) };
    await expect(applyConfigs(begun)).rejects.toThrow('killed');
    await undoBegunConfigs({ ...cancelled, backFrom: earlier, mapping: () => Promise.resolve(toEast) });
    expect(await contents()).toEqual(west);
    await expect(applyConfigs(back({ observe: dieAt(moment, nth) }))).rejects.toThrow('killed');
    const outcome = await applyConfigs(back());
    expect(outcome.files).toEqual(files);
    expect(await contents()).toEqual([dotEnv, job]);
    await undoConfigs(outcome.undo);
    expect(await contents()).toEqual(west);
  });

  it('go there, back, there again and back again, each way by the run that left', async () => {
    const first = await applyConfigs(back());
    await save('job.yml', `${job}# mine\n`);
    const again = await applyConfigs({
      target: target(),
      mapping: toWest,
      runId: 'again',
      backFrom: { runId: 'back', undos: [first.undo] },
    });
    expect(again.files.map(({ status }) => status)).toEqual(['restored', 'changed', 'unchanged']);
    expect(await contents()).toEqual([west[0], `${west[1]}# mine\n`]);
    earlier = { runId: 'again', undos: [again.undo] };
    expect((await go({ runId: 'back-2' })).told).toEqual(['restored', 'restored', 'unchanged']);
    expect(await contents()).toEqual([dotEnv, `${job}# mine\n`]);
  });

  it('are rewritten as any other where the original is gone or damaged, and say so', async () => {
    const [undo] = earlier.undos;
    if (undo?.kind === 'git') earlier = { runId: 'move', undos: [{ ...undo, commit: '0'.repeat(40) }] };
    const backups = undo?.kind === 'files' ? undo.files.map(({ backup }) => backup) : [];
    if (backups[0] !== undefined) await writeFile(backups[0], 'other');
    if (backups[1] !== undefined) await rm(backups[1]);
    const { told } = await go();
    expect(told).toEqual(
      isGit
        ? [
            'changed: commit 000000000000 of run move is gone',
            'unchanged: commit 000000000000 of run move is gone',
            'unchanged',
          ]
        : [
            expect.stringMatching(/^changed: its backup ".*" is damaged \(another digest\)$/),
            expect.stringMatching(/^unchanged: its backup ".*" is gone$/),
            'unchanged',
          ],
    );
    expect(await contents()).toEqual([rewrite('a.env', west[0] ?? '', toEast).content, west[1]]);
  });
});

describe('a commit of the earlier run', () => {
  const target = () => ({ host: 'train-01', git: repository.folder, files: ['job.yml'] });
  const move = async (): Promise<ConfigUndo> =>
    (await applyConfigs({ target: target(), mapping: toWest, runId: 'move' })).undo;
  const back = (undo: ConfigUndo) =>
    applyConfigs({ target: target(), mapping: toEast, runId: 'back', backFrom: { runId: 'move', undos: [undo] } });

  it('that a person amended is an edit, and stays', async () => {
    const undo = await move();
    await repository.write('job.yml', 'compute: azureml:gpu-west # mine\n');
    repository.git('commit', '--quiet', '-a', '--amend', '--no-edit');
    expect((await back(undo)).files).toMatchObject([{ status: 'unchanged', reason: 'edited after run move' }]);
    expect(await repository.read('job.yml')).toBe('compute: azureml:gpu-west # mine\n');
  });

  it.each(['\n', '\r\n'])('gives the original with the line endings that the file has: %j', async (end) => {
    await save('.gitattributes', '*.yml text eol=crlf\n');
    await repository.write('job.yml', job.replace('\n', end));
    repository.git('add', '.');
    const undo = await move();
    expect((await back(undo)).files).toMatchObject([{ status: 'restored' }]);
    expect(await repository.read('job.yml')).toBe(job.replace('\n', end));
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(await readdir(repository.folder)).not.toContain('.understudy-backup');
  });
});

it('finds what the run wrote by its path, although the topology names a Git working copy there by now', async () => {
  const file: TargetFiles = { host: 'train-01', file: repository.path('job.yml') };
  const { undo } = await applyConfigs({ target: file, mapping: toWest, runId: 'move' });
  repository.git('commit', '--quiet', '-a', '-m', 'Moved');
  const target = { host: 'train-01', git: repository.folder, files: ['*.yml'] };
  const backFrom = { runId: 'move', undos: [undo] };
  const { files } = await applyConfigs({ target, mapping: toEast, runId: 'back', backFrom });
  expect(files).toMatchObject([{ file: 'job.yml', status: 'restored' }, { status: 'unchanged' }]);
  expect(await repository.read('job.yml')).toBe(job);
});
