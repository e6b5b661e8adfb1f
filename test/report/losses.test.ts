/** What a run owes, what it has left undone to jobs, and what its recovery point does not have: in all three forms. */
import { describe, expect, it } from 'vitest';
import { ledgerName, markSubmitted, planSuccessor } from '../../src/ledger/ledger.ts';
import type { Plan, Step } from '../../src/plan/plan.ts';
import { renderHtml } from '../../src/report/html/html.ts';
import { loadReportInput } from '../../src/report/load.ts';
import { buildReport, Report, type ReportInput } from '../../src/report/report.ts';
import { renderText } from '../../src/report/text.ts';
import { shortened } from '../../src/report/wording.ts';
import { StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import { bundleFolder, bundles } from '../../src/run/bundle.ts';
import { changeRun, openRun, recordStep } from '../../src/run/journal.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import { entryNamed, seal } from '../recovery-point/sealed.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { at, exampleInput, plan, record, topology } from './example-run.ts';

const url =
  'https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/workspaces/fraud-east/jobs?api-version=2024-04-01&listViewType=All';
const id = '2026-11-21T10-00-00.000Z-e2';

function replicate(...facts: Record<string, string>[]): ReportInput {
  const input = exampleInput();
  const step = (name: string, action: Plan['steps'][number]['action']) => ({
    ...plan.steps[0]!,
    id: name,
    action,
    title: name,
    needs: [],
  });
  const { recoveryPoint: _point, ...rest } = plan;
  const debt = {
    kind: 'jobs',
    region: 'westus3',
    what: 'cancel jobs',
    reason: `GET ${url}: no answer`,
    step: 'f',
  } as const;
  return {
    ...input,
    header: { ...input.header, operation: 'replicate' },
    plan: {
      ...rest,
      operation: 'replicate',
      steps: [step('pay-debt', 'payFenceDebt'), step('pay-rest', 'payFenceDebt'), step('seal', 'sealRecoveryPoint')],
    },
    records: [
      record('pay-debt', 1, 2, { owed: [debt] }),
      ...facts.map((each) => record('seal', 3, 4, { facts: each })),
    ],
    evidence: [],
    recoveryPoint: { id, digest: 'd', startedAt: at(0), made: true },
  };
}

describe('what is owed', () => {
  it('stands under the region that owes it, without long addresses; the JSON keeps them', () => {
    const report = buildReport(replicate());
    expect(report.owed[0]?.reason).toContain(url);
    const text = renderText(report, { columns: 200 });
    expect(text).toContain('OWED TO westus3, PAID WHEN IT ANSWERS (1)');
    expect(text).toContain('jobs: cancel jobs (GET management.azure.com: no answer)');
    const page = renderHtml(report);
    expect(page).toContain('Owed to westus3, paid when it answers (1)');
    for (const form of [text, page]) {
      expect(form).not.toContain('Owed to eastus');
      expect(form).not.toContain(url);
    }
  });

  it('is owed no more once a later step has paid it, nor after the pointer was given back', () => {
    const paid = replicate();
    paid.records.push(record('pay-rest', 3, 4, { detail: 'westus3: 5 jobs cancelled' }));
    expect(buildReport(paid).owed).toEqual([]);
    const cancelled = { ...exampleInput(), state: 'cancelled' as const };
    expect(buildReport(cancelled).owed).toHaveLength(1);
    cancelled.records = cancelled.records.map((each) =>
      each.step === 'fence/platform/takePointer' ? { ...each, state: 'undone' } : each,
    );
    expect(buildReport(cancelled).owed).toEqual([]);
  });

  it.each([
    [`GET ${url}: timed out`, 'GET management.azure.com: timed out'],
    ['PUT https://acc.blob.core.windows.net/c/a.csv.', 'PUT acc.blob.core.windows.net.'],
    ['see https://127.0.0.1:4443 (down)', 'see 127.0.0.1:4443 (down)'],
    [
      'PUT /subscriptions/s/resourceGroups/g/providers/P/workspaces/w/data/d/versions/1: 403',
      'PUT …/workspaces/w/data/d/versions/1: 403',
    ],
    [
      'GET /subscriptions/s/resourceGroups/g/providers/P/workspaces/w/jobs?api-version=1&a=b: no',
      'GET …/workspaces/w/jobs: no',
    ],
    ['"/subscriptions/s/resourceGroups/g"', '"…/resourceGroups/g"'],
    ['nothing to shorten/at all', 'nothing to shorten/at all'],
  ])('%s → %s', (long, short) => {
    expect(shortened(long)).toBe(short);
  });
});

describe('the recovery point', () => {
  const leftBehind = [
    { kind: 'file shares', reason: 'their files are not copied', count: 2, examples: ['workspacefilestore'] },
    {
      kind: 'data',
      reason: 'excluded by the topology',
      count: 1,
      examples: ['scratch'],
      chosen: true as const,
    },
  ];

  it('that a replication has sealed is named, with what is not in it', async () => {
    const store = fakeControlStore();
    const {
      header,
      plan: planned,
      records,
    } = replicate({ recoveryPoint: id, digest: 'd'.repeat(64), startedAt: at(0) });
    const run = {
      ...header,
      plan: await plans.seal(store, planFolder, planned),
      bundle: await bundles.seal(store, bundleFolder, { topology, templates: {} }),
    };
    await openRun(store, run);
    for (const each of records) await recordStep(store, run.runId, each.step, () => each);
    await seal(store, at(0), {
      epoch: 2,
      change: (content) => ({
        ...content,
        leftBehind,
        summary: { ...content.summary, counts: { models: 3 }, blobs: 12 },
      }),
    });
    const report = buildReport(await loadReportInput(store, run.runId, new Date(at(9))));
    expect(Report.parse(report).recoveryPoint).toEqual({
      id,
      digest: 'd'.repeat(64),
      startedAt: at(0),
      made: true,
      counts: { models: 3, blobs: 12 },
      leftBehind,
    });
    expect(renderText(report)).toMatch(/recovery point +2026-11-21T10-00-00.000Z-e2, sealed by this run/);
    // Its steps have said it: nothing is said twice.
    expect(report.lost).toEqual([]);
  });

  it('that a failover restored from has what it has not in every form', () => {
    const input = exampleInput();
    const report = buildReport({ ...input, recoveryPoint: { ...input.recoveryPoint!, leftBehind } });
    expect(report.recoveryPoint?.leftBehind).toEqual(leftBehind);
    const text = renderText(report, { columns: 200 });
    expect(text).toContain('NOT IN THE RECOVERY POINT (2)');
    expect(text).toContain('2 file shares left behind: their files are not copied (workspacefilestore, …)');
    expect(text).toContain('excluded by the topology (scratch), as the topology asks');
    const page = renderHtml(report);
    expect(page).toContain('Not in the recovery point');
    expect(page).toContain('<code class="line">workspacefilestore</code>…');
  });
});

describe('a run that was cancelled', () => {
  it('says first what it did to jobs, by name and owner, and lists them all', async () => {
    const store = fakeControlStore();
    const { header, records } = exampleInput();
    const run = {
      ...header,
      plan: await plans.seal(store, planFolder, plan),
      bundle: await bundles.seal(store, bundleFolder, { topology, templates: {} }),
    };
    await openRun(store, run);
    for (const each of records.slice(0, 2)) await recordStep(store, run.runId, each.step, () => each);
    const stopped = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [
        `train-${String(index).padStart(2, '0')}`,
        { status: 'Running', lineageRoot: `r${index}`, hop: 0, owner: 'ana', canceledAt: at(9) },
      ]),
    );
    await (await StoppedRecord.open(store, run.runId)).add({ stopped, ended: {} });
    await seal(store, '2026-11-21T09:50:00.000Z', {
      change: (content) => ({
        ...content,
        leftBehind: [{ kind: 'file shares', reason: 'not copied', count: 1, examples: ['share'] }],
      }),
    });
    await recordStep(store, run.runId, 'fence/platform/takePointer', (each) => ({
      ...(each ?? records[0]!),
      state: 'undone',
    }));
    await changeRun(store, run.runId, { state: 'cancelled', endedAt: at(20) });
    const report = buildReport(await loadReportInput(store, run.runId, new Date(at(21))));
    expect(report.lost[0]?.text).toBe(
      'job "train-00" of ana: the fence cancelled it, and it runs nowhere: submit it again in eastus',
    );
    expect(report.lost[20]?.text).toBe('and 5 more jobs: see the list of jobs');
    expect(report.jobs).toHaveLength(25);
    // What no recovery point has is where it was: the workspace has not moved.
    expect(report.lost).toHaveLength(21);
    expect(report.recoveryPoint?.leftBehind).toHaveLength(1);
    // The pointer was there when these were to begin; it is undone since.
    expect(report.leftOver.find(({ step }) => step === 'restore/data/restoreBlobs')?.reason).toBe(
      'the run ended before it began',
    );
    expect(renderText(report, { full: false })).toMatch(
      /^ {2}· 11 steps were not begun, the first provision\/training\/scaleComputes: the run ended before it began$/m,
    );
    expect(renderText(report)).toMatch(
      /^FOR PEOPLE TO DO \(25\), THE MOST URGENT FIRST\n {2}ana:\n {4}↻ do again: job "train-00": the fence/,
    );
    expect(report.tasks).toMatchObject([{ owner: 'ana', toDo: 25, more: 13 }]);
    expect(report.tasks[0]?.tasks).toHaveLength(12);
    expect(Report.parse(report)).toEqual(report);
  });

  it('names the jobs whose successors it submitted, although it has sealed its recovery point itself', async () => {
    const store = fakeControlStore();
    const { header } = exampleInput();
    const entry = entryNamed('train');
    const { id: pointId, digest } = await seal(store, at(0), { jobs: [entry] });
    const { recoveryPoint: _point, ...rest } = plan;
    const sealing: Step = { ...plan.steps[0]!, id: 'seal', action: 'sealRecoveryPoint', needs: [] };
    const switchover: Plan = { ...rest, operation: 'switchover', steps: [sealing, ...plan.steps] };
    const run = {
      ...header,
      operation: 'switchover' as const,
      plan: await plans.seal(store, planFolder, switchover),
      bundle: await bundles.seal(store, bundleFolder, { topology, templates: {} }),
    };
    await openRun(store, run);
    const facts = { recoveryPoint: pointId, digest, startedAt: at(0) };
    await recordStep(store, run.runId, 'seal', () => record('seal', 1, 2, { facts }));
    await recordStep(store, run.runId, 'resume/training/resubmitJobs', () =>
      record('resume/training/resubmitJobs', 3, 4, {}),
    );
    const settled = { as: 'lost', at: at(3), reason: 'a test' } as const;
    await planSuccessor(store, { entry, to: 'westus3', run: run.runId, settled });
    await markSubmitted(store, entry.lineageRoot, 1);
    await changeRun(store, run.runId, { state: 'cancelled', endedAt: at(20) });
    const report = buildReport(await loadReportInput(store, run.runId, new Date(at(21))));
    expect(report.problems).toEqual([]);
    expect(report.lost.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^job "train": it may run on in eastus, and its successor "us-\w+" was submitted in westus3/,
      ),
    ]);
    expect(report.tasks).toMatchObject([{ toDo: 1 }]);
  });

  it('is reported though the ledger of a job is damaged, and says so', async () => {
    const store = fakeControlStore();
    const { header } = exampleInput();
    const { id: pointId, digest } = await seal(store, at(0), { jobs: [entryNamed('train')] });
    const resumed = { ...plan, recoveryPoint: { id: pointId, digest, startedAt: at(0) } };
    const run = {
      ...header,
      plan: await plans.seal(store, planFolder, resumed),
      bundle: await bundles.seal(store, bundleFolder, { topology, templates: {} }),
    };
    await openRun(store, run);
    await recordStep(store, run.runId, 'resume/training/resubmitJobs', () =>
      record('resume/training/resubmitJobs', 3, 4, {}),
    );
    await changeRun(store, run.runId, { state: 'cancelled', endedAt: at(20) });
    const problems = async () => buildReport(await loadReportInput(store, run.runId, new Date(at(21)))).problems;
    expect(await problems()).toEqual([]);
    const { lineageRoot } = entryNamed('train');
    await store.write(ledgerName(lineageRoot), '{"version":2}', 'application/json');
    expect(await problems()).toEqual([
      expect.stringMatching(
        /^which jobs the run has stopped or submitted: job ledger "ledger\/eastus\.fraud-east\.train\.json", which names no release: /,
      ),
    ]);
  });
});
