import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildReport } from '../../src/report/report.ts';
import { renderText } from '../../src/report/text.ts';
import { cut, tableOf, visible, widthOf, wrap } from '../../src/report/text-layout.ts';
import { configsEvidence, exampleInput } from './example-run.ts';

describe('the text report', () => {
  it('begins with what people must do, the most urgent first, with the action', () => {
    const lines = renderText(buildReport(exampleInput())).split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'FOR PEOPLE TO DO (4), THE MOST URGENT FIRST',
      '  Those who run fraud-ml:',
      '    ‼ urgent: eastus is not shut out yet: its unfinished jobs may run on',
      '      → Let nobody write there. When eastus answers, "understudy replicate" pays what is owed.',
      '    − lost: blob raw/2026-11-21.csv: only an older version is in the recovery point',
      '      → Put it back from a backup, or make it again.',
    ]);
  });

  it('has the RTO and the RPO that were worst against their objectives in its summary', () => {
    const text = renderText(buildReport(exampleInput()));
    expect(text).toMatch(/^ {2}RTO +4m 49s of 3m 00s: training \(missed\)$/m);
    expect(text).toMatch(/^ {2}RPO +8m 45s of 1m 00s: training \(missed\)$/m);
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
