/** The run that follows a move: opened once, and ended where its workflow could not be started. */
import { describe, expect, it } from 'vitest';
import { reprotectDropper, reprotectOpener } from '../../src/operations/follow-move.ts';
import { changeRun, listOpenRuns, requireRun } from '../../src/run/journal.ts';
import { makeScene } from '../run/scene.ts';

const at = '2026-11-21T11:00:00.000Z';

async function opened() {
  const { store, header, run: move, open } = await makeScene();
  await changeRun(store, header.runId, { state: 'completed' });
  const run = await reprotectOpener(open)({ move, at });
  if (!run) throw new Error('nothing was opened');
  const drop = (since = at) => reprotectDropper(open)({ move, at: since, why: 'its id is taken' });
  return { store, runId: run.runId, drop };
}

describe('a run whose workflow could not be started', () => {
  it('is ended, so that nobody waits for it, however often that is asked for', async () => {
    const { store, runId, drop } = await opened();
    expect((await listOpenRuns(store)).runs).toMatchObject([{ runId, state: 'pending' }]);
    await drop();
    await drop();
    expect((await listOpenRuns(store)).runs).toEqual([]);
    expect(await requireRun(store, runId)).toMatchObject({
      state: 'cancelled',
      stateReason: 'never started: its id is taken',
    });
  });

  it('is left alone if it has begun after all, and one that was never opened is none', async () => {
    const { store, runId, drop } = await opened();
    await changeRun(store, runId, { state: 'running' });
    await drop();
    await drop('2026-11-21T12:00:00.000Z');
    expect((await listOpenRuns(store)).runs).toMatchObject([{ runId, state: 'running' }]);
  });
});
