import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { ConfigFormat } from './documents/document.ts';
import { formatOf, parseConfig, splitMark } from './rewrite.ts';
import { maskDocument } from './secrets.ts';

/** A diff is for people and is stored in a run's history, so longer lines and longer diffs are cut. */
const maxLineCharacters = 400;
const maxLines = 400;
/** The time to compute a diff grows with the square of the changed lines. */
const maxEditLength = 2000;

/**
 * Returns a unified diff of a config file, with three lines of context and every secret masked on both sides. Empty if
 * nothing changed. Lines over 400 characters, and everything after 400 lines, are cut with a note. For more than a
 * thousand changed lines it returns only their number.
 */
export function diffConfig(input: {
  file: string;
  format?: ConfigFormat | undefined;
  before: string;
  after: string;
}): string {
  const { file } = input;
  if (input.before === input.after) return '';
  const format = input.format ?? formatOf(file);
  const old = splitMark(input.before).text;
  const next = splitMark(input.after).text;
  const oldDocument = parseConfig(file, format, old);
  const nextDocument = parseConfig(file, format, next);
  const rewritten = new Set<number>();
  for (const [index, scalar] of nextDocument.scalars.entries()) {
    if (oldDocument.scalars[index]?.value !== scalar.value) rewritten.add(index);
  }
  const name = file.replace(/^\/+/, '');
  const patch = createTwoFilesPatch(
    `a/${name}`,
    `b/${name}`,
    maskDocument(old, oldDocument),
    maskDocument(next, nextDocument, rewritten),
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY, maxEditLength },
  );
  return patch === undefined ? tooLong(name, rewritten.size) : shorten(patch);
}

function tooLong(name: string, values: number): string {
  return `--- a/${name}\n+++ b/${name}\n… (${values} changed values, too many to show)\n`;
}

function shorten(patch: string): string {
  const lines = patch.split('\n').map((line) => {
    const over = line.length - maxLineCharacters;
    return over > 0 ? `${line.slice(0, maxLineCharacters).toWellFormed()}… (${over} more characters)` : line;
  });
  const over = lines.length - maxLines;
  return over > 0 ? `${lines.slice(0, maxLines).join('\n')}\n… (${over} more lines)\n` : lines.join('\n');
}
