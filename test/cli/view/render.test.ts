import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { showProgress } from '../../../src/cli/view/progress-bar.ts';
import { showBytes } from '../../../src/topology/figures.ts';
import { renderProgress } from '../../../src/cli/view/render.ts';
import { widthOf } from '../../../src/report/text-layout.ts';
import { compileFailover } from '../../../src/plan/compile.ts';
import type { RunProgress } from '../../../src/run/progress.ts';
import { compileInput, recoveryPoint } from '../../plan/inputs.ts';
import { at } from '../../report/example-run.ts';
import { progressAt, withStep } from './example-progress.ts';

const options = (seconds: number) => ({ columns: 100, colour: false, now: new Date(at(seconds)) });
const linesAt = (seconds: number, more: object = {}) =>
  renderProgress(progressAt(seconds), { ...options(seconds), ...more }).split('\n');

describe('renderProgress', () => {
  it('shows the run, its phases in order, and what is owed before them', () => {
    const lines = linesAt(50);
    expect(lines[0]).toBe('failover of fraud-ml: eastus → westus3 · running · 50.0s');
    expect(lines[1]).toBe('  1 owed to eastus');
    const phases = lines.flatMap((line) => /^ {2}\S (\w+) +\d of \d/.exec(line)?.[1] ?? []);
    expect(phases).toEqual(['fence', 'provision', 'restore', 'configure', 'verify', 'switch', 'resume']);
  });

  it('shows a step below its phase and class, with its time and how much is done', () => {
    const lines = linesAt(50);
    const step = lines.findIndex((line) => line.includes('Copy 212 blobs'));
    expect(lines[step]).toMatch(/^ {6}\S Copy 212 blobs into frauddrwest {2}46\.6s {2}███░+ 53 of 212 blobs, 6\.0 MB$/);
    expect(lines[step - 1]?.trim()).toBe('data');
    expect(lines[step - 2]).toMatch(/restore +0 of 2 {2}46\.6s/);
  });

  it('keeps to the width, in wide letters too, and colours without changing the text', () => {
    const wide = withStep(progressAt(50), 'restore/data/restoreBlobs', {
      title: '容器を西へ複製する🚀'.repeat(9),
    });
    for (const columns of [20, 37, 80]) {
      const plain = renderProgress(wide, { ...options(50), columns });
      for (const line of plain.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      const coloured = renderProgress(wide, { ...options(50), columns, colour: true });
      expect(coloured).not.toBe(plain);
      expect(stripVTControlCharacters(coloured)).toBe(plain);
    }
  });

  it('folds what is finished before what goes on, and never what failed, was lost or is owed', () => {
    const whole = linesAt(100);
    const folded = linesAt(100, { rows: 17 });
    expect(whole.length).toBeGreaterThan(17);
    expect(folded.length).toBeLessThanOrEqual(17);
    const text = folded.join('\n');
    expect(text).not.toContain('Take the region pointer');
    for (const kept of ['1 owed  fraud-east', 'Copy 212 blobs', 'Score through', 'resume'])
      expect(text).toContain(kept);
  });

  it('says how much it cut where nothing is left to fold', () => {
    const lines = linesAt(100, { rows: 5 });
    expect(lines).toHaveLength(5);
    expect(lines[4]).toMatch(/… \d+ more lines/);
  });

  it('shows what went wrong last, and which attempt this is', () => {
    const progress = withStep(progressAt(50), 'restore/data/restoreBlobs', {
      attempt: 3,
      lastError: 'throttled (HTTP 429)',
    });
    expect(renderProgress(progress, options(50))).toContain('attempt 3: throttled (HTTP 429)');
  });

  it('says why it waits, and that it is paused', () => {
    const progress = {
      ...progressAt(50),
      state: 'waiting' as const,
      reason: 'for approval before switch',
      paused: true,
    };
    const text = renderProgress(progress, options(50));
    expect(text).toContain('waiting, paused');
    expect(text).toContain('  for approval before switch');
  });

  it('marks a phase by its worst step', () => {
    const failed = withStep(progressAt(100), 'restore/data/restoreBlobs', {
      state: 'failed',
      detail: 'digest mismatch',
    });
    expect(renderProgress(failed, options(100))).toMatch(/^ {2}✗ restore/m);
    const undone = withStep(progressAt(100), 'provision/training/scaleComputes', { state: 'undo-failed' });
    expect(renderProgress(undone, options(100))).toMatch(/^ {2}‼ provision/m);
  });

  it('shows steps of operations without phases', () => {
    const progress = progressAt(50);
    const steps = progress.steps.slice(0, 2).map((step) => {
      const { phase: _phase, ...rest } = step;
      return rest;
    });
    const lines = renderProgress({ ...progress, operation: 'replicate', steps }, options(50)).split('\n');
    expect(lines.slice(2)).toEqual([
      '  platform',
      expect.stringMatching(/^ {4}✓ Take/),
      expect.stringMatching(/^ {4}✓ Stop/),
    ]);
  });

  it('stops the clock when the run ends, and lets no clock run backwards', () => {
    expect(renderProgress(progressAt(300), options(9999))).toContain('completed · 3m 35s');
    expect(renderProgress(progressAt(2), options(-5))).toContain('running · 0ms');
  });

  it('lets no title steer the terminal', () => {
    const progress = withStep(progressAt(50), 'restore/data/restoreBlobs', { title: 'a\u001B[2J\nb' });
    expect(renderProgress(progress, options(50))).not.toContain('\u001B');
    expect(renderProgress(progress, options(50)).split('\n')).toHaveLength(linesAt(50).length);
  });
});

describe('on a terminal of 40 columns', () => {
  const compiled = compileFailover({
    ...compileInput(),
    recoveryPoint: recoveryPoint(),
    acceptedLosses: [],
  });
  const progress: RunProgress = {
    ...progressAt(50),
    steps: compiled.steps.map(({ id, class: ofClass, title, phase }) => ({
      id,
      class: ofClass,
      title,
      state: 'running',
      startedAt: at(0),
      ...(phase && { phase }),
    })),
  };
  const words = (text: string) => text.replaceAll(/\s+/g, ' ');

  it('every title of a real plan is there, whole', () => {
    const text = renderProgress(progress, { ...options(50), columns: 40 });
    for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(40);
    for (const { title } of progress.steps) expect(words(text)).toContain(words(title));
  });

  it('steps can be told apart where the height is short too', () => {
    const lines = renderProgress(progress, {
      ...options(50),
      columns: 40,
      rows: progress.steps.length + 9,
    }).split('\n');
    const steps = lines.filter((line) => /^ {4}\S /.test(line)).map((line) => line.slice(6));
    expect(steps).toHaveLength(progress.steps.length);
    expect(new Set(steps).size).toBe(steps.length);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40);
  });

  it('the run says how it stands, and a step what goes wrong, below', () => {
    const failing = withStep(progressAt(50), 'restore/data/restoreBlobs', {
      attempt: 3,
      lastError: 'HTTP 429',
    });
    const lines = renderProgress(failing, { ...options(50), columns: 40 }).split('\n');
    expect(lines.slice(0, 2)).toEqual(['failover of fraud-ml: eastus → westus3', '  running · 50.0s']);
    expect(lines).toContain('        attempt 3: HTTP 429');
  });
});

describe('the progress bar', () => {
  it('is full only when all is done', () => {
    expect(showProgress({ unit: 'jobs', done: 999, total: 1000 })).toBe('███████████░ 999 of 1000 jobs');
    expect(showProgress({ unit: 'jobs', done: 5, total: 5 })).toBe('████████████ 5 of 5 jobs');
  });

  it('shows no share of an unknown whole', () => {
    expect(showProgress({ unit: 'blobs', done: 7, bytes: 1500 })).toBe('7 blobs, 1.5 kB');
    expect(showProgress({ unit: 'blobs', done: 0, total: 0 })).toBe('0 blobs');
  });

  it('counts bytes in thousands', () => {
    expect([0, 999, 1000, 999_960, 24_100_000].map(showBytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.0 MB', '24.1 MB']);
  });
});
