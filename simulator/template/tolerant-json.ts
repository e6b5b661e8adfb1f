/**
 * JSON as Azure's own parser takes it: with comments, texts in single quotes, names without quotes and commas at the
 * end. What is JSON already is parsed as such.
 */

import type { Json } from '../provider.ts';

const COMMENT = String.raw`\/\/[^\n]*|\/\*[^]*?\*\/`;
const TOKEN = new RegExp(
  [
    `(?<comment>${COMMENT})`,
    String.raw`(?<text>"(?:[^"\\]|\\[^])*")`,
    String.raw`'(?<single>(?:[^'\\]|\\[^])*)'`,
    String.raw`(?<name>[A-Za-z_$][\w$]*)(?=\s*:)`,
    `(?<comma>,(?=(?:\\s|${COMMENT})*[}\\]]))`,
  ].join('|'),
  'g',
);

/** Throws SyntaxError where it is no JSON even so. */
export function parseTolerant(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const strict = text.replace(TOKEN, (token: string, ...rest: unknown[]) => {
      const { comment, single, name, comma } = rest.at(-1) as Record<string, string | undefined>;
      if (comment !== undefined || comma !== undefined) return ' ';
      if (single !== undefined) return JSON.stringify(single.replaceAll(String.raw`\'`, "'"));
      return name === undefined ? token : JSON.stringify(name);
    });
    // Where nothing was tolerated, the first message speaks of the text as it was given.
    if (strict === text) throw error;
    return JSON.parse(strict) as Json;
  }
}
