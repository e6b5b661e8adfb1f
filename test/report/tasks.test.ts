/** What people must do: by owner, the most urgent first, with an action; and what they need only know. */
import { describe, expect, it } from 'vitest';
import type { JobEvidence } from '../../src/report/evidence.ts';
import { renderHtml } from '../../src/report/html/html.ts';
import { buildReport } from '../../src/report/report.ts';
import { countTasks, tasksOf, type TaskInput } from '../../src/report/tasks.ts';
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
  lost: [],
  notUndone: [],
  failed: [],
  owed: [],
  jobs: [],
  actionOf: () => undefined,
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
      action: 'Let nobody write there. When eastus answers, "understudy replicate" pays what is owed.',
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
