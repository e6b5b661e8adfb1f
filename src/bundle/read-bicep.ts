/**
 * Reads what can be known of Bicep without its compiler: whether strings, comments and brackets are closed, and which
 * parameters and outputs it declares. The compiler checks everything else.
 */

/** What Bicep declares at its top level. */
export interface BicepOutline {
  parameters: string[];
  outputs: string[];
}

/** An error that the compiler would find too, with its place: `3:7: …`. */
export interface BrokenBicep {
  broken: string;
}

/** Reads what Bicep declares at its top level, or returns where it is broken. */
export function readBicep(text: string): BicepOutline | BrokenBicep {
  const scanned = scan(text);
  if ('message' in scanned) return { broken: `${placeAt(text, scanned.at)}: ${scanned.message}` };
  const declared = (keyword: string) =>
    [...scanned.code.matchAll(new RegExp(`^[ \\t]*${keyword}[ \\t]+([A-Za-z_]\\w*)`, 'gm'))].map(
      ([, name]) => name ?? '',
    );
  return { parameters: declared('param'), outputs: declared('output') };
}

interface Wrong {
  at: number;
  message: string;
}

const longQuote = "'''";
const closers: Record<string, string | undefined> = { '(': ')', '[': ']', '{': '}' };

/** Returns the text without the content of strings and comments, or the first place that is broken. */
function scan(text: string): { code: string } | Wrong {
  const open: { close: string; at: number }[] = [];
  let code = '';
  let at = 0;
  while (at < text.length) {
    const inner = open.at(-1);
    const step = inner?.close === "'" ? inString(text, at) : inCode(text, at);
    if ('message' in step) return { ...step, at: inner?.close === "'" ? inner.at : at };
    if (step.opens !== undefined) open.push({ close: step.opens, at });
    if (step.closes !== undefined) {
      if (inner?.close !== step.closes) return { at, message: `"${step.closes}" closes nothing` };
      open.pop();
    }
    code += step.code ?? '';
    at += step.length;
  }
  const left = open.at(-1);
  return left === undefined ? { code } : { at: left.at, message: `expected "${left.close}" for it, got the end` };
}

interface Step {
  length: number;
  /** The part of it that is code, not text of a string or a comment. */
  code?: string;
  opens?: string;
  closes?: string;
}

function inString(text: string, at: number): Step | { message: string } {
  const letter = text[at];
  if (letter === '\\') return { length: 2 };
  if (text.startsWith('${', at)) return { length: 2, opens: '}' };
  if (letter === "'") return { length: 1, closes: "'" };
  return letter === '\n' ? { message: 'the string does not end on its line' } : { length: 1 };
}

function inCode(text: string, at: number): Step | { message: string } {
  const letter = text[at] ?? '';
  if (text.startsWith('//', at)) return { length: (text.slice(at).split('\n', 1)[0] ?? '').length };
  if (text.startsWith('/*', at)) return through(text, at, '*/', 'the comment does not end');
  if (text.startsWith(longQuote, at)) return through(text, at, longQuote, 'the string does not end');
  if (letter === "'") return { length: 1, opens: "'" };
  const close = closers[letter];
  if (close !== undefined) return { length: 1, code: letter, opens: close };
  return ')]}'.includes(letter) ? { length: 1, code: letter, closes: letter } : { length: 1, code: letter };
}

function through(text: string, at: number, end: string, message: string): Step | { message: string } {
  const found = text.indexOf(end, at + end.length);
  if (found < 0) return { message };
  // Of more than three quotes in a row, the last three end the string.
  const more = end === longQuote ? (/^'*/.exec(text.slice(found + end.length))?.[0].length ?? 0) : 0;
  return { length: found + end.length + more - at };
}

function placeAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}
