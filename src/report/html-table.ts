/** Tables that are tables on a desk and on paper, and lists of cards on a phone, for a screen reader tables always. */
import { html, type Insert, type Markup } from './markup.ts';
import { unknown } from './wording.ts';

export interface Column {
  label: string;
  numeric?: boolean;
  /** Of single words, which are not broken. */
  words?: boolean;
}

/** Rows under a heading of their own. */
export interface Group {
  heading?: string;
  rows: Insert[][];
}

/** The first cell of a row is its header. Roles are said outright, since the phone's layout takes them away. */
export function table(caption: Insert, columns: Column[], groups: Group[]): Markup {
  return html`<table role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          (column) => html`<th role="columnheader" scope="col" ${classOf(column)}>${column.label}</th>`,
        )}
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
  if (index === 0)
    return html`<th role="rowheader" scope="row" ${column?.words === true && html` class="words"`}>
      ${cell}
    </th>`;
  const empty = isEmpty(cell);
  const classes = [column?.numeric && 'number', column?.words && 'words', empty && 'empty']
    .filter(Boolean)
    .join(' ');
  const attribute = classes !== '' && html` class="${classes}"`;
  return html`<td role="cell" data-label="${column?.label ?? ''}" ${attribute}><span>${cell}</span></td>`;
}

function isEmpty(cell: Insert): boolean {
  if (Array.isArray(cell)) return cell.every(isEmpty);
  return cell === undefined || cell === false || cell === '' || cell === unknown;
}

function classOf(column: Column): Markup | false {
  return column.numeric === true && html` class="number"`;
}
