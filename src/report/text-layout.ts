/** Lines and columns of plain text, measured in terminal cells instead of letters. */

/** Characters that need two cells: East Asian wide and full-width letters, and emoji. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
const widthless = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Counts the cells of a text without control characters (see `visible`). */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += cellsOf(letter);
  return width;
}

function cellsOf(letter: string): number {
  if (widthless.test(letter)) return 0;
  return wide.test(letter) ? 2 : 1;
}

/** Puts text on one line and removes controls and direction marks, so that no name can affect the terminal. */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\s*[\r\n\t]+\s*/g, ' ')
    .replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

/** Cuts to at most `cells`, by whole letters. A cut text ends with "…". */
export function cut(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = '';
  let width = 0;
  for (const letter of text) {
    width += cellsOf(letter);
    if (width > cells - 1) break;
    kept += letter;
  }
  return cells < 1 ? '' : `${kept}…`;
}

/** Cuts to at most `cells`, by whole letters. A longer text keeps its beginning and its end, with "…" between. */
export function cutMiddle(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  if (cells < 3) return cut(text, cells);
  let end = '';
  for (const letter of Array.from(text).toReversed()) {
    if (widthOf(letter + end) > (cells - 1) / 2) break;
    end = letter + end;
  }
  return cut(text, cells - widthOf(end)) + end;
}

/** Pads to exactly `cells`. A longer text is left unchanged. */
export function padTo(text: string, cells: number, side: 'left' | 'right' = 'right'): string {
  const fill = ' '.repeat(Math.max(0, cells - widthOf(text)));
  return side === 'right' ? text + fill : fill + text;
}

/** Breaks at spaces. A word wider than a line is kept whole on its own line, so that paths can still be copied. */
export function wrap(text: string, columns: number, first = '', rest = ''): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of visible(text).split(' ')) {
    if (!empty && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line.trimEnd());
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

const gap = '  ';

/** A number, a duration such as "2m 05s", a range of two durations, or none. */
const figure = /^([\d.]+[a-z]*( \d\d[a-z])?( to [\d.]+[a-z]*( \d\d[a-z])?)?|–)$/;

/**
 * A heading and rows, indented by two spaces. Columns of figures are aligned right. If the table is too wide, only the
 * column `cuttable` is cut, with "…": half a figure would be a wrong one.
 */
export function tableOf(head: string[], rows: string[][], columns: number, cuttable?: number): string[] {
  const cells = [head, ...rows].map((row) => row.map(visible));
  const widths = head.map((_, index) => Math.max(...cells.map((row) => widthOf(row[index] ?? ''))));
  const excess = widths.reduce((sum, width) => sum + width + gap.length, 0) - columns;
  if (excess > 0 && cuttable !== undefined) widths[cuttable] = Math.max(4, (widths[cuttable] ?? 0) - excess);
  const figures = head.map((_, index) => rows.length > 0 && rows.every((row) => figure.test(row[index] ?? '')));
  return cells.map((row) =>
    row
      .map((cell, index) => padTo(cut(cell, widths[index] ?? 0), widths[index] ?? 0, figures[index] ? 'left' : 'right'))
      .map((cell) => gap + cell)
      .join('')
      .trimEnd(),
  );
}
