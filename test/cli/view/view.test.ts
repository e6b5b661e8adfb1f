import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { renderProgress } from '../../../src/cli/view/render.ts';
import { createView } from '../../../src/cli/view/index.ts';
import { at } from '../../report/example-run.ts';
import { progressAt } from './example-progress.ts';
import { fakeTerminal } from './fake-terminal.ts';

let seconds = 0;
const now = () => new Date(at(seconds));
const env = { NO_COLOR: '1' };
const frame = (columns: number, rows?: number) =>
  renderProgress(progressAt(seconds), {
    columns: columns - 1,
    colour: false,
    now: now(),
    ...(rows !== undefined && { rows: rows - 1 }),
  }).split('\n');

beforeEach(() => {
  seconds = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

describe('a view on a terminal', () => {
  it('draws in place: only the last frame is on the screen', () => {
    const terminal = fakeTerminal(100, 60);
    const view = createView(terminal, { env, now });
    for (seconds = 0; seconds < 120; seconds += 10) view.update(progressAt(seconds));
    seconds -= 10;
    expect(terminal.screen()).toEqual(frame(100, 60));
    view.finish();
  });

  it('turns its spinner between updates', () => {
    const terminal = fakeTerminal();
    const view = createView(terminal, { env, now });
    seconds = 50;
    view.update(progressAt(seconds));
    const before = terminal.screen().join('\n');
    seconds = 50.1;
    vi.advanceTimersByTime(100);
    expect(terminal.screen().join('\n')).not.toBe(before);
    expect(terminal.screen()).toHaveLength(before.split('\n').length);
    view.finish();
  });

  it('leaves nothing behind when the window gets narrower, wider or lower', () => {
    const terminal = fakeTerminal(120, 60);
    const view = createView(terminal, { env, now });
    seconds = 50;
    view.update(progressAt(seconds));
    for (const [columns = 0, rows = 0] of [
      [60, 60],
      [33, 60],
      [140, 20],
      [90, 12],
    ]) {
      terminal.resize(columns, rows);
      expect(terminal.screen()).toEqual(frame(columns, rows));
      expect(terminal.screen().length).toBeLessThan(rows);
    }
    view.finish();
  });

  it('prints lines above the tree that stay', () => {
    const terminal = fakeTerminal();
    const view = createView(terminal, { env, now });
    view.print('before');
    seconds = 30;
    view.update(progressAt(seconds));
    view.print('in the middle');
    seconds = 60;
    view.update(progressAt(seconds));
    expect(terminal.screen()).toEqual(['before', 'in the middle', ...frame(100, 40)]);
    view.finish();
  });

  it('ends with the whole tree, the cursor back, and nothing left listening', () => {
    const terminal = fakeTerminal(100, 8);
    const listeners = process.listenerCount('exit') + process.listenerCount('SIGINT');
    const view = createView(terminal, { env, now });
    seconds = 220;
    view.update(progressAt(seconds));
    expect(terminal.cursorShown).toBe(false);
    view.finish();
    view.finish();
    expect(terminal.screen()).toEqual(frame(100));
    expect(terminal.cursorShown).toBe(true);
    expect(terminal.listeners()).toBe(0);
    expect(process.listenerCount('exit') + process.listenerCount('SIGINT')).toBe(listeners);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has colours unless NO_COLOR says no', () => {
    const written = (of: Record<string, string>) => {
      const terminal = fakeTerminal();
      const view = createView(terminal, { env: of, now });
      view.update(progressAt(0));
      view.finish();
      return terminal.written;
    };
    expect(written({})).toContain('\u001B[1m');
    expect(written({ NO_COLOR: '' })).toContain('\u001B[1m');
    expect(written({ NO_COLOR: '1' })).not.toContain('\u001B[1m');
  });
});

describe('a view elsewhere', () => {
  it.each([
    ['CI', { CI: 'true' }, true],
    ['a dumb terminal', { TERM: 'dumb' }, true],
    ['a pipe', {}, false],
  ])('writes lines without control characters: %s', (_, of, tty) => {
    const terminal = { ...fakeTerminal(), isTTY: tty, written: '' };
    const stream = { ...terminal, write: (text: string) => (terminal.written += text) };
    const view = createView(stream, { env: of, now });
    for (seconds = 0; seconds <= 220; seconds += 5) view.update(progressAt(seconds));
    view.finish();
    expect(terminal.written).not.toContain('\u001B');
    expect(terminal.written.trimEnd().split('\n')).toHaveLength(3 + 12 * 2 + 1);
  });
});

describe('a process that ends with its view open', () => {
  const program = `
    import { createView } from ${JSON.stringify(new URL('../../../src/cli/view/index.ts', import.meta.url).href)};
    import { progressAt } from ${JSON.stringify(new URL('./example-progress.ts', import.meta.url).href)};
    const stream = { isTTY: true, columns: 80, rows: 20, write: (text) => process.stdout.write(text), on() {}, off() {} };
    if (process.argv[1] === 'handled') process.once('SIGINT', () => setTimeout(() => process.exit(5), 20));
    createView(stream, { env: {} }).update(progressAt(5));
    if (process.argv[1] === 'exit') process.exit(4);
    setInterval(() => undefined, 1000);
  `;

  it.each(['exit', 'SIGINT', 'SIGTERM'] as const)('gives the cursor back: %s', async (way) => {
    vi.useRealTimers();
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, way], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '' && way !== 'exit') child.kill(way);
      output += text;
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(output.lastIndexOf('\u001B[?25h')).toBeGreaterThan(output.lastIndexOf('\u001B[?25l'));
    expect(way === 'exit' ? code : signal).toBe(way === 'exit' ? 4 : way);
  });

  it('leaves a signal to whoever handles it', async () => {
    vi.useRealTimers();
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, 'handled'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect(await once(child, 'close')).toEqual([5, null]);
  });
});
