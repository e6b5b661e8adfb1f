/**
 * What the lines themselves cost: the same lines made, written as NDJSON with a digest a part, read back and checked,
 * one part in memory at a time; and the same lines in an array, as a copier without parts would hold them.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobLine } from '../../src/recovery-point/manifest.ts';
import { processorSeconds } from '../figures.ts';

const linesPerPart = 2000;

function lineOf(index: number): BlobLine {
  const sha256 = createHash('sha256').update(`${index}`).digest('hex');
  const path = `sets/set-00000/part-${String(index).padStart(8, '0')}.parquet`;
  return {
    assets: ['paths/workspaceblobstore/sets/set-00000'],
    classes: ['data'],
    unit: 'sets/set-00000',
    account: 'bencheast',
    container: 'data',
    path,
    etag: `0x8D${index.toString(16).padStart(13, '0')}`,
    sizeBytes: 50,
    writtenAt: '2026-11-21T08:00:00.000Z',
    sha256,
    md5: createHash('md5').update(`${index}`).digest('base64'),
    replica: `epochs/1/blobs/bencheast/data/${path}/${sha256.slice(0, 16)}`,
    contentType: 'application/octet-stream',
  };
}

/** Processor seconds for writing `lines` lines and reading them back. */
export async function plainLines(lines: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-lines-'));
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  try {
    return await processorSeconds(async () => {
      const parts: string[] = [];
      for (let first = 0; first < lines; first += linesPerPart) {
        const count = Math.min(linesPerPart, lines - first);
        const text = Array.from({ length: count }, (_, index) => `${JSON.stringify(lineOf(first + index))}\n`).join('');
        parts.push(digest(text));
        await writeFile(join(folder, `${parts.length}`), text);
      }
      let read = 0;
      for (const [index, expected] of parts.entries()) {
        const text = await readFile(join(folder, `${index + 1}`), 'utf8');
        if (digest(text) !== expected) throw new Error(`part ${index + 1} is not what was written`);
        for (const line of text.split('\n')) if (line !== '') read += JSON.parse(line) === null ? 0 : 1;
      }
      if (read !== lines) throw new Error(`expected ${lines} lines, read ${read}`);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes that holding `lines` lines adds to this process. */
export function heldLines(lines: number): number {
  const before = process.memoryUsage.rss();
  const held = Array.from({ length: lines }, (_, index) => lineOf(index));
  const after = process.memoryUsage.rss();
  if (held.length !== lines) throw new Error('the lines were not held');
  return after - before;
}
