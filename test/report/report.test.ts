import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/html.ts';
import { renderText } from '../../src/report/text.ts';
import { buildReport, Report } from '../../src/report/report.ts';
import { exampleInput, record, at } from './example-run.ts';

describe('buildReport', () => {
  it('makes what its schema describes, the same from the same input', () => {
    const report = buildReport(exampleInput());
    expect(Report.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(buildReport(exampleInput())).toEqual(report);
  });

  it('says first what was lost', () => {
    const report = buildReport(exampleInput());
    expect(report.headline).toMatch(
      /^4 things for people to do\. 1 owed\. The failover of fraud-ml .* completed after 3m 35s/,
    );
    expect(report.lost.map((line) => line.step)).toEqual(['restore/data/restoreBlobs', 'resume/training/resubmitJobs']);
  });

  it('counts failures as lost even where the step does not name them', () => {
    const input = exampleInput();
    for (const each of input.records) delete each.lost;
    expect(buildReport(input).lost.map((line) => line.text)).toEqual([
      '1 blobs failed: sealed as fuzzy',
      '1 jobs failed: compute gpu-east has no counterpart',
    ]);
  });

  it('adds a line the run lost beside its steps, and none twice', () => {
    const input = exampleInput();
    const known = buildReport(input).lost[0]?.text ?? '';
    input.lost = [known, 'the escrow vault did not answer'];
    expect(buildReport(input).lost.map((line) => line.text)).toContain('the escrow vault did not answer');
    expect(buildReport(input).lost).toHaveLength(3);
  });

  it('has every step of the plan in a state, and the states add up in phases, classes and the whole', () => {
    const input = exampleInput();
    input.records = input.records.slice(0, 6);
    const report = buildReport(input);
    const sum = ({ total, ...states }: typeof report.tally) => [
      total,
      Object.values(states).reduce((a, b) => a + b, 0),
    ];
    const groups = [
      report.tally,
      ...report.phases.flatMap((phase) => [phase.tally, ...phase.classes.map((each) => each.tally)]),
    ];
    for (const [total, added] of groups.map(sum)) expect(added).toBe(total);
    expect(report.tally).toMatchObject({ total: 13, completed: 6, pending: 7 });
    expect(report.phases.flatMap((phase) => phase.classes.flatMap((each) => each.steps))).toHaveLength(13);
    expect(report.phases.map((phase) => phase.phase)).toEqual([
      'fence',
      'provision',
      'restore',
      'configure',
      'verify',
      'switch',
      'resume',
    ]);
  });

  it('gives a phase the time from its first start to its last end', () => {
    const fence = buildReport(exampleInput()).phases[0];
    expect(fence).toMatchObject({
      state: 'completed',
      startedAt: at(1),
      endedAt: at(23.4),
      durationMs: 22_400,
    });
  });

  it('names counts that do not add up, rather than mend them', () => {
    const input = exampleInput();
    const counts = input.records.find((each) => each.step === 'restore/data/restoreBlobs')?.counts?.[0];
    if (counts) counts.done = 209;
    const report = buildReport(input);
    expect(report.problems).toEqual([
      'step "restore/data/restoreBlobs": counts of blobs do not reconcile: expected 212, accounted for 211 (done 209, skipped 1, failed 1)',
    ]);
    expect(report.counts.find((row) => row.step === 'restore/data/restoreBlobs')?.reconciled).toBe(false);
  });

  it('lists everything skipped and failed with its reason, failures first', () => {
    const { leftOver } = buildReport(exampleInput());
    expect(leftOver.map((each) => [each.state, each.what ?? 'step', each.reason])).toEqual([
      ['failed', '1 of 212 blobs', 'sealed as fuzzy'],
      ['failed', '1 of 5 jobs', 'compute gpu-east has no counterpart'],
      ['skipped', '1 of 212 blobs', 'newer in the standby'],
      ['skipped', 'step', 'the workspace has no connections'],
      ['skipped', '1 of 5 jobs', 'interactive: its owner starts it again'],
    ]);
  });

  it('fails what a failed run was still trying, and says why the rest was not begun', () => {
    const input = exampleInput();
    input.state = 'failed';
    input.records = input.records
      .filter((each) => each.step !== 'switch/data/switchServing')
      .map((each) => {
        if (each.step !== 'verify/data/reconcileBlobs') return each;
        const { endedAt: _, detail: __, ...rest } = each;
        return {
          ...rest,
          state: 'running',
          error: { code: 'AzureUnavailable', message: 'listing frauddrwest: timed out' },
        };
      });
    const report = buildReport(input);
    expect(report.leftOver).toContainEqual(
      expect.objectContaining({
        state: 'failed',
        step: 'verify/data/reconcileBlobs',
        reason: 'listing frauddrwest: timed out',
      }),
    );
    expect(report.leftOver).toContainEqual(
      expect.objectContaining({
        state: 'pending',
        step: 'switch/data/switchServing',
        reason: 'it needs verify/data/reconcileBlobs',
      }),
    );
    expect(report.tally).toMatchObject({ failed: 1, pending: 1, running: 0 });
  });

  it('tells of a cancelled run what was undone, what could not be, and what stays', () => {
    const input = exampleInput();
    input.state = 'cancelled';
    const change = (step: string, more: object) => {
      input.records = input.records.map((each) => (each.step === step ? { ...each, ...more } : each));
    };
    change('switch/training/rewriteConfigs', {
      state: 'undone',
      detail: '2 files restored',
      error: { code: 'AzureError', message: 'what the step failed of' },
    });
    change('fence/platform/takePointer', {
      state: 'undo-failed',
      detail: 'undo failed: the epoch is 4 by now',
    });
    const report = buildReport(input);
    const outcome = (step: string) => report.undo.find((each) => each.step === step);
    expect(outcome('switch/training/rewriteConfigs')).toMatchObject({
      outcome: 'undone',
      reason: '2 files restored',
    });
    expect(outcome('fence/platform/takePointer')?.outcome).toBe('undo-failed');
    expect(outcome('restore/data/restoreBlobs')).toMatchObject({
      outcome: 'stays',
      reason: 'blobs in the standby: 210 of 212 blobs copied (24.1 MB)',
    });
    // Nor did what only looked, nor what is owed.
    for (const step of ['verify/data/reconcileBlobs', 'verify/inference/scoreEndpoints', 'fence/platform/stopOldJobs'])
      expect(outcome(step), step).toBeUndefined();
    // A skipped step did nothing that could stay.
    expect(outcome('configure/platform/configureConnections')).toBeUndefined();
    // Newest first.
    expect(report.undo.at(-1)?.step).toBe('fence/platform/takePointer');
    expect(report.lost[0]?.text).toContain('could not be undone: undo failed: the epoch is 4 by now');
  });

  it('says of a step that a cancel broke off that it was cancelled, and measures no objective', () => {
    const input = exampleInput();
    input.state = 'cancelled';
    input.header.cancelled = { by: 'kim@fraud.example', at: at(90) };
    const brokenOff = input.records.find((each) => each.step === 'restore/data/restoreBlobs');
    Object.assign(brokenOff ?? {}, {
      state: 'failed',
      error: { code: 'CancelledRun', message: 'cancelled while it ran' },
    });
    const report = buildReport(input);
    const steps = report.phases.flatMap(({ classes }) => classes.flatMap((each) => each.steps));
    expect(steps.find(({ id }) => id === brokenOff?.step)?.state).toBe('cancelled');
    expect(report.tally).toMatchObject({ failed: 0, cancelled: 1 });
    expect(report.leftOver.find(({ what }) => what === undefined)).toMatchObject({
      step: brokenOff?.step,
      state: 'cancelled',
    });
    expect(new Set(report.objectives.flatMap(({ rto, rpo }) => [rto.verdict, rpo.verdict]))).toEqual(
      new Set(['not measured', 'no objective']),
    );
    const line = renderText(report)
      .split('\n')
      .findIndex((each) => /training +RTO/.test(each));
    expect(
      renderText(report)
        .split('\n')
        .slice(line, line + 2)
        .join('\n'),
    ).toMatch(/not measured\n +cancelled$/);
    expect(renderText(report, { full: false })).not.toMatch(/missed|failed, /);
    expect(Report.parse(report)).toEqual(report);
  });

  it('names a record of a step that the plan does not have', () => {
    const input = exampleInput();
    input.records.push(record('restore/data/somethingElse', 1, 2));
    expect(buildReport(input).problems[0]).toContain('"restore/data/somethingElse", which is not in the plan');
  });

  it('says of a run that goes on that it does, and ends nothing for it', () => {
    const input = exampleInput();
    input.state = 'running';
    delete input.endedAt;
    input.records = input.records.slice(0, 2);
    const report = buildReport(input);
    expect(report.headline).toContain('is still running');
    expect(report.run).not.toHaveProperty('endedAt');
    expect(report.leftOver).toEqual([]);
  });

  it('shows the evidence it has, names what is not a list of its kind, and does not show that', () => {
    const input = exampleInput();
    const jobs = input.evidence.find((each) => each.kind === 'jobs');
    if (jobs) jobs.content = [{ old: 'a', reason: 'no class' }];
    const report = buildReport(input);
    expect(report.jobs).toEqual([]);
    expect(report.problems[0]).toMatch(/evidence "runs\/r\/evidence\/jobs.json" is not a list of jobs: 0\.class/);
    expect(report.configs.map((each) => each.status)).toEqual(['changed', 'unchanged']);
  });

  it('shows, item by item, what steps listed as skipped or failed', () => {
    const input = exampleInput();
    const findings = [{ what: 'raw/2026-11-21.csv', state: 'failed', reason: 'sealed as fuzzy' }];
    const list = { kind: 'list' as const, blob: 'b', digest: 'd', step: 'restore/data/restoreBlobs' };
    input.evidence.push({ ...list, content: { step: list.step, findings } }, { ...list, content: ['another form'] });
    input.evidence.push({ ...list, kind: 'reconciliation', problem: 'evidence "c" was altered' });
    const report = buildReport(input);
    expect(report.findings).toEqual([{ step: list.step, ...findings[0] }]);
    expect(report.problems).toEqual(['evidence "c" was altered']);
    expect(Report.parse(report)).toEqual(report);
    expect(renderHtml(report)).toContain('raw/2026-11-21.csv');
    expect(renderText(report)).toContain('✗ raw/2026-11-21.csv: sealed as fuzzy');
  });

  it('says of a job who owns it, how it went, and what the standby holds otherwise', () => {
    const input = exampleInput();
    const jobs = input.evidence.find((each) => each.kind === 'jobs');
    const job = {
      old: 'a',
      new: 'us-a',
      submittedAs: 'train-17',
      class: 'resubmit',
      outcome: 'failed',
      reason: 'refused',
      status: 'Running',
      owner: 'kim',
      differences: [{ place: 'properties.computeId', sent: 'x', held: 'y' }],
    };
    if (jobs) jobs.content = [{ ...job, group: 'Conflict', type: 'command', hop: 1 }];
    const report = buildReport(input);
    expect(report.jobs).toEqual([job]);
    const page = renderHtml(report);
    for (const text of ['kim', '✗ failed', '(was Running)', 'properties.computeId: sent', '<code>train-17'])
      expect(page).toContain(text);
    expect(renderText(report, { full: true, columns: 200 })).toContain('a (submitted as train-17) → us-a');
  });

  it('holds what a restore expected beside what the recovery point has', () => {
    const { counts } = buildReport(exampleInput());
    expect(counts.find((row) => row.kind === 'models')?.inRecoveryPoint).toBe(7);
    expect(counts.find((row) => row.kind === 'jobs')).not.toHaveProperty('inRecoveryPoint');
  });
});
