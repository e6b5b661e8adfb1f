/** What people must do: by owner, the most urgent first, with an action; and what they need only know. */
import { describe, expect, it } from 'vitest';
import type { TouchedJob } from '../../src/fence/left-cancelled.ts';
import type { JobEvidence } from '../../src/report/evidence.ts';
import { renderHtml } from '../../src/report/html/html.ts';
import { buildReport } from '../../src/report/report.ts';
import { renderText } from '../../src/report/text.ts';
import type { TaskInput } from '../../src/report/task-input.ts';
import { countTasks, tasksOf } from '../../src/report/tasks.ts';
import { worstMeasures } from '../../src/report/worst.ts';
import { exampleInput } from './example-run.ts';

const job = (more: Partial<JobEvidence>): JobEvidence => ({
  old: 'train',
  class: 'manual',
  reason: 'a person works in it',
  outcome: 'skipped',
  ...more,
});
const input = (more: Partial<TaskInput>): TaskInput => ({
  run: 'r1',
  from: 'eastus',
  to: 'westus3',
  cancelled: false,
  again: 'retry r1',
  lost: [],
  notUndone: [],
  failed: [],
  owed: [],
  jobs: [],
  actionOf: () => undefined,
  targetOf: () => undefined,
  ...more,
});
const debt = (kind: string) => ({ kind, region: 'eastus', what: 'w', reason: 'no answer', step: 's' });

describe('what people must do', () => {
  it('begins with keys that were not rotated, above a job that starts again', () => {
    const groups = tasksOf(
      input({
        owed: [debt('intake'), debt('writers')],
        lost: [{ step: 'computes', text: 'compute box: not a cluster' }],
        jobs: [
          job({ owner: 'ana', old: 'nightly', class: 'restart', outcome: 'submitted', status: 'Running' }),
          job({ owner: 'ana', old: 'notebook' }),
          job({ owner: 'ben', old: 'tune', outcome: 'failed', reason: 'no compute' }),
        ],
        actionOf: () => 'scaleComputes',
      }),
    );
    expect(groups.map(({ owner, toDo, tasks }) => [owner, toDo, tasks.map(({ urgency }) => urgency)])).toEqual([
      [undefined, 2, ['urgent', 'again']],
      ['ben', 1, ['broken']],
      ['ana', 1, ['again', 'know']],
    ]);
    expect(groups[0]?.tasks[0]).toEqual({
      urgency: 'urgent',
      what: 'eastus is not shut out yet: its keys and roles still let it write, its schedules may still fire',
      action: 'Let nobody write there. "understudy reprotect" pays it once eastus answers.',
    });
    expect(groups[2]?.tasks[0]).toEqual({
      urgency: 'again',
      what: 'job "notebook": a person works in it',
      action: 'Submit it again in westus3, if it is needed.',
    });
    expect(groups[2]?.tasks[1]?.action).toBeUndefined();
    expect(countTasks(groups)).toBe(4);
  });

  it('names a job once: the lines of the step that resubmitted are of the same jobs', () => {
    const lost = [{ step: 'jobs', text: 'job "notebook" of ana is left for a person' }];
    const of = (jobs: JobEvidence[]) => tasksOf(input({ lost, jobs, actionOf: () => 'resubmitJobs' }));
    expect(of([job({ owner: 'ana', old: 'notebook' })]).flatMap(({ tasks }) => tasks)).toHaveLength(1);
    // Where the evidence cannot be read, the lines are what there is.
    expect(of([])[0]?.tasks[0]?.what).toBe(lost[0]?.text);
  });

  it('says of a failed step what to do, and of ten thousand jobs how many more there are', () => {
    const failed = { state: 'failed', step: 's', title: 'Scale up', reason: 'no quota' } as const;
    const jobs = Array.from({ length: 10_000 }, (_, index) => job({ owner: 'ana', old: `job-${index}` }));
    const [first, second] = tasksOf(input({ failed: [failed], jobs }));
    expect(first?.tasks[0]).toMatchObject({
      urgency: 'urgent',
      what: '"Scale up" failed: no quota',
      action: 'Correct what is named, then "understudy retry r1".',
    });
    expect(second).toMatchObject({ owner: 'ana', toDo: 10_000, more: 9988 });
  });
});

