/**
 * Recorded histories replay: a run that was started by an older worker goes on under this one. Where the workflow was
 * changed on purpose before a release, record them anew: RECORD_HISTORIES=1 npx vitest run test/workflows/replay.test.ts
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  final,
  gate,
  installRuntime,
  startEngine,
  step,
  untilAborted,
  workflowBundle,
  type Engine,
} from './engine.ts';

const folder = join(import.meta.dirname, 'histories');
const stepsOn = (host: string) => [
  step('fence', []),
  step('provision', [], { action: 'scaleComputes' }),
  step('restore', ['fence', 'provision'], { action: 'restoreBlobs', undoable: false }),
  step('verify', ['restore'], { action: 'probePublicAddress', undoable: false }),
  step('configs', ['verify'], { action: 'rewriteConfigs', host }),
  step('switch', ['verify'], { action: 'switchServing' }),
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
    await execution.handle.signal('resume', 'someone');
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
};

async function record(): Promise<void> {
  const engine = await startEngine();
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, run] of Object.entries(recordings)) {
      const history = historyToJSON(await (await run(engine)).fetchHistory());
      // Who recorded it, and on which machine, is nobody's business.
      await writeFile(join(folder, `${name}.json`), `${history.replaceAll(/\d+@[\w.]+/g, 'worker')}\n`);
    }
  } finally {
    await engine.close();
  }
}

let bundle: Awaited<ReturnType<typeof workflowBundle>>;
beforeAll(async () => {
  installRuntime();
  if (process.env.RECORD_HISTORIES === '1') await record();
  bundle = await workflowBundle();
});

async function readHistory(name: string) {
  return historyFromJSON(JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')));
}

describe('a recorded history', () => {
  it('is there for each way a run can end', async () => {
    expect((await readdir(folder)).toSorted()).toEqual(
      Object.keys(recordings)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });

  it.each(Object.keys(recordings))('of a %s run replays', async (name) => {
    await Worker.runReplayHistory({ workflowBundle: bundle }, await readHistory(name));
  });

  it('of another workflow does not', async () => {
    const history = await readHistory('completed');
    const scheduled = history.events?.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityId === 'restore',
    )?.activityTaskScheduledEventAttributes;
    if (!scheduled) throw new Error('the history has no step "restore"');
    scheduled.activityType = { name: 'somethingElse' };
    scheduled.activityId = 'something-else';
    await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history)).rejects.toThrow(
      DeterminismViolationError,
    );
  });
});
