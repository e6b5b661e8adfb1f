import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/html.ts';
import { buildReport } from '../../src/report/report.ts';
import { renderText } from '../../src/report/text.ts';
import { cut, tableOf, visible, widthOf, wrap } from '../../src/report/text-layout.ts';
import { at, configsEvidence, exampleInput } from './example-run.ts';

describe('the text report', () => {
  it('begins with what people must do, the most urgent first, with the action', () => {
    const lines = renderText(buildReport(exampleInput())).split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'FOR PEOPLE TO DO (4), THE MOST URGENT FIRST',
      '  Those who run fraud-ml:',
      '    ‼ urgent: eastus is not shut out yet: its unfinished jobs may run on',
      '      → Let nobody write there. "understudy reprotect" pays it once eastus answers.',
      '    − lost: blob raw/2026-11-21.csv: only an older version is in the recovery point',
      '      → Put it back from a backup, or make it again.',
    ]);
  });

  it('has the RTO and the RPO that were worst against their objectives in its summary', () => {
    const text = renderText(buildReport(exampleInput()));
    expect(text).toMatch(/^ {2}RTO +4m 49s of 3m 00s: training \(missed\)$/m);
    expect(text).toMatch(/^ {2}RPO +8m 45s of 1m 00s: training \(missed\)$/m);
  });

  it('says between which times an outage began, and what the RTO is at least and at most', () => {
    const input = exampleInput();
    input.header.answeredAt = at(-120);
    input.header.outageSource = 'first failed health check';
    const report = buildReport(input);
    expect(renderText(report, { columns: 200 })).toContain(
      'between 2026-11-21 09:58:00 UTC (eastus answered) and 2026-11-21 09:58:45 UTC (first failed health check)',
    );
    expect(renderText(report)).toMatch(/^ {2}RTO +4m 49s to 5m 34s of 3m 00s: training \(missed\)$/m);
    expect(renderText(report)).toMatch(/inference +RTO +5m 00s +4m 06s to 4m 51s/);
    const page = renderHtml(report);
    for (const shown of [
      '4m 49s to 5m 34s',
      '(eastus answered) and',
      'class="uncertain"',
      'measured to the later time',
    ])
      expect(page).toContain(shown);
  });

  it('says of a class that is nearest to its limit that it is, where another took longer', () => {
    const input = exampleInput();
    input.topology.objectives = { inference: { rto: '5m' }, training: { rto: '1h' } };
    const report = buildReport(input);
    expect(renderText(report)).toMatch(/^ {2}RTO +4m 06s of 5m 00s: inference, nearest to its limit \(met\)$/m);
    expect(renderHtml(report)).toContain('inference, nearest to its limit');
  });

  it('calls a move of a region that answers planned', () => {
    const input = exampleInput();
    delete input.header.outageBeganAt;
    delete input.header.outageSource;
    const outage = () => /outage began +(.+)/.exec(renderText(buildReport(input)))?.[1];
    expect(outage()).toBe('not known');
    input.header.answeredAt = at(1);
    expect(outage()).toBe('planned: counted from the trigger');
  });

  it('has what is only good to know in a part of its own, and does not count it', () => {
    const input = exampleInput();
    const jobs = input.evidence.find(({ kind }) => kind === 'jobs');
    const job = { class: 'restart', outcome: 'submitted', reason: 'no checkpoint', status: 'Running', new: 'us-a' };
    if (jobs) jobs.content = [{ ...job, old: 'nightly', owner: 'ana' }];
    const report = buildReport(input);
    const text = renderText(report, { columns: 120 });
    const [toDo = '', know = ''] = text.split('\n\n');
    expect(toDo).toMatch(/^FOR PEOPLE TO DO \(2\)/);
    expect(toDo).not.toContain('nightly');
    expect(know).toBe('GOOD TO KNOW\n  ana:\n    · job "nightly" starts again by itself: no checkpoint');
    const page = renderHtml(report);
    const red = page.slice(page.indexOf('class="notice bad"'), page.indexOf('class="notice quiet"'));
    expect(red).toContain('What people must do (2)');
    expect(red).not.toContain('nightly');
    expect(page.slice(page.indexOf('class="notice quiet"'))).toContain('Good to know');
  });

  it('says of the jobs how many go on from where, and how many are left for people', () => {
    expect(renderText(buildReport(exampleInput()), { full: false })).toMatch(
      /^JOBS \(5: 2 from their checkpoints, 1 from the beginning, 2 for people\)$/m,
    );
  });

  it('has no phases where the operation has none', () => {
    const input = exampleInput();
    input.plan.steps = input.plan.steps.map(({ phase: _phase, ...step }) => step);
    const report = buildReport(input);
    const brief = renderText(report, { full: false });
    expect(brief).not.toMatch(/PHASES|STEPS|[✓◐] steps/);
    expect(renderText(report)).toMatch(/^STEPS \(13 steps: /m);
    expect(renderText(report)).toContain('Take the region pointer with epoch 2 (completed, 2.2s)');
    expect(renderHtml(report)).not.toMatch(/steps \/ platform|class="row phase"/);
  });

  it('names a step that was skipped, and its reason', () => {
    expect(renderText(buildReport(exampleInput()))).toContain(
      '  ○ configure/platform/configureConnections: the workspace has no connections',
    );
  });

  it('says in its headline the beginning of a long reason', () => {
    const input = exampleInput();
    input.state = 'failed';
    input.stateReason = 'x'.repeat(1500);
    const { headline, run } = buildReport(input);
    expect(headline.length).toBeLessThan(600);
    expect(run.stateReason).toHaveLength(1500);
  });

  it('adds up what several steps counted of one kind in one phase', () => {
    const input = exampleInput();
    const models = { kind: 'models', expected: 3, done: 1, failed: [{ reason: 'refused', count: 2 }] };
    const other = input.records.find(({ step }) => step === 'restore/data/restoreBlobs');
    other?.counts?.push({ ...models, skipped: [] });
    const lines = renderText(buildReport(input), { columns: 120 }).split('\n');
    const total = lines.filter((line) => line.includes('total of 2 steps'));
    expect(total.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['models', 'total of 2 steps', '10', '8', '0', '2', 'yes'],
    ]);
  });

  it.each([100, 72])('fits %i columns, but for what cannot be broken', (columns) => {
    const tooWide = renderText(buildReport(exampleInput()), { columns })
      .split('\n')
      .filter((line) => widthOf(line) > columns)
      // One word, such as a path, is left whole to be copied.
      .filter((line) => line.trim().includes(' '));
    expect(tooWide).toEqual([]);
  });

  it('has RTO from both beginnings, and what a person was waited for', () => {
    const line = renderText(buildReport(exampleInput()))
      .split('\n')
      .find((each) => /inference +RTO/.test(each));
    expect(line?.trim().split(/ {2,}/)).toEqual(['inference', 'RTO', '5m 00s', '4m 06s', '2m 51s', '42.0s', 'met']);
  });

  it('carries the diffs whole, and only when asked for everything', () => {
    const report = buildReport(exampleInput());
    const indented = (configsEvidence[0]?.diff ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => `      ${line}`)
      .join('\n');
    expect(renderText(report)).toContain(indented);
    expect(renderText(report, { full: false })).not.toContain('@@');
  });

  it('says of a config file that was not restored why', () => {
    const input = exampleInput();
    const kept = input.evidence.find(({ kind }) => kind === 'configs');
    if (kept) kept.content = [{ ...configsEvidence[0], reason: 'edited after run move' }];
    const text = renderText(buildReport(input), { columns: 200 });
    expect(text).toContain('/etc/ml/config.json: changed (edited after run move), 2 values rewritten, commit 4f2a91c');
  });

  it('is the same with colours taken away', () => {
    const report = buildReport(exampleInput());
    const coloured = renderText(report, { colour: true });
    expect(coloured).toContain('\u001B[');
    expect(stripVTControlCharacters(coloured)).toBe(renderText(report));
  });

  it('lets no name steer the terminal', () => {
    const input = exampleInput();
    input.header.reason = 'down\u001B[2J\r\nLOST (0)';
    for (const record of input.records) record.detail = '\u001B]0;title\u0007';
    const text = renderText(buildReport(input));
    expect(text).not.toContain('\u001B');
    expect(text).not.toMatch(/^LOST \(0\)/m);
  });
});

describe('text layout', () => {
  it('measures cells, not letters', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('🚀')).toBe(2);
  });

  it('cuts by whole letters', () => {
    expect(cut('日本語', 4)).toBe('日…');
    expect(cut('a🚀b', 3)).toBe('a…');
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('abc', 0)).toBe('');
  });

  it('wraps at spaces and leaves long words whole', () => {
    expect(wrap('one two three', 9, '- ', '  ')).toEqual(['- one two', '  three']);
    expect(wrap('a /very/long/path b', 6)).toEqual(['a', '/very/long/path', 'b']);
  });

  it('keeps text on one line', () => {
    expect(visible('a\r\n\tb\u0007')).toBe('a b\uFFFD');
  });

  it('cuts the one column of a table that may be cut, never a figure', () => {
    const lines = tableOf(['kind', 'step', 'done'], [['blobs', 'x'.repeat(50), '123456']], 30, 1);
    expect(lines[1]).toBe(`  blobs  ${'x'.repeat(12)}…  123456`);
  });
});
