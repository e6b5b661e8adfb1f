import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { ConfigFormat } from './document.ts';
import { formatOf, parseConfig, splitMark } from './rewrite.ts';
import { maskDocument } from './secrets.ts';

/**
 * A unified diff of a config file, three lines of context, with every secret masked on both sides. Empty when nothing
 * changed.
 */
export function diffConfig(input: {
  file: string;
  format?: ConfigFormat;
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
  return createTwoFilesPatch(
    `a/${file.replace(/^\/+/, '')}`,
    `b/${file.replace(/^\/+/, '')}`,
    maskDocument(old, oldDocument),
    maskDocument(next, nextDocument, rewritten),
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY },
  );
}
