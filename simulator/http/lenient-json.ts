/**
 * JSON as ARM reads it, which is more than the standard: comments, unquoted and single-quoted names, single-quoted
 * strings, strings over several lines, trailing commas. `az deployment` sends a template file as it is, behind an
 * unquoted `template:`.
 */

import type { Json, JsonObject } from '../contract/index.ts';

/** Nesting deeper than this is an attack, not a template. */
const DEEPEST = 200;
const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const WORDS: Record<string, Json> = { true: true, false: false, null: null };

/** Parses the text. Throws SyntaxError naming line and column. */
export function parseLenientJson(text: string): Json {
  return readLenientJson(text);
}

/**
 * Told of each value: its path, '/resources/0', and where it ends or, of an object or array, where it begins; and of
 * each name, by the path of its value and a colon, where that colon is.
 */
type Seen = (path: string, end: number) => void;

/** As `parseLenientJson`, and tells `seen` where the values stand. Throws SyntaxError. */
export function readLenientJson(text: string, seen?: Seen): Json {
  const reader = new Reader(text, seen);
  const value = reader.value('', 0);
  reader.end();
  return value;
}

class Reader {
  private readonly text: string;
  private readonly seen: Seen | undefined;
  private at = 0;

  constructor(text: string, seen: Seen | undefined) {
    this.text = text;
    this.seen = seen;
  }

  value(path: string, depth: number): Json {
    if (depth > DEEPEST) throw this.wrong(`no more than ${DEEPEST} levels`);
    this.skip();
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      this.seen?.(path, this.at + 1);
      return first === '{' ? this.object(path, depth) : this.array(path, depth);
    }
    const value = first === '"' || first === "'" ? this.string() : this.word();
    this.seen?.(path, this.at);
    return value;
  }

  end(): void {
    this.skip();
    if (this.at < this.text.length) throw this.wrong('the end');
  }

  private object(path: string, depth: number): JsonObject {
    const members: [string, Json][] = [];
    this.at += 1;
    for (;;) {
      this.skip();
      if (this.take('}')) return Object.fromEntries(members);
      const name = this.name();
      this.skip();
      if (!this.take(':')) throw this.wrong("':'");
      const at = this.below(path, name);
      this.seen?.(`${at}:`, this.at);
      members.push([name, this.value(at, depth + 1)]);
      this.skip();
      if (!this.take(',') && this.text[this.at] !== '}') throw this.wrong("',' or '}'");
    }
  }

  private array(path: string, depth: number): Json[] {
    const items: Json[] = [];
    this.at += 1;
    for (;;) {
      this.skip();
      if (this.take(']')) return items;
      items.push(this.value(this.below(path, items.length), depth + 1));
      this.skip();
      if (!this.take(',') && this.text[this.at] !== ']') throw this.wrong("',' or ']'");
    }
  }

  /** Paths are put together only for one who listens. */
  private below(path: string, step: string | number): string {
    return this.seen === undefined ? '' : `${path}/${step}`;
  }

  private name(): string {
    const quote = this.text[this.at];
    if (quote === '"' || quote === "'") return this.string();
    return this.match(/[A-Za-z_$][\w$-]*/y) ?? this.fail('a property name');
  }

  private string(): string {
    const quote = this.text[this.at];
    let value = '';
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at] ?? '';
      if (char === quote) {
        this.at += 1;
        return value;
      }
      value += char === '\\' ? this.escape() : char;
    }
    throw this.wrong(`the end of the string, ${quote}`);
  }

  /** Stands at the backslash, and leaves the last character of the escape to be passed over. */
  private escape(): string {
    this.at += 1;
    const char = this.text[this.at] ?? '';
    if (char !== 'u') return ESCAPES[char] ?? char;
    const code = this.text.slice(this.at + 1, this.at + 5);
    if (!/^[0-9a-f]{4}$/i.test(code)) throw this.wrong('four hexadecimal digits');
    this.at += 4;
    return String.fromCharCode(Number.parseInt(code, 16));
  }

  private word(): Json {
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number !== undefined) return Number(number);
    const word = this.match(/[a-z]+/y) ?? '';
    const value = WORDS[word];
    return value === undefined ? this.fail('a value') : value;
  }

  private skip(): void {
    this.match(/(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y);
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private fail(expected: string): never {
    throw this.wrong(expected);
  }

  private wrong(expected: string): SyntaxError {
    const before = this.text.slice(0, this.at).split('\n');
    const found = this.at < this.text.length ? `'${this.text.slice(this.at, this.at + 10)}'` : 'the end';
    return new SyntaxError(
      `expected ${expected}, got ${found} (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`,
    );
  }
}
