/** A report that cannot be written leaves its run as it is, is shown, and can be written later. */
import { describe, expect, it } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { keepReport, reportWriter } from '../../src/report/report-writer.ts';
import { changeRun, readRun } from '../../src/run/journal.ts';
import { makeScene } from '../run/scene.ts';
import { at } from './example-run.ts';

const now = () => new Date(at(216));

async function ended() {
  const scene = await makeScene('failover');
  const { store, run: reference } = scene;
  const { runId } = reference;
  await changeRun(store, runId, { state: 'running' });
  await changeRun(store, runId, { state: 'completed', stateReason: 'every step is done', endedAt: at(215) });
  return { store, runId, open: scene.open, reference };
}

describe('a report', () => {
  it('that cannot be written leaves the run completed, notes why, and is written later', async () => {
    const { store, runId, open, reference } = await ended();
    const write = store.write.bind(store);
    store.write = () =>
      Promise.reject(new UnderstudyError('AzureError', 'writing "report.html": 403 AuthorizationFailure'));
    await expect(reportWriter(open, now)(reference)).rejects.toThrow('AuthorizationFailure');
    expect(await readRun(store, runId)).toMatchObject({
      state: 'completed',
      stateReason: 'every step is done',
      endedAt: at(215),
      reported: { of: at(215), problem: 'writing "report.html": 403 AuthorizationFailure' },
    });
    store.write = write;
    await keepReport(store, runId, now);
    expect(await store.readText(`runs/${runId}/report.html`)).toContain(runId);
    expect((await readRun(store, runId))?.reported).toEqual({ of: at(215) });
  });

  it('that cannot be made for want of its plan says so in the note', async () => {
    const { store, runId, open, reference } = await ended();
    for (const name of store.documents.keys()) if (name.startsWith('plans/')) store.documents.delete(name);
    await expect(reportWriter(open, now)(reference)).rejects.toThrow();
    expect((await readRun(store, runId))?.reported?.problem).toMatch(/plan/);
  });
});