describe('a job that was submitted with a warning', () => {
  const warnings = [
    { place: 'properties.command', value: 'fraud-east', reason: 'it names the old workspace "fraud-east"' },
    {
      place: 'properties.environmentVariables.SAS',
      value: 'a signature',
      reason: 'it holds a signature of account "a"',
    },
  ];
  const warned = job({ owner: 'ana', old: 'tune', new: 'us-tune', class: 'resubmit', outcome: 'submitted', warnings });

  it('is a task of its owner, who has to look', () => {
    expect(tasksOf(input({ jobs: [warned] }))).toMatchObject([
      {
        owner: 'ana',
        toDo: 1,
        tasks: [
          {
            urgency: 'check',
            what: 'job "tune" runs as "us-tune": properties.command: it names the old workspace "fraud-east"; properties.environmentVariables.SAS: it holds a signature of account "a"',
            action: 'See that it means nothing there; if it does, correct it and submit again.',
          },
        ],
      },
    ]);
  });

  it('keeps its warning next to what else there is to know of it', () => {
    const passedOver = { name: 'ckpt-9', why: 'a file was missing' };
    const [group] = tasksOf(input({ jobs: [{ ...warned, passedOver }] }));
    expect(group?.tasks.map(({ urgency }) => urgency)).toEqual(['check', 'know']);
  });

  it('is in the list of jobs of all three forms', () => {
    const example = exampleInput();
    const jobs = example.evidence.find(({ kind }) => kind === 'jobs');
    if (jobs) jobs.content = [warned];
    const report = buildReport(example);
    expect(report.jobs[0]?.warnings).toEqual(warnings);
    for (const form of [renderHtml(report), renderText(report, { columns: 300 })]) {
      const listed = form.slice(form.search(/JOBS|Every job/));
      expect(listed).toContain('warning');
      expect(listed).toMatch(/properties.command: it names the old workspace (&quot;|")fraud-east/);
    }
  });
});

describe('after a cancel', () => {
  const cancelled = (more: Partial<TaskInput>) => tasksOf(input({ cancelled: true, ...more }));
  const touched = (name: string, more: Partial<TouchedJob>): TouchedJob => ({
    name,
    owner: 'ana',
    status: 'Running',
    situation: 'it may run on in eastus, and its successor "us-x" was submitted in westus3 and is not cancelled',
    action: 'cancel the successor, or the job runs twice',
    reason: '',
    twice: true,
    ...more,
  });

  it('a job that runs twice is urgent, above one that runs nowhere, and each has its action', () => {
    const ended = { situation: 'it runs nowhere', action: 'submit it again in eastus', twice: false };
    const [group] = cancelled({ touched: [touched('ended', ended), touched('both', {})] });
    expect(group?.tasks).toEqual([
      {
        urgency: 'urgent',
        what: 'job "both": it may run on in eastus, and its successor "us-x" was submitted in westus3 and is not cancelled',
        action: 'Cancel the successor, or the job runs twice.',
      },
      { urgency: 'again', what: 'job "ended": it runs nowhere', action: 'Submit it again in eastus.' },
    ]);
  });

  it('nobody is sent to the region that was not moved to', () => {
    const groups = cancelled({
      lost: [
        { step: 'computes', text: 'compute box: not a cluster' },
        { text: '2 file shares left behind', kind: 'file shares' },
      ],
      jobs: [job({ old: 'notebook' }), job({ old: 'tune', class: 'resubmit', outcome: 'failed' })],
      failed: [{ state: 'failed', step: 's', title: 'Scale up', reason: 'no quota' }],
      actionOf: () => 'scaleComputes',
    });
    expect(groups).toEqual([]);
  });

  it('a successor is urgent, where which jobs the run has touched cannot be read', () => {
    const [group] = cancelled({
      jobs: [job({ old: 'tune', new: 'us-tune', class: 'resubmit', outcome: 'submitted' })],
    });
    expect(group?.tasks).toMatchObject([
      { urgency: 'urgent', action: 'Cancel the successor, or the job may run twice.' },
    ]);
  });

  it('what could not be undone is urgent, and nothing of it is to be retried', () => {
    const [group] = cancelled({
      notUndone: [{ step: 's', text: '"Scale up" could not be undone: no answer' }],
      failed: [{ state: 'failed', step: 't', title: 'Score', reason: 'no answer' }],
    });
    expect(group?.tasks).toMatchObject([
      { urgency: 'urgent', action: expect.stringContaining('understudy cancel r1') },
    ]);
  });
});

describe('what a loss asks for', () => {
  it.each([
    [
      'references to nothing',
      undefined,
      /^Nothing to do if these jobs write there first; otherwise correct their inputs/,
    ],
    ['references', undefined, /^Correct what refers to it/],
    ['file shares', undefined, /^See whether anything in westus3 needs it, and bring it there by hand/],
    [undefined, 'deployTemplate', /^Declare it in the template, then put it back in westus3\.$/],
    [undefined, 'scaleComputes', /^Create it again in westus3, if it is needed/],
    [undefined, 'endZombies', /^Submit it again in eastus, if it is needed/],
  ] as const)('of kind %s and step %s', (kind, action, advice) => {
    const lost = [{ text: 'lost', ...(kind && { kind }), ...(action && { step: 's' }) }];
    const [group] = tasksOf(input({ lost, actionOf: () => action }));
    expect(group?.tasks[0]?.action).toMatch(advice);
  });

  it('of a region that was left is looked at where the step brought it from there', () => {
    const lost = [{ text: '2 file shares left behind', kind: 'file shares', step: 'found-list' }];
    const [group] = tasksOf(input({ lost, actionOf: () => 'listActive', targetOf: () => 'eastus2' }));
    expect(group?.tasks[0]?.action).toMatch(/^See whether anything in eastus2 needs it/);
  });

  it('is known by what the recovery point left behind', () => {
    const example = exampleInput();
    const leftBehind = [{ kind: 'references', reason: 'to nothing', count: 1, examples: ['jobs/a: nothing at b'] }];
    example.lost = ['1 reference left behind: to nothing (jobs/a: nothing at b)'];
    const { lost } = buildReport({ ...example, recoveryPoint: { ...example.recoveryPoint!, leftBehind } });
    expect(lost).toContainEqual({ kind: 'references to nothing', text: example.lost[0] });
  });
});

describe('a replication that failed', () => {
  const failed = [{ state: 'failed', step: 's', title: 'Seal', reason: 'the epoch is 2' } as const];

  it('is not retried', () => {
    const [group] = tasksOf(input({ failed, again: 'replicate' }));
    expect(group?.tasks[0]?.action).toBe('Correct what is named, then "understudy replicate".');
  });

  it('is not urgent once a move has overtaken it: nothing is wrong with it', () => {
    const overtaken = { writer: 'westus3', epoch: 2, only: true };
    const [group] = tasksOf(input({ failed, again: 'replicate', overtaken }));
    expect(group?.tasks).toEqual([
      {
        urgency: 'again',
        what: 'overtaken by a move to westus3 (epoch 2): nothing is wrong with it',
        action: 'Run "understudy replicate" for a recovery point of westus3.',
      },
    ]);
    const [other] = tasksOf(input({ failed, again: 'replicate', overtaken: { ...overtaken, only: false } }));
    expect(other?.tasks[0]?.what).toMatch(/: it cannot be continued$/);
  });
});

describe('the title', () => {
  it('has next to it the RTO and the RPO of the class that did worst against its objective', () => {
    const report = buildReport(exampleInput());
    expect(worstMeasures(report.objectives)).toMatchObject([
      { name: 'RTO', class: 'training', verdict: 'missed', objectiveSeconds: 180, measuredMs: 289_000 },
      { name: 'RPO', class: 'training', verdict: 'missed', objectiveSeconds: 60, measuredMs: 525_000 },
    ]);
    const page = renderHtml(report);
    const title = page.slice(page.indexOf('<div class="title">'), page.indexOf('<main'));
    expect(title.replaceAll(/<[^>]+>|\s+/g, ' ').replaceAll(/ +/g, ' ')).toContain(
      'RTO training 4m 49s of 3m 00s ✗ missed RPO training 8m 45s of 1m 00s ✗ missed',
    );
  });
});
