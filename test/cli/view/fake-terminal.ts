/** A terminal as far as a view needs one: wraps, moves up, erases below, reflows when it is resized. */
import { EventEmitter } from 'node:events';
import type { ViewStream } from '../../../src/cli/view/index.ts';
import { widthOf } from '../../../src/report/text-layout.ts';

export interface FakeTerminal extends ViewStream {
  isTTY: true;
  columns: number;
  rows: number;
  /** What a person sees, scrolled-away lines included, without empty lines at the end. */
  screen(): string[];
  resize(columns: number, rows: number): void;
  cursorShown: boolean;
  /** Everything that was written. */
  written: string;
  listeners(): number;
}

const escape = '\u001B';
const tokens = new RegExp(`${escape}\\[\\??[\\d;]*[A-Za-z]|\\r|\\n|[^${escape}\\r\\n]+`, 'g');

export function fakeTerminal(columns = 100, rows = 40): FakeTerminal {
  const events = new EventEmitter();
  /** Lines as they were written; a terminal line that wraps is one of these. */
  let lines: string[] = [''];
  let row = 0;

  const wrappedRows = (line: string, width: number) => Math.max(1, Math.ceil(widthOf(line) / width));

  const self: FakeTerminal = {
    isTTY: true,
    columns,
    rows,
    cursorShown: true,
    written: '',
    write(text) {
      self.written += text;
      for (const part of text.match(tokens) ?? []) apply(part);
      return true;
    },
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    screen: () => lines.join('\n').trimEnd().split('\n'),
    resize(newColumns, newRows) {
      self.columns = newColumns;
      self.rows = newRows;
      events.emit('resize');
    },
    listeners: () => events.listenerCount('resize'),
  };

  function apply(part: string): void {
    if (part === '\r') return;
    if (part === '\n') {
      row += 1;
      lines[row] ??= '';
      return;
    }
    const up = part.startsWith(escape) ? /^\[(\d+)A$/.exec(part.slice(1)) : null;
    if (up) {
      // Counted in rows of the screen as it is now: a line that wraps is several.
      let left = Number(up[1]);
      while (left > 0 && row > 0) {
        row -= 1;
        left -= wrappedRows(lines[row] ?? '', self.columns);
      }
      if (left < 0) throw new Error('moved into the middle of a wrapped line');
      if (left > 0) throw new Error('moved above the first line');
      return;
    }
    if (part === '\u001B[J') {
      lines = [...lines.slice(0, row), ''];
      return;
    }
    if (part === '\u001B[?25l') self.cursorShown = false;
    else if (part === '\u001B[?25h') self.cursorShown = true;
    else if (!part.startsWith('\u001B')) lines[row] = (lines[row] ?? '') + part;
  }
  return self;
}
