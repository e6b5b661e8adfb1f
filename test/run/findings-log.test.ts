/**
 * A step that finds something wrong with each of very many things: what it keeps in memory, and what a report loads,
 * stays small.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findingsOf, loadEvidence } from '../../src/report/evidence.ts';
import { addFinding, endFindings, FindingsState, noFindings } from '../../src/run/work/findings-log.ts';
import { findingsBy, resumeProgress, showFindings, type Finding } from '../../src/run/work/findings.ts';
import type { Evidence } from '../../src/run/work/outcome.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { makeStage, type Stage } from './step-context.ts';

const id = 'restore/data/blobs';
let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
});

const finding = (index: number): Finding => {
  const path = `raw/part-${String(index).padStart(7, '0')}.parquet`;
  return {
    what: `data/${path}`,
    state: 'failed',
    reason: `its copy is missing, expected sha256 ${'a'.repeat(64)} (data/loans/${index % 7})`,
    lost: { account: 'east', container: 'data', path, replica: `epochs/1/${path}` },
  };
};

async function find(count: number): Promise<{ state: FindingsState; evidence: Evidence[] }> {
  const context = stage.context(id);
  const state = noFindings();
  for (let index = 0; index < count; index++) await addFinding(context, state, finding(index));
  return { state, evidence: await endFindings(context, 'list', state) };
}

function later(evidence: Evidence[]): StepContext {
  const base = stage.context('restore/data/assets');
  return {
    ...base,
    plan: { ...base.plan, steps: [{ ...base.step, id, action: 'restoreBlobs' }] },
    outcomeOf: () => Promise.resolve({ state: 'completed', detail: '', evidence }),
  };
}

describe('findings', () => {
  it.each([0, 1, 500, 501, 1000, 1234])('are read back one by one, in order: %i of them', async (count) => {
    const { evidence, state } = await find(count);
    const read = await Array.fromAsync(findingsBy(later(evidence), 'restoreBlobs'));
    expect(read).toEqual(Array.from({ length: count }, (_, index) => finding(index)));
    expect(state.lost.count).toBe(count);
    expect(evidence).toHaveLength(count === 0 ? 0 : 1);
  });

  it('of a whole container cost what travels in the progress, and the report, no more than some hundred', async () => {
    const count = 50_000;
    const { state, evidence } = await find(count);
    expect(showFindings(state.all, 3).at(-1)).toBe(`and ${count - 3} more`);
    // All that is in memory, and in the progress of the step.
    expect(JSON.stringify(state).length).toBeLessThan(300_000);
    const [list] = evidence;
    const { documents } = stage.scene.store;
    expect(documents.get(list?.blob ?? '')?.text.length).toBeLessThan(200_000);
    const largest = Math.max(...[...documents.values()].map(({ text }) => text.length));
    expect(largest).toBeLessThan(300_000);
    const loaded = await loadEvidence(stage.scene.store, [
      { step: id, state: 'completed', holder: 'h', attempts: 1, startedAt: '2026-11-21T10:00:00Z', evidence },
    ]);
    const { items, more, problems } = findingsOf(loaded);
    expect(problems).toEqual([]);
    expect(items).toHaveLength(500);
    expect(more).toEqual([{ step: id, count: count - 500, blob: list?.blob }]);
  });

  it('that an attempt of release 0.2.0 has kept in one list are gone on with', async () => {
    const kept = Array.from({ length: 700 }, (_, index) => finding(index));
    const folder = `runs/${stage.scene.header.runId}/progress`;
    const progress = await stage.scene.store.seal(folder, { findings: kept, version: 1, release: '0.2.0' });
    const context = stage.context(id, { cursor: { progress } });
    const State = z.strictObject({ findings: FindingsState });
    const { state } = await resumeProgress(context, State, { findings: noFindings() });
    await addFinding(context, state.findings, finding(700));
    const evidence = await endFindings(context, 'list', state.findings);
    const read = await Array.fromAsync(findingsBy(later(evidence), 'restoreBlobs'));
    expect(read).toEqual([...kept, finding(700)]);
  });

  it('are the same evidence, however often an attempt was cut short', async () => {
    const context = stage.context(id);
    const whole = await find(1700);
    let state = noFindings();
    for (let index = 0; index < 1700; index++) {
      if (index % 600 === 599) {
        // What was done since the progress was kept is done again.
        const kept = structuredClone(state);
        for (let again = index; again < index + 50; again++) await addFinding(context, state, finding(again));
        state = FindingsState.parse(JSON.parse(JSON.stringify(kept)));
      }
      await addFinding(context, state, finding(index));
    }
    expect(await endFindings(context, 'list', state)).toEqual(whole.evidence);
  });
});
