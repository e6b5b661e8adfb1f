/**
 * Shows a run while it runs. On a terminal the tree is drawn in place; anywhere else (a pipe, CI, TERM=dumb) each
 * change is a line of its own.
 *
 *     const view = createView(process.stdout);
 *     for await (const progress of watch(run)) view.update(progress);
 *     view.finish();
 */
import { stripVTControlCharacters } from 'node:util';
import { widthOf } from '../../report/text-layout.ts';
import type { RunProgress } from '../../run/progress.ts';
import { allowsColour, isCi } from './colour.ts';
import { changeDescriber } from './lines.ts';
import { renderProgress } from './render.ts';

/** What a view needs of `process.stdout`. */
export interface ViewStream {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** Environment variables and clock; by default those of the process. */
export interface ViewOptions {
  env?: Record<string, string | undefined>;
  now?: () => Date;
}

/** A live view of a run. */
export interface View {
  /** Undefined: nothing newer is known, and what is shown stays. */
  update(progress: RunProgress | undefined): void;
  /** Prints a line that stays, above the tree. */
  print(line: string): void;
  /** Draws the last known state, complete, and releases the terminal. May be called more than once. */
  finish(): void;
}

/** A view on `stream`: the tree on a terminal, plain lines anywhere else. */
export function createView(stream: ViewStream, { env = process.env, now = () => new Date() }: ViewOptions = {}): View {
  return drawsInPlace(stream, env) ? terminalView(stream, allowsColour(env), now) : plainView(stream, now);
}

function drawsInPlace(stream: ViewStream, env: Record<string, string | undefined>): boolean {
  return stream.isTTY === true && !isCi(env) && env.TERM !== 'dumb';
}

function plainView(stream: ViewStream, now: () => Date): View {
  const describe = changeDescriber();
  return {
    update(progress) {
      if (!progress) return;
      const lines = describe(progress, now());
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`);
    },
    print: (line) => void stream.write(`${line}\n`),
    finish: () => undefined,
  };
}

const frameMs = 100;
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
/** Terminals that support it show a frame at once; the others ignore it. */
const beginFrame = '\u001B[?2026h';
const endFrame = '\u001B[?2026l';

function terminalView(stream: ViewStream, colour: boolean, now: () => Date): View {
  let latest: RunProgress | undefined;
  let drawn: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  const columns = () => Math.max(20, stream.columns ?? 80);
  /** Back to where the last frame began: after a resize its lines may take more rows than before. */
  const erase = (): string => {
    if (drawn.length === 0) return '';
    const rows = drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / columns())),
      0,
    );
    return `\u001B[${rows}A\r\u001B[J`;
  };
  const draw = (whole = false, above = ''): void => {
    if (!latest) return void stream.write(above);
    const room = whole || stream.rows === undefined ? {} : { rows: Math.max(2, stream.rows - 1) };
    const text = renderProgress(latest, { columns: columns() - 1, ...room, colour, now: now() });
    const lines = text.split('\n');
    stream.write(`${beginFrame}${erase()}${above}${text}\n${endFrame}`);
    drawn = lines;
  };
  const redraw = (): void => draw();
  const cursor = guardCursor(stream);

  return {
    update(progress) {
      if (!progress) return;
      latest = progress;
      if (timer === undefined) {
        // Registered first: a signal between the two must not leave the cursor hidden.
        cursor.arm();
        stream.write(hideCursor);
        stream.on('resize', redraw);
        timer = setInterval(redraw, frameMs);
        // The spinner alone does not keep the process alive.
        timer.unref();
      }
      draw();
    },
    print: (line) => draw(false, `${line}\n`),
    finish() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      stream.off('resize', redraw);
      draw(true);
      drawn = [];
      latest = undefined;
      cursor.release();
    },
  };
}

/** However the process ends while a view is open, the cursor is shown again. */
function guardCursor(stream: ViewStream): { arm(): void; release(): void } {
  const restore = (): void => void stream.write(showCursor);
  const onSignal = (signal: NodeJS.Signals): void => {
    restore();
    disarm();
    // Nobody else handles the signal: then it ends the process, as it would without this view.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const disarm = (): void => {
    process.off('exit', restore);
    for (const signal of signals) process.off(signal, onSignal);
  };
  return {
    arm() {
      process.once('exit', restore);
      // Before any other listener: a `once` listener is no longer counted when it has been called.
      for (const signal of signals) process.prependListener(signal, onSignal);
    },
    release() {
      disarm();
      restore();
    },
  };
}
