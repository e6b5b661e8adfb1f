import { describe, expect, it } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { buildReport, Report } from '../../src/report/report.ts';
import { loadReportInput } from '../../src/report/load.ts';
import { writeReport } from '../../src/report/write.ts';
import { bundleFolder, bundles } from '../../src/run/bundle.ts';
import { changeRun, openRun, recordStep } from '../../src/run/journal.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import { sealedName } from '../../src/recovery-point/sealed-manifest.ts';
import { seal } from '../recovery-point/sealed.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { at, configsEvidence, exampleInput, jobsEvidence, topology } from './example-run.ts';

const now = new Date(at(216));

/** A store with the example's run in it, as a worker would have journalled it. */
async function journalled(): Promise<{ store: FakeControlStore; runId: string }> {
  const store = fakeControlStore();
  const { header, plan, records } = exampleInput();
  const run = {
    ...header,
    plan: await plans.seal(store, planFolder, plan),
    bundle: await bundles.seal(store, bundleFolder, { topology, templates: {} }),
  };
  const folder = `runs/${run.runId}/evidence`;
  const blobs = {
    'switch/training/rewriteConfigs': {
      kind: 'configs' as const,
      digest: await store.seal(folder, configsEvidence),
    },
    'resume/training/resubmitJobs': { kind: 'jobs' as const, digest: await store.seal(folder, jobsEvidence) },
  };
  await openRun(store, run);
  for (const record of records) {
    const evidence = blobs[record.step as keyof typeof blobs];
    await recordStep(store, run.runId, record.step, () =>
      evidence ? { ...record, evidence: [{ ...evidence, blob: `${folder}/${evidence.digest}.json` }] } : record,
    );
  }
  await changeRun(store, run.runId, {
    state: 'completed',
    stateReason: 'every step is done',
    startedAt: at(0.5),
    endedAt: at(215),
  });
  return { store, runId: run.runId };
}

describe('a report from the journal alone', () => {
  it('is the report of what was journalled', async () => {
    const { store, runId } = await journalled();
    const report = buildReport(await loadReportInput(store, runId, now));
    const expected = buildReport(exampleInput());
    for (const part of ['objectives', 'phases', 'leftOver', 'jobs', 'configs', 'lost', 'owed', 'tally'] as const) {
      expect(report[part]).toEqual(expected[part]);
    }
    expect(report.run).toMatchObject({ state: 'completed', endedAt: at(215), durationMs: 215_000 });
    expect(report.problems).toEqual([]);
  });

  it('is written in three forms, and the JSON reads back', async () => {
    const { store, runId } = await journalled();
    const report = buildReport(await loadReportInput(store, runId, now));
    const written = await writeReport(store, runId, report);
    expect(written.html).toBe(`runs/${runId}/report.html`);
    expect(Report.parse(JSON.parse((await store.readText(written.json)) ?? ''))).toEqual(report);
    expect(await store.readText(written.html)).toMatch(/^<!doctype html>/);
    expect(await store.readText(written.text)).toMatch(/^FOR PEOPLE TO DO/);
    // Again: the same documents, nothing beside them.
    const before = [...store.documents.keys()];
    await writeReport(store, runId, report);
    expect([...store.documents.keys()]).toEqual(before);
  });

  it('names evidence that was altered, is gone or is no JSON, and does not show it', async () => {
    const { store, runId } = await journalled();
    const [first = '', second = ''] = [...store.documents.keys()].filter((name) => name.includes('/evidence/'));
    await store.write(first, '[]', 'application/json');
    store.documents.delete(second);
    const report = buildReport(await loadReportInput(store, runId, now));
    expect(report.problems).toHaveLength(2);
    expect(report.problems.join('\n')).toMatch(/was altered: expected digest [0-9a-f]{64}, got [0-9a-f]{64}/);
    expect(report.problems.join('\n')).toContain('is not in the control store');
    expect([...report.jobs, ...report.configs]).toEqual([]);

    await store.write(first, '[{', 'application/json');
    expect(buildReport(await loadReportInput(store, runId, now)).problems.join('\n')).toContain('is not JSON');
  });

  it('accepts a digest of the text as it was written', async () => {
    const { store, runId } = await journalled();
    const { createHash } = await import('node:crypto');
    const text = JSON.stringify(jobsEvidence, null, 2);
    const blob = `runs/${runId}/evidence/jobs-1.json`;
    await store.write(blob, text, 'application/json');
    const digest = createHash('sha256').update(text).digest('hex');
    await recordStep(
      store,
      runId,
      'resume/training/resubmitJobs',
      (record) => record && { ...record, evidence: [{ kind: 'jobs', blob, digest }] },
    );
    const report = buildReport(await loadReportInput(store, runId, now));
    expect(report.jobs).toHaveLength(5);
  });

  it('takes the counts of the recovery point from its seal', async () => {
    const { store, runId } = await journalled();
    const { id, epoch } = await seal(store, '2026-11-21T09:50:00.000Z', {
      change: (content) => ({
        ...content,
        summary: { ...content.summary, counts: { models: 7 }, blobs: 212 },
      }),
    });
    const report = buildReport(await loadReportInput(store, runId, now));
    expect(report.recoveryPoint?.counts).toEqual({ models: 7, blobs: 212 });
    expect(report.counts[0]).toMatchObject({ kind: 'blobs', inRecoveryPoint: 212 });
    await store.write(sealedName(epoch, id), '{"version":1}', 'application/json');
    const without = buildReport(await loadReportInput(store, runId, now));
    expect(without.recoveryPoint).toMatchObject({ id });
    expect(without.recoveryPoint?.counts).toBeUndefined();
    expect(without.problems).toEqual([
      expect.stringContaining(
        `what the recovery point holds: recovery point "${sealedName(epoch, id)}": expected version 2`,
      ),
    ]);
  });

  it('does not exist for a run that does not, and says so', async () => {
    const attempt = loadReportInput(fakeControlStore(), 'nothing', now);
    await expect(attempt).rejects.toThrow('there is no run "nothing" in the control store');
    await expect(attempt).rejects.toBeInstanceOf(UnderstudyError);
  });
});
