/**
 * HTML by tagged templates. Every value is escaped unless it is markup itself, so the name of a job or a file can never
 * become a tag.
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

/** What a template can contain. `undefined` and `false` render as nothing. */
export type Insert = string | number | Markup | undefined | false | Insert[];

/** Template tag that escapes inserted values. */
export function html(parts: TemplateStringsArray, ...inserts: Insert[]): Markup {
  return new Markup(unindented(parts).reduce((text, part, index) => text + rendered(inserts[index - 1]) + part));
}

/** Removes the source's indentation, which would be half of a long report. */
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

/** Escapes text and quoted attributes. Characters that HTML does not allow become U+FFFD. */
function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
    .replaceAll(forbidden, '\uFFFD');
}

/**
 * Control characters that HTML does not allow, and marks that change the direction of text (they can disguise a name).
 */
const forbidden = /[^\P{Cc}\t\n\r]|[\u202A-\u202E\u2066-\u2069]/gu;
