import type { ConfigDocument, ConfigEntry, ConfigScalar } from './document.ts';
import { malformedAt } from './document.ts';

const assignment = /^([ \t]*(?:export[ \t]+)?)([A-Za-z_][A-Za-z0-9_.-]*)([ \t]*=[ \t]*|:[ \t]+)/;
const nameOnly = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*(?:#.*)?$/;

interface Value {
  value: string;
  start: number;
  end: number;
  quote: string;
  /** Where the parser continues: the end of the line, without its line break. */
  next: number;
}

function lineEnd(text: string, from: number): number {
  const at = text.slice(from).search(/\r?\n/);
  return at < 0 ? text.length : from + at;
}

/** Reads a quoted value, which may span lines. Only double quotes support escapes. */
function readQuoted(file: string, text: string, start: number): Value {
  const quote = text.charAt(start);
  let value = '';
  let at = start + 1;
  while (at < text.length && text[at] !== quote) {
    const escaped = quote === '"' && text[at] === '\\' ? text[at + 1] : undefined;
    if (escaped === undefined) {
      value += text.charAt(at);
      at += 1;
      continue;
    }
    const known: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };
    value += known[escaped] ?? `\\${escaped}`;
    at += 2;
  }
  if (at >= text.length)
    throw malformedAt(file, text, start, `malformed .env: a value in ${quote} that is never closed`);
  const next = lineEnd(text, at);
  const tail = text.slice(at + 1, next);
  if (!/^[ \t]*(?:#.*)?$/.test(tail)) {
    throw malformedAt(
      file,
      text,
      at + 1,
      'malformed .env: expected the end of the line or a comment after the closing quote',
    );
  }
  return { value, start, end: at + 1, quote, next };
}

function readBare(text: string, start: number): Value {
  const next = lineEnd(text, start);
  const raw = text.slice(start, next);
  const value = raw.replace(/(?:^|[ \t])#.*$/, '').trimEnd();
  return { value, start, end: start + value.length, quote: '', next };
}

function quoted(value: string, quote: string): string {
  // `$` stays as it is, escaped or not: it may stand for a variable.
  return quote === '"' ? `"${value.replaceAll(/"|\\(?!\$)/g, (char) => `\\${char}`)}"` : quote + value + quote;
}

function scalarOf(read: Value, place: string): ConfigScalar {
  const { start, end, value, quote } = read;
  return {
    kind: 'scalar',
    value,
    start,
    end,
    place,
    write: (next) => ({ start, end, text: quoted(next, quote) }),
  };
}

/**
 * Parses a `.env` file: `NAME=value`, `export NAME=value`, comments, and values bare or in quotes (which may span
 * lines). Throws ConfigError at the first other line.
 */
export function parseEnvDocument(file: string, text: string): ConfigDocument {
  const entries: ConfigEntry[] = [];
  const scalars: ConfigScalar[] = [];
  let at = 0;
  while (at < text.length) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end);
    const match = assignment.exec(line);
    let next = end;
    if (match) {
      const [head, lead = '', name = ''] = match;
      const valueAt = at + head.length;
      const isQuoted = /["'`]/.test(text[valueAt] ?? '');
      const read = isQuoted ? readQuoted(file, text, valueAt) : readBare(text, valueAt);
      const nameAt = at + lead.length;
      const key = scalarOf({ value: name, start: nameAt, end: nameAt + name.length, quote: '', next }, name);
      const value = scalarOf(read, name);
      entries.push({ key, value });
      scalars.push(key, value);
      next = read.next;
    } else if (!/^[ \t]*(?:#|$)/.test(line) && !nameOnly.test(line)) {
      const column = line.search(/\S/);
      throw malformedAt(file, text, at + column, 'malformed .env: expected NAME=value, a comment or an empty line');
    }
    at = next + (text.startsWith('\r\n', next) ? 2 : 1);
  }
  return { roots: [{ kind: 'block', entries, merges: [] }], scalars };
}
