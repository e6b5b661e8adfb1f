/** What a step leaves for later ones and for its own next attempt is read as it was written, or refused by name. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { notDoneBy, resumeProgress, writeFindings, type Finding } from '../../src/run/work/findings.ts';
import type { Heartbeat } from '../../src/run/work/heartbeat.ts';
import { release } from '../../src/release.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { makeStage, type Stage } from './step-context.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
});
afterEach(() => {
  vi.useRealTimers();
});

const findings: Finding[] = [
  { what: 'models/fraud/4', state: 'skipped', reason: 'not whole' },
  {
    what: 'c/p/q',
    state: 'failed',
    reason: 'gone',
    lost: { account: 'a', container: 'c', path: 'p/q', replica: 'r' },
  },
];

describe('what a step did not do', () => {
  const id = 'restore/data/blobs';

  /** A later step, which finds the evidence of the one before. */
  function laterStep(digest: string): StepContext {
    const base = stage.context('restore/data/assets');
    const folder = `runs/${stage.scene.header.runId}/evidence`;
    const evidence = [{ kind: 'list' as const, blob: `${folder}/${digest}.json`, digest }];
    return {
      ...base,
      plan: { ...base.plan, steps: [{ ...base.step, id, action: 'restoreBlobs' }] },
      outcomeOf: () => Promise.resolve({ state: 'completed', detail: '', evidence }),
    };
  }

  it('loses nothing on its way to a later step', async () => {
    const [evidence] = await writeFindings(stage.context(id), 'list', findings);
    const found = await notDoneBy(laterStep(evidence?.digest ?? ''), 'restoreBlobs');
    expect([...found.values()]).toEqual(findings);
    expect((await stage.scene.store.read(evidence?.blob ?? ''))?.value).toEqual({
      step: id,
      findings,
      version: 1,
      release,
    });
  });

  it('is refused by name where another release wrote it, or it has another form', async () => {
    const folder = `runs/${stage.scene.header.runId}/evidence`;
    for (const [other, problem] of [
      [{ step: id, findings, version: 2, release: '0.9.0' }, 'it has version 2 and was written by release 0.9.0'],
      [{ step: id, findings: [{ ...findings[0], state: 'odd' }], version: 1, release }, 'findings.0.state: Invalid'],
    ] as const) {
      const digest = await stage.scene.store.seal(folder, other);
      await expect(notDoneBy(laterStep(digest), 'restoreBlobs')).rejects.toMatchObject({
        code: 'ControlStoreError',
        message: expect.stringMatching(new RegExp(`^findings of a step "${folder}/${digest}.json".*${problem}`)),
        details: { next: expect.any(String) },
      });
    }
  });
});

describe('the progress of a step', () => {
  const State = z.strictObject({ lines: z.int(), names: z.array(z.string()) });
  const id = 'restore/data/assets';

  it('is taken up by the next attempt, and refused by name where another release wrote it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const cursors: unknown[] = [];
    const heartbeat = {
      save: (cursor: unknown) => {
        cursors.push(cursor);
        return Promise.resolve();
      },
    } as unknown as Heartbeat;
    const first = await resumeProgress(stage.context(id), State, { lines: 0, names: [] });
    first.state.lines = 7;
    first.state.names.push('fraud');
    await first.save(heartbeat);
    expect(cursors).toEqual([]);
    vi.advanceTimersByTime(10_000);
    await first.save(heartbeat);
    const resume = (cursor: unknown) => resumeProgress(stage.context(id, { cursor }), State, { lines: 0, names: [] });
    expect((await resume(cursors[0])).state).toEqual({ lines: 7, names: ['fraud'] });
    const folder = `runs/${stage.scene.header.runId}/progress`;
    const progress = await stage.scene.store.seal(folder, { ...first.state, version: 2, release: '0.9.0' });
    await expect(resume({ progress })).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining(`progress of a step "${folder}/${progress}.json": expected version 1`),
      details: { next: expect.stringContaining('Use the release that wrote it') },
    });
  });
});
