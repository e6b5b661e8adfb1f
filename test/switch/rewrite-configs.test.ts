/** Config files of a host, rewritten by the mapping of a recovery point, and put back however far the work came. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import type { Step } from '../../src/plan/plan.ts';
import { openRun, recordStep } from '../../src/run/journal.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { putConfigsBack, rewriteConfigs } from '../../src/switch/rewrite-configs.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { seal } from '../recovery-point/sealed.ts';
import { makeRepository, type Repository } from '../config-files/repository.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

const id = 'switch/platform/configs-1';
const account =
  '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml-west/providers/Microsoft.Storage/storageAccounts/west';
let folder: string;
let file: string;
let stage: Stage;

const contents = () => readFile(file, 'utf8');
const named = (workspace: { subscriptionId: string; resourceGroup: string; name: string }) =>
  JSON.stringify({
    subscription_id: workspace.subscriptionId,
    resource_group: workspace.resourceGroup,
    workspace_name: workspace.name,
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-configs-'));
  file = join(folder, 'config.json');
  stage = await makeStage(`configs: [{ host: train-01, file: ${file} }]\n`);
  const { from, to } = stage.context(id);
  await writeFile(file, named(from.workspace));
  stage.arm.add(workspaceId(to.workspace), { properties: { storageAccount: account } });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function contextOf(change: Partial<StepContext> = {}): Promise<StepContext> {
  const base = stage.context(id);
  const startedAt = '2026-11-21T10:00:00.000Z';
  const { id: recoveryPoint, digest } = await seal(stage.scene.store, startedAt, {
    jobs: [],
    change: (content) => ({
      ...content,
      workspace: { ...content.workspace, ...base.from.workspace, guid: '' },
    }),
  });
  const ref = { id: recoveryPoint, digest, startedAt };
  const blobAccount = () => Promise.resolve({ endpoint: 'https://west.blob.core.windows.net/' });
  return {
    ...base,
    plan: { ...base.plan, recoveryPoint: ref },
    step: { ...base.step, input: { target: 0 } },
    azure: { arm: stage.arm, blobAccount } as unknown as Azure,
    ...change,
  };
}

describe('config files in Git', () => {
  let copy: Repository;

  beforeEach(async () => {
    copy = await makeRepository({ 'config.json': await contents() });
    stage = await makeStage(`configs: [{ host: train-01, git: ${copy.folder}, files: ["*.json"] }]\n`);
    stage.arm.add(workspaceId(stage.context(id).to.workspace), { properties: { storageAccount: account } });
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await copy.remove();
  });

  it('are named with their repository in the evidence, and by their step in the commit', async () => {
    const context = await contextOf();
    const { evidence = [], undo } = await rewriteConfigs(context);
    const [kept] = evidence;
    const items = await stage.scene.store.open(kept?.blob.replace(/\/[^/]*$/, '') ?? '', kept?.digest ?? '');
    expect(items).toMatchObject([{ host: 'train-01', file: copy.path('config.json'), status: 'changed' }]);
    expect(copy.git('log', '-1', '--format=%(trailers:key=Understudy-Step,valueonly)')).toBe(id);
    expect(await putConfigsBack(context, undo)).toBe('1 config files put back');
  });

  it('need no undo after a hook refused, and get no commit by it', async () => {
    await copy.hook('pre-commit', 'exit 1');
    const before = copy.state();
    const context = await contextOf();
    await expect(rewriteConfigs(context)).rejects.toMatchObject({
      message: expect.stringContaining('a hook ("pre-commit") may have refused'),
      details: { next: expect.stringMatching(/^What was written is put back\. /) },
    });
    expect(await context.recordUndo(() => undefined)).toEqual({ kind: 'begun' });
    await rm(copy.path('.git/hooks/pre-commit'));
    expect(await putConfigsBack(context, { kind: 'begun' })).toBe('no config file was changed: nothing to put back');
    expect(copy.state()).toBe(before);
  });
});

describe('config files', () => {
  it('name the standby, and are put back', async () => {
    const before = await contents();
    const context = await contextOf();
    const { detail, undo } = await rewriteConfigs(context);
    expect(detail).toBe('1 of 1 config files rewritten on train-01');
    expect(await contents()).toBe(before.replace('ml-east', 'ml-west').replace('fraud-east', 'fraud-west'));
    expect(await putConfigsBack(context, undo)).toBe('1 config files put back');
    expect(await contents()).toBe(before);
  });

  it.each([
    ['checked', 'no config file was changed: nothing to put back'],
    ['backed-up', '1 config files put back'],
    ['written', '1 config files put back'],
  ])('are put back by a run that is cancelled when they are %s', async (moment, detail) => {
    const before = await contents();
    const cancelled = await contextOf({
      checkpoint: ({ unit }) => (unit.endsWith(moment) ? Promise.reject(new Error('cancelled')) : Promise.resolve()),
    });
    await expect(rewriteConfigs(cancelled)).rejects.toThrow('cancelled');
    const context = await contextOf();
    const kept = await context.recordUndo(() => undefined);
    expect(kept).toEqual({ kind: 'begun' });
    expect(await putConfigsBack(context, kept)).toBe(detail);
    expect(await contents()).toBe(before);
    expect(await putConfigsBack(context, kept)).toBe(detail);
    expect(await contents()).toBe(before);
  });

  it('that somebody wrote meanwhile are not touched by an undo', async () => {
    const context = await contextOf({
      checkpoint: ({ unit }) =>
        unit.endsWith('backed-up') ? Promise.reject(new Error('cancelled')) : Promise.resolve(),
    });
    await expect(rewriteConfigs(context)).rejects.toThrow('cancelled');
    const mine = (await contents()).replace('}', ', "mine": 1}');
    await writeFile(file, mine);
    const later = await contextOf();
    expect(await putConfigsBack(later, { kind: 'begun' })).toBe('no config file was changed: nothing to put back');
    expect(await contents()).toBe(mine);
    await writeFile(file, mine.replace('ml-east', 'ml-west').replace('fraud-east', 'fraud-west'));
    await expect(putConfigsBack(later, { kind: 'begun' })).rejects.toThrow(`${file}: changed-since`);
  });

  it('that are read-only fail the step, and are not skipped', async () => {
    await chmod(file, 0o444);
    const before = await contents();
    const context = await contextOf();
    await expect(rewriteConfigs(context)).rejects.toMatchObject({
      code: 'ConfigError',
      message: expect.stringMatching(/config\.json": the file is read-only \(mode 0444\); expected /),
      details: {
        place: file,
        next:
          'Nothing was written. Let its owner write it ("chmod u+w"). ' +
          `Then "understudy retry ${context.run.runId}".`,
      },
    });
    expect(await contents()).toBe(before);
  });

  it('that are malformed are not touched, and there is nothing to put back', async () => {
    await writeFile(file, '{');
    const before = await contents();
    const context = await contextOf();
    await expect(rewriteConfigs(context)).rejects.toMatchObject({
      code: 'ConfigError',
      details: { next: expect.stringMatching(/^Nothing was written\./) },
    });
    expect(await contents()).toBe(before);
    expect(await context.recordUndo(() => 'nothing')).toBe('nothing');
  });
});

describe('config files on the way back', () => {
  /** The run that left the region, with the record of its rewriting on a host. */
  async function move(host: string, more: Partial<StepRecord> = {}): Promise<string> {
    const { store, header } = stage.scene;
    const context = await contextOf({ run: { ...header, runId: 'move' } });
    const { undo } = await rewriteConfigs(context);
    const steps: Step[] = [{ ...context.step, action: 'rewriteConfigs', host }];
    const plan = await plans.seal(store, planFolder, { ...context.plan, steps });
    await openRun(store, { ...header, runId: 'move', plan });
    await recordStep(store, 'move', id, () => ({
      step: id,
      state: 'completed',
      holder: 'wf-1',
      attempts: 1,
      startedAt: stage.scene.clock.now().toISOString(),
      undo,
      ...more,
    }));
    return contents();
  }

  async function backContext(): Promise<StepContext> {
    const { from, to, ...there } = await contextOf();
    const startedAt = '2026-11-21T11:00:00.000Z';
    const { id: recoveryPoint, digest } = await seal(stage.scene.store, startedAt, {
      jobs: [],
      change: (content) => ({ ...content, workspace: { ...content.workspace, ...to.workspace, guid: '' } }),
    });
    stage.arm.add(workspaceId(from.workspace), { properties: { storageAccount: account } });
    const plan = { ...there.plan, recoveryPoint: { id: recoveryPoint, digest, startedAt } };
    return { ...there, plan, from: to, to: from, step: { ...there.step, input: { target: 0, backFrom: 'move' } } };
  }

  let original: string;
  beforeEach(async () => {
    original = (await contents()).replace('fraud-east', 'Fraud-East');
    await writeFile(file, original);
  });

  it('have their original bytes again, which the detail and the evidence say', async () => {
    const moved = await move('train-01');
    const context = await backContext();
    const { detail, counts, evidence, undo } = await rewriteConfigs(context);
    expect(await contents()).toBe(original);
    expect(detail).toBe('1 of 1 config files rewritten on train-01, 1 of them as before run move');
    expect(counts).toMatchObject([{ expected: 1, done: 1, skipped: [] }]);
    expect(await stage.scene.store.readText(evidence?.[0]?.blob ?? '')).toContain('"status":"restored"');
    expect(await putConfigsBack(context, undo)).toBe('1 config files put back');
    expect(await contents()).toBe(moved);
  });

  it('keep what was edited since, and say so', async () => {
    const moved = await move('train-01');
    await writeFile(file, moved.replace('{', '{"mine":1,'));
    const { detail, evidence } = await rewriteConfigs(await backContext());
    expect(await contents()).toBe(original.replace('Fraud-East', 'fraud-east').replace('{', '{"mine":1,'));
    expect(detail).toBe('1 of 1 config files rewritten on train-01, 0 of them as before run move');
    expect(await stage.scene.store.readText(evidence?.[0]?.blob ?? '')).toContain('"reason":"edited after run move"');
  });

  it.each([
    ['is of another host', 'train-02', {}],
    ['says only that it began', 'train-01', { undo: { kind: 'begun' } }],
  ])('are rewritten as any other, if the record %s', async (_, host, more) => {
    await move(host, more);
    await rewriteConfigs(await backContext());
    expect(await contents()).toBe(original.replace('Fraud-East', 'fraud-east'));
  });

  it.each(['runs/move/run.json', 'runs/move/steps/switch.platform.configs-1.json'])(
    'are rewritten as any other, if %s is damaged',
    async (name) => {
      await move('train-01');
      await stage.scene.store.write(name, '{}', 'application/json');
      await rewriteConfigs(await backContext());
      expect(await contents()).toBe(original.replace('Fraud-East', 'fraud-east'));
    },
  );

  it('are rewritten as any other, if there is no such run', async () => {
    await move('train-01');
    const { step, ...context } = await backContext();
    const other = { ...step, input: { target: 0, backFrom: 'other' } };
    const { detail } = await rewriteConfigs({ ...context, step: other });
    expect(detail).toBe('1 of 1 config files rewritten on train-01, 0 of them as before run other');
    expect(await contents()).toBe(original.replace('Fraud-East', 'fraud-east'));
  });

  it('are put back by a run that is cancelled after it wrote them', async () => {
    const moved = await move('train-01');
    const context = await backContext();
    const checkpoint: StepContext['checkpoint'] = ({ unit }) =>
      unit.endsWith('written') ? Promise.reject(new Error('cancelled')) : Promise.resolve();
    await expect(rewriteConfigs({ ...context, checkpoint })).rejects.toThrow('cancelled');
    expect(await contents()).toBe(original);
    expect(await putConfigsBack(context, await context.recordUndo(() => undefined))).toBe('1 config files put back');
    expect(await contents()).toBe(moved);
  });
});
