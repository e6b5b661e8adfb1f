/**
 * Recorded histories replay: a run that was started by an older worker goes on under this one. A folder per release is
 * kept; that of a release which is not out yet is recorded anew where the workflows are changed on purpose:
 * RECORD_HISTORIES=1 npx node test/run.ts test/workflows/replay.test.ts
 */
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { release as version } from '../../src/release.ts';
import { final, gate, installRuntime, startEngine, step, untilAborted, workflowBundle, type Engine } from './engine.ts';

const histories = join(import.meta.dirname, 'histories');
const recording = process.env.RECORD_HISTORIES === '1';
const stepsOn = (host: string) => [
  step('fence', []),
  step('provision', [], { action: 'scaleComputes' }),
  step('restore', ['fence', 'provision'], { action: 'restoreBlobs', undoable: false }),
  step('verify', ['restore'], { action: 'probePublicAddress', undoable: false }),
  step('configs', ['verify'], { action: 'rewriteConfigs', host }),
  step('switch', ['verify'], { action: 'switchServing' }),
];

const replication = [
  step('debts', [], { action: 'payFenceDebt', undoable: false }),
  step('list', ['debts'], { action: 'listActive', undoable: false }),
  step('copy', ['list'], { action: 'copyBlobs', undoable: false }),
  step('escrow', ['list'], { action: 'escrowSecrets', undoable: false }),
  step('seal', ['copy', 'escrow'], { action: 'sealRecoveryPoint', undoable: false }),
];

/** Each answers the workflow's handle once it has ended. */
const recordings = {
  async completed(engine: Engine) {
    const held = gate();
    const execution = await engine.run({
      steps: stepsOn('train-01'),
      hosts: ['train-01'],
      work: { fence: () => held.opened.then(() => 'done') },
    });
    await vi.waitFor(() => expect(execution.events).toContain('end provision'), { timeout: 10_000 });
    await execution.handle.signal('pause', 'someone');
    held.open();
    await vi.waitFor(() => expect(execution.events).toContain('end fence'), { timeout: 10_000 });
    await execution.handle.signal('unpause');
    await execution.result();
    return execution.handle;
  },
  async failed(engine: Engine) {
    const execution = await engine.run({
      steps: stepsOn('train-02'),
      hosts: ['train-02'],
      work: {
        verify: () => {
          throw final('401');
        },
      },
    });
    await execution.result();
    return execution.handle;
  },
  async cancelled(engine: Engine) {
    const execution = await engine.run({
      steps: stepsOn('train-03'),
      hosts: ['train-03'],
      work: { verify: untilAborted },
    });
    await vi.waitFor(() => expect(execution.events).toContain('start verify'), { timeout: 10_000 });
    await execution.handle.cancel();
    await execution.result();
    return execution.handle;
  },
  async replicated(engine: Engine) {
    const execution = await engine.run({
      operation: 'replicate',
      begun: { deadlineSeconds: 600 },
      steps: replication,
      work: { debts: () => ({ state: 'skipped', detail: 'nothing is owed' }) },
    });
    await execution.result();
    return execution.handle;
  },
  async overdue(engine: Engine) {
    const execution = await engine.run({
      operation: 'replicate',
      begun: { deadlineSeconds: 2 },
      steps: replication,
      work: { copy: untilAborted },
    });
    await execution.result();
    return execution.handle;
  },
};

const files = Object.keys(recordings).map((name) => `${name}.json`);
const releases = [...new Set([...(recording ? [version] : []), ...readdirSync(histories)])].toSorted();
const recorded = releases.flatMap((release) =>
  (recording && release === version ? files : readdirSync(join(histories, release))).map((file) => join(release, file)),
);

async function record(): Promise<void> {
  const engine = await startEngine();
  try {
    await mkdir(join(histories, version), { recursive: true });
    for (const [name, run] of Object.entries(recordings)) {
      const history = historyToJSON(await (await run(engine)).fetchHistory());
      // Who recorded it, and on which machine, is nobody's business.
      const told = history
        .replaceAll(/\d+@[\w.-]+/g, 'worker')
        .replaceAll(`${join(import.meta.dirname, '..', '..')}/`, '');
      await writeFile(join(histories, version, `${name}.json`), `${told}\n`);
    }
  } finally {
    await engine.close();
  }
}

let bundle: Awaited<ReturnType<typeof workflowBundle>>;
beforeAll(async () => {
  installRuntime();
  if (recording) await record();
  bundle = await workflowBundle();
});

async function readHistory(file: string) {
  return historyFromJSON(JSON.parse(await readFile(join(histories, file), 'utf8')));
}

describe('a recorded history', () => {
  it('is there for each way a run of this release can end', async () => {
    expect((await readdir(join(histories, version))).toSorted()).toEqual(files.toSorted());
  });

  it.each(recorded)('replays: %s', async (file) => {
    await replay(bundle, await readHistory(file));
  });

  it('of another workflow does not', async () => {
    const history = await readHistory(join(version, 'completed.json'));
    const scheduled = history.events?.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityId === 'restore',
    )?.activityTaskScheduledEventAttributes;
    if (!scheduled) throw new Error('the history has no step "restore"');
    scheduled.activityType = { name: 'somethingElse' };
    scheduled.activityId = 'something-else';
    await expect(replay(bundle, history)).rejects.toThrow(DeterminismViolationError);
  });
});

/** Under the id that it had: the workflow that tells of its end is named by that. */
function replay(code: typeof bundle, history: Awaited<ReturnType<typeof readHistory>>): Promise<void> {
  const id = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  if (!id) throw new Error('the history does not say which workflow it is of');
  return Worker.runReplayHistory({ workflowBundle: code }, history, id);
}
