/** A run goes on from its journal: on a Temporal that knows nothing of it, and after what stopped it is repaired. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import {
  gitLog,
  journals,
  judgeMoved,
  judgeTraffic,
  originalClients,
  readControlStore,
  readEast,
  type Journal,
} from './judge.ts';
import type { Workspace } from './workspaces.ts';

let scene: Scene;
let before: Workspace;

beforeEach(async () => {
  scene = await Scene.open({ workers: ['host'] });
  before = await readEast(scene.azure);
  await scene.outage('eastus', 'dark');
});
afterEach(() => scene?.close());

async function journal(): Promise<Journal> {
  const [found] = journals(await readControlStore(scene), 'failover');
  if (!found) throw new Error('there is no run in the journal');
  return found;
}

describe('retry', () => {
  it('goes on where a run was when Temporal and all it knew were lost', async () => {
    const worker = await scene.worker();
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'and then Temporal, too']);
    await scene.step('verify/');
    await Promise.all([worker.kill('SIGKILL'), failover.kill('SIGKILL')]);
    await scene.restartStack({ temporal: 'lost' });
    const { run, steps } = await journal();
    const done = [...steps.values()].filter(({ state }) => state === 'completed' || state === 'skipped');
    expect(done.length).toBeGreaterThan(10);

    const listed = await scene.run(['runs', '--journal']);
    expect(listed.output).toContain(run.runId);
    const second = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'did it ever run?']);
    expect(second.code).toBe(1);
    expect(second.output).toContain(`retry ${run.runId}`);
    await scene.worker();
    const resumed = await scene.run(['retry', run.runId]);
    expect(resumed.code, resumed.output).toBe(0);
    await scene.outage('eastus', 'none');
    const after = await judgeMoved(scene, before);
    // To the byte as they were: none of them ran again.
    for (const record of done) expect(after.journal.steps.get(record.step)).toEqual(record);
    const again = await scene.run(['retry', run.runId]);
    expect(again.code).toBe(1);
    expect(again.output).toContain('is completed: there is nothing to retry');
  });

  it('completes a run once the config files that failed it are correct', async () => {
    await scene.worker();
    const ready = await scene.run(['plan']);
    expect(ready.output.match(/^ {2}ready +train-01: /gm), ready.output).toHaveLength(3);
    const original = await originalClients(scene);
    const cut = (original['config.json'] ?? '').slice(0, 40);
    const broken = `${original['training-repo/jobs/pipeline.yml'] ?? ''}  what: [is, this\n`;
    await rm(join(scene.clients, 'train-01', '.env'));
    await writeFile(join(scene.clients, 'config.json'), cut);
    await writeFile(join(scene.clients, 'training-repo', 'jobs', 'pipeline.yml'), broken);

    const failover = await scene.run([
      'failover',
      '--to',
      'westus3',
      '--yes',
      '--reason',
      'with files that cannot be rewritten',
    ]);
    expect(failover.code).toBe(1);
    // It was known before, and kept nobody from moving.
    for (const target of ['train-01/.env', 'clients/config.json', 'training-repo'])
      expect(failover.output).toMatch(new RegExp(`^ {2}FAILS +train-01: .*${target}: `, 'm'));
    const { run, steps } = await journal();
    expect(run.state).toBe('failed');
    for (const [step, file] of [
      ['switch/platform/configs-1', 'train-01/.env'],
      ['switch/platform/configs-2', 'config.json'],
      ['switch/platform/configs-3', 'jobs/pipeline.yml'],
    ] as const) {
      const record = steps.get(step);
      expect(record, step).toMatchObject({ state: 'failed', error: { code: 'ConfigError' } });
      expect(record?.error?.message, step).toContain(file);
      expect(failover.output, step).toContain(file);
    }
    expect(failover.output).toContain(`retry ${run.runId}`);
    // Nothing is half written, and clients reach the standby all the same.
    await judgeTraffic(scene, 'westus3');
    expect(await readFile(join(scene.clients, 'config.json'), 'utf8')).toBe(cut);
    const repository = join(scene.clients, 'training-repo');
    expect(await readFile(join(repository, 'jobs', 'pipeline.yml'), 'utf8')).toBe(broken);
    for (const file of ['config.json', 'jobs/train.yml'])
      expect(await readFile(join(repository, file), 'utf8'), file).toBe(original[`training-repo/${file}`]);

    for (const file of ['train-01/.env', 'config.json', 'training-repo/jobs/pipeline.yml'])
      await writeFile(join(scene.clients, file), original[file] ?? '');
    expect(gitLog(scene)).toHaveLength(1);
    const resumed = await scene.run(['retry', run.runId]);
    expect(resumed.code, resumed.output).toBe(0);
    await scene.outage('eastus', 'none');
    await judgeMoved(scene, before);
  });
});
