/** Ranges of bytes: as headers say them, and as a file remembers what was written. */

import { StorageError } from '../storage-protocol/errors.ts';
import type { ByteRange } from './file-store.ts';

/**
 * 'bytes=0-3' or 'bytes=4-', within a file of `sizeBytes`. Undefined: none was asked for. Throws StorageError 400 and
 * 416.
 */
export function requestedRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [from, to] = parse(header);
  if (from >= sizeBytes && !(from === 0 && sizeBytes === 0)) {
    throw new StorageError(
      416,
      'InvalidRange',
      'The range specified is invalid for the current size of the resource.',
      {
        'Content-Range': `bytes */${sizeBytes}`,
      },
    );
  }
  return [from, Math.min(to ?? Infinity, sizeBytes - 1)];
}

/** A range to write: both ends are needed, and within the file. Throws StorageError 400 and 416. */
export function rangeToWrite(header: string | undefined, sizeBytes: number): ByteRange {
  if (header === undefined)
    throw new StorageError(
      400,
      'MissingRequiredHeader',
      "An HTTP header that's mandatory for this request is not specified: x-ms-range.",
    );
  const [from, to] = parse(header);
  if (to === undefined) throw invalid(header);
  if (to >= sizeBytes)
    throw new StorageError(416, 'InvalidRange', 'The range specified is invalid for the current size of the resource.');
  return [from, to];
}

function parse(header: string): [number, number | undefined] {
  const match = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header);
  if (!match) throw invalid(header);
  const from = Number(match[1]);
  const to = match[2] === undefined ? undefined : Number(match[2]);
  if (to !== undefined && to < from) throw invalid(header);
  return [from, to];
}

function invalid(header: string): StorageError {
  return new StorageError(
    400,
    'InvalidHeaderValue',
    `The value for one of the HTTP headers is not in the correct format: range '${header}', expected 'bytes=FROM-TO'.`,
  );
}

/** The ranges with one more, in order, those that touch made one. */
export function withRange(ranges: readonly ByteRange[], [from, to]: ByteRange): ByteRange[] {
  const joined: ByteRange[] = [];
  for (const range of [...ranges, [from, to] as ByteRange].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && range[0] <= last[1] + 1) last[1] = Math.max(last[1], range[1]);
    else joined.push([range[0], range[1]]);
  }
  return joined;
}

/** The ranges without what lies in one. */
export function withoutRange(ranges: readonly ByteRange[], [from, to]: ByteRange): ByteRange[] {
  return ranges.flatMap(([start, end]) => {
    const left: ByteRange[] = start < from ? [[start, Math.min(end, from - 1)]] : [];
    const right: ByteRange[] = end > to ? [[Math.max(start, to + 1), end]] : [];
    return [...left, ...right];
  });
}

/** The ranges that a file of `sizeBytes` can have. */
export function clipped(ranges: readonly ByteRange[], sizeBytes: number): ByteRange[] {
  return withoutRange(ranges, [sizeBytes, Number.MAX_SAFE_INTEGER]);
}
