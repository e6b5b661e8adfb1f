/**
 * HTML by tagged templates: every value is escaped unless it is markup itself, so that nothing a job or a file is
 * called can become a tag.
 *
 *     html`<td>${job.name}</td>`          // escaped
 *     html`<tr>${cells.map(cell)}</tr>`   // markup in markup, lists joined
 */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

/** What may stand in a template; `undefined` and `false` stand for nothing. */
export type Insert = string | number | Markup | undefined | false | Insert[];

export function html(parts: TemplateStringsArray, ...inserts: Insert[]): Markup {
  return new Markup(
    unindented(parts).reduce((text, part, index) => text + rendered(inserts[index - 1]) + part),
  );
}

/** The indentation of our source would be half of a long report. */
function unindented(parts: TemplateStringsArray): readonly string[] {
  let found = unindentedParts.get(parts);
  if (!found) {
    found = parts.map((part) => part.replaceAll(/\n\s+/g, '\n'));
    unindentedParts.set(parts, found);
  }
  return found;
}
const unindentedParts = new WeakMap<TemplateStringsArray, readonly string[]>();

function rendered(insert: Insert): string {
  if (insert === undefined || insert === false) return '';
  if (insert instanceof Markup) return insert.text;
  if (Array.isArray(insert)) return insert.map(rendered).join('');
  return escapeHtml(String(insert));
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes for text and quoted attributes; characters that HTML cannot hold become U+FFFD. */
function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
    .replaceAll(forbidden, '\uFFFD');
}

/** Control characters that are not allowed in HTML, and marks that turn the direction of text (they can disguise a name). */
const forbidden = /[^\P{Cc}\t\n\r]|[\u202A-\u202E\u2066-\u2069]/gu;
