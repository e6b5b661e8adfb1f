/** Config files of a host, rewritten by the mapping of a recovery point, and put back however far the work came. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { putConfigsBack, rewriteConfigs } from '../../src/switch/rewrite-configs.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { seal } from '../recovery-point/sealed.ts';
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

  it.each(['checked', 'backed-up', 'written'])(
    'are put back by a run that is cancelled when they are %s',
    async (moment) => {
      const before = await contents();
      const cancelled = await contextOf({
        checkpoint: ({ unit }) => (unit.endsWith(moment) ? Promise.reject(new Error('cancelled')) : Promise.resolve()),
      });
      await expect(rewriteConfigs(cancelled)).rejects.toThrow('cancelled');
      const context = await contextOf();
      const kept = await context.recordUndo(() => undefined);
      expect(kept).toEqual({ kind: 'begun' });
      expect(await putConfigsBack(context, kept)).toBe('1 config files put back');
      expect(await contents()).toBe(before);
      expect(await putConfigsBack(context, kept)).toBe('1 config files put back');
      expect(await contents()).toBe(before);
    },
  );

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
