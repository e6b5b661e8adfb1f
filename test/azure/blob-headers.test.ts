/** Which headers and metadata of a blob count as another's. */
import { describe, expect, it } from 'vitest';
import { differenceOfHeaders, type ListedBlob } from '../../src/azure/storage/blobs.ts';

type Kept = Omit<ListedBlob, 'path'>;
const blob = (kept: Partial<Kept>): Kept => ({ etag: 'e', sizeBytes: 1, ...kept });

describe('a difference of headers and metadata', () => {
  it.each([
    [{ contentType: 'a/b' }, { contentType: 'a/c' }, 'content type "a/c", expected "a/b"'],
    [{ contentEncoding: 'gzip' }, {}, 'content encoding none, expected "gzip"'],
    [{}, { contentLanguage: 'de' }, 'content language "de", expected none'],
    [
      { contentDisposition: 'inline' },
      { contentDisposition: 'attachment' },
      'content disposition "attachment", expected "inline"',
    ],
    [{ cacheControl: 'no-store' }, {}, 'cache control none, expected "no-store"'],
    [{ metadata: { owner: 'ana' } }, {}, 'metadata "owner" none, expected "ana"'],
    [{}, { metadata: { owner: 'ana' } }, 'metadata "owner" "ana", expected none'],
    [{ metadata: { owner: 'ana' } }, { metadata: { owner: 'Ana' } }, 'metadata "owner" "Ana", expected "ana"'],
  ])('%j, and there %j: %s', (wanted, held, difference) => {
    expect(differenceOfHeaders(blob(wanted), blob(held))).toBe(difference);
  });

  it.each([
    ['the order and the case of names', { metadata: { A: '1', b: '2' } }, { metadata: { B: '2', a: '1' } }],
    ['a type that Azure gives', {}, { contentType: 'application/octet-stream' }],
    [
      'the headers of a folder',
      { sizeBytes: 0, metadata: { hdi_isfolder: 'true' }, contentType: 'a/b' },
      { sizeBytes: 0, metadata: { hdi_isfolder: 'true' }, cacheControl: 'no-store' },
    ],
  ])('is not %s', (_what, wanted, held) => {
    expect(differenceOfHeaders(blob(wanted), blob(held))).toBeUndefined();
  });
});
