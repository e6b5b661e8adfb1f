/** Tables that become lists of cards on a phone. For a screen reader they are always tables. */
import { html, type Insert, type Markup } from './markup.ts';
import { unknown } from '../wording.ts';

/** A column of a table. */
export interface Column {
  label: string;
  numeric?: boolean;
  /** A column of single words, which are not broken. */
  words?: boolean;
  /** A column of names with hyphens: wide enough to break at those. */
  name?: boolean;
}

/** Rows under a heading of their own. */
export interface Group {
  heading?: string;
  rows: Insert[][];
}

/**
 * The first cell of a row is its header. A column that is empty in every row is omitted. ARIA roles are explicit,
 * because the phone's layout removes the implicit ones.
 */
export function table(caption: Insert, allColumns: Column[], allGroups: Group[]): Markup {
  const isKept = (_: unknown, index: number) =>
    index === 0 || allGroups.some(({ rows }) => rows.some((cells) => !isEmpty(cells[index])));
  const columns = allColumns.filter(isKept);
  const groups = allGroups.map(({ rows, ...group }) => ({
    ...group,
    rows: rows.map((cells) => cells.filter(isKept)),
  }));
  return html`<table role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map((column) => html`<th role="columnheader" scope="col" ${classOf(column)}>${column.label}</th>`)}
      </tr>
    </thead>
    ${groups.map((group) => bodyOf(group, columns))}
  </table>`;
}

function bodyOf({ heading, rows }: Group, columns: Column[]): Markup {
  return html`<tbody role="rowgroup" ${heading !== undefined && html` class="group"`}>
    ${
      heading !== undefined &&
      html`<tr role="row">
        <th role="rowheader" scope="rowgroup" colspan="${columns.length}">${heading}</th>
      </tr> `
    }${rows.map(
      (cells) =>
        html`<tr role="row">
          ${cells.map((cell, index) => cellOf(cell, columns[index], index))}
        </tr> `,
    )}
  </tbody> `;
}

function cellOf(cell: Insert, column: Column | undefined, index: number): Markup {
  if (index === 0) return html`<th role="rowheader" scope="row" ${classOf(column)}>${cell}</th>`;
  const extent = isEmpty(cell) ? 'empty' : isShort(cell) ? 'short' : undefined;
  return html`<td role="cell" data-label="${column?.label ?? ''}" ${classOf(column, extent)}>
    <span>${cell}</span>
  </td>`;
}

function isEmpty(cell: Insert): boolean {
  if (Array.isArray(cell)) return cell.every(isEmpty);
  return cell === undefined || cell === false || cell === '' || cell === unknown;
}

/** A word or two: not on a line of its own on a phone. */
function isShort(cell: Insert): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && cell.length <= 12);
}

function classOf(column: Column | undefined, extent?: 'empty' | 'short'): Markup | false {
  const classes = [column?.numeric && 'number', column?.words && 'words', column?.name && 'name', extent].filter(
    Boolean,
  );
  return classes.length > 0 && html` class="${classes.join(' ')}"`;
}
