/**
 * What is asked of files: made with a length, written and cleared by ranges, read whole or in part, described, copied,
 * removed.
 */

import { createHash, randomUUID } from 'node:crypto';
import { StorageError } from '../storage-protocol/errors.ts';
import { element, entryHeaders, httpTime, xml, type FileAnswer } from './answers.ts';
import { attributesOf, requireEntry, requirePlace, rewritten } from './directories.ts';
import { keyOfShare, type ByteRange, type Entry, type Share } from './file-store.ts';
import { checkedPath, contentHeadersOf, invalidHeader, lengthOf, metadataOf } from '../storage-protocol/file-names.ts';
import { clipped, requestedRange, rangeToWrite, withoutRange, withRange } from './ranges.ts';
import { notOffered, requireNoSnapshot, type ShareContext } from './service.ts';
import { stamp } from './stamp.ts';

/** What one request may write. */
const LARGEST_WRITE_BYTES = 4 << 20;
const GIB = 2 ** 30;
const COMPONENTS = new Set(['range', 'rangelist', 'metadata', 'properties']);

export interface FileContext extends ShareContext {
  /** The body, read whole: at most one range. */
  body: Buffer;
  /** The bytes of a file of this cloud, by its URL; checked as its own front would. */
  fetch: (url: string, range: string | undefined) => Promise<Buffer>;
}

/** Everything without `restype`, below a share. */
export async function askFile(context: FileContext, share: Share): Promise<FileAnswer> {
  const { store, request } = context;
  const { method, query, address, headers } = request;
  const path = checkedPath(address.path);
  const comp = query.get('comp');
  if (method === 'PUT' && comp === null)
    return headers['x-ms-copy-source'] === undefined ? create(context, share, path) : copy(context, share, path);
  if (comp !== null && !COMPONENTS.has(comp)) throw notOffered(request);
  const entry = requireEntry(store, share, path, 'file');
  if (method === 'GET' && comp === 'rangelist') return listRanges(context, entry);
  if (method === 'GET' && comp === null) return read(context, entry);
  if (method === 'HEAD')
    return { status: 200, headers: { ...entryHeaders(entry), 'Content-Length': String(entry.sizeBytes) } };
  requireNoSnapshot(share);
  if (method === 'DELETE') {
    store.remove(entry);
    return { status: 202 };
  }
  switch (comp) {
    case 'range':
      return write(context, entry);
    case 'metadata':
      return rewritten(context, entry, { metadata: metadataOf(headers) });
    case 'properties':
      return setProperties(context, share, entry);
    default:
      throw notOffered(request);
  }
}

function create(context: FileContext, share: Share, path: string): FileAnswer {
  const { headers } = context.request;
  if (headers['x-ms-type']?.toLowerCase() !== 'file')
    throw invalidHeader('x-ms-type', headers['x-ms-type'] ?? '', "'file'");
  const entry = place(context, share, path, lengthOf(headers));
  return { status: 201, headers: withoutContent(entryHeaders(entry)) };
}

/** A new file in place of the one that may be there. */
function place({ cloud, store, request }: FileContext, share: Share, path: string, sizeBytes: number): Entry {
  requireNoSnapshot(share);
  requirePlace(store, share, path);
  const existing = store.entry(keyOfShare(share), path) && requireEntry(store, share, path, 'file');
  requireQuota(store.usedBytes(keyOfShare(share)) - (existing?.sizeBytes ?? 0) + sizeBytes, share);
  if (existing) store.remove(existing);
  const { etag, changedAt } = stamp(cloud.clock);
  const entry: Entry = {
    share: keyOfShare(share),
    path,
    kind: 'file',
    id: randomUUID(),
    metadata: metadataOf(request.headers),
    headers: contentHeadersOf(request.headers),
    attributes: attributesOf(request.headers, 'Archive'),
    etag,
    createdAt: changedAt,
    changedAt,
    sizeBytes,
    ranges: [],
  };
  store.put(entry);
  return entry;
}

function requireQuota(usedBytes: number, share: Share): void {
  if (usedBytes > share.quotaGiB * GIB)
    throw new StorageError(
      413,
      'ShareSizeLimitReached',
      `The share size limit has been reached: the quota of '${share.name}' is ${share.quotaGiB} GiB.`,
    );
}

async function write(context: FileContext, found: Entry): Promise<FileAnswer> {
  // Read before anything else is asked of the file, for others write to it meanwhile.
  const source = context.request.headers['x-ms-copy-source'];
  const fetched =
    source === undefined ? undefined : await context.fetch(source, context.request.headers['x-ms-source-range']);
  const entry = fetched ? context.store.entry(found.share, found.path) : found;
  if (!entry) throw new StorageError(404, 'ResourceNotFound', 'The specified resource does not exist.');
  const { store, request } = context;
  const { headers } = request;
  const range = rangeToWrite(headers['x-ms-range'] ?? headers.range, entry.sizeBytes);
  const length = range[1] - range[0] + 1;
  const kind = headers['x-ms-write']?.toLowerCase();
  if (kind === 'clear') {
    zero(store, entry, range);
    return { ...rewritten(context, entry, { ranges: withoutRange(entry.ranges, range) }), status: 201 };
  }
  if (kind !== 'update') throw invalidHeader('x-ms-write', headers['x-ms-write'] ?? '', "'update' or 'clear'");
  const bytes = fetched ?? context.body;
  if (bytes.length !== length)
    throw invalidHeader('x-ms-range', `${length} bytes`, `as many bytes as are sent (${bytes.length})`);
  if (length > LARGEST_WRITE_BYTES)
    throw new StorageError(
      413,
      'RequestBodyTooLarge',
      `The request body is too large: at most ${LARGEST_WRITE_BYTES} bytes.`,
    );
  const md5 = createHash('md5').update(bytes).digest('base64');
  if (headers['content-md5'] !== undefined && headers['content-md5'] !== md5)
    throw new StorageError(
      400,
      'Md5Mismatch',
      'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
    );
  store.write(entry, range[0], bytes);
  const answer = rewritten(context, entry, { ranges: withRange(entry.ranges, range) });
  return { status: 201, headers: { ...answer.headers, 'Content-MD5': md5 } };
}

/** Only what was written needs zeros: the rest of a sparse file has none to lose, however long it is. */
function zero(store: FileContext['store'], entry: Entry, [from, to]: ByteRange): void {
  for (const [start, end] of entry.ranges.filter((one) => one[0] <= to && one[1] >= from)) {
    const last = Math.min(end, to);
    for (let at = Math.max(start, from); at <= last; at += LARGEST_WRITE_BYTES)
      store.write(entry, at, Buffer.alloc(Math.min(last - at + 1, LARGEST_WRITE_BYTES)));
  }
}

/** The bytes in parts, so that a large file is never in memory whole. */
function* parts(store: FileContext['store'], entry: Entry, from: number, to: number): Generator<Buffer> {
  for (let at = from; at <= to; at += LARGEST_WRITE_BYTES)
    yield store.read(entry, at, Math.min(to - at + 1, LARGEST_WRITE_BYTES));
}

function read({ store, request }: FileContext, entry: Entry): FileAnswer {
  const { headers } = request;
  const range = requestedRange(headers['x-ms-range'] ?? headers.range, entry.sizeBytes);
  const [from, to] = range ?? [0, entry.sizeBytes - 1];
  const length = Math.max(0, to - from + 1);
  const headersOf = { ...entryHeaders(entry), 'Content-Length': String(length) };
  const answer: FileAnswer = {
    status: range ? 206 : 200,
    headers: headersOf,
    parts: () => parts(store, entry, from, to),
  };
  if (!range) return answer;
  const { 'Content-MD5': whole, ...rest } = answer.headers ?? {};
  const isSummed = headers['x-ms-range-get-content-md5'] === 'true';
  if (isSummed && length > LARGEST_WRITE_BYTES)
    throw invalidHeader(
      'x-ms-range-get-content-md5',
      'true',
      `a range of at most ${LARGEST_WRITE_BYTES} bytes with it`,
    );
  const of: Record<string, string> = isSummed
    ? {
        'Content-MD5': createHash('md5')
          .update(store.read(entry, from, length))
          .digest('base64'),
      }
    : {};
  const known: Record<string, string> = whole === undefined ? {} : { 'x-ms-content-md5': whole };
  return {
    ...answer,
    headers: { ...rest, ...of, ...known, 'Content-Range': `bytes ${from}-${to}/${entry.sizeBytes}` },
  };
}

function listRanges({ request }: FileContext, entry: Entry): FileAnswer {
  const within = requestedRange(request.headers['x-ms-range'] ?? request.headers.range, entry.sizeBytes);
  const shown = within
    ? withoutRange(withoutRange(entry.ranges, [-1, within[0] - 1]), [within[1] + 1, Number.MAX_SAFE_INTEGER])
    : entry.ranges;
  const ranges = shown.map(([from, to]) => `<Range>${element('Start', from)}${element('End', to)}</Range>`);
  const answer = xml(`<Ranges>${ranges.join('')}</Ranges>`);
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'Last-Modified': httpTime(entry.changedAt),
      ETag: entry.etag,
      'x-ms-content-length': String(entry.sizeBytes),
    },
  };
}

function setProperties(context: FileContext, share: Share, entry: Entry): FileAnswer {
  const { store, request } = context;
  const { headers } = request;
  const fields: Partial<Entry> = {
    headers: contentHeadersOf(headers),
    attributes: attributesOf(headers, entry.attributes),
  };
  if (headers['x-ms-content-length'] !== undefined) {
    fields.sizeBytes = lengthOf(headers);
    requireQuota(store.usedBytes(keyOfShare(share)) - entry.sizeBytes + fields.sizeBytes, share);
    fields.ranges = clipped(entry.ranges, fields.sizeBytes);
    // What is cut off must read as zeros if the file grows again.
    if (entry.ranges.length > 0) store.resize(entry, fields.sizeBytes);
  }
  return rewritten(context, entry, fields);
}

/** Copy File: done before the answer goes out, which Azure allows itself, too. */
async function copy(context: FileContext, share: Share, path: string): Promise<FileAnswer> {
  const { store, request } = context;
  requireNoSnapshot(share);
  requirePlace(store, share, path);
  const bytes = await context.fetch(request.headers['x-ms-copy-source'] ?? '', undefined);
  const entry = place(context, share, path, bytes.length);
  if (bytes.length > 0) {
    store.write(entry, 0, bytes);
    store.put({ ...entry, ranges: [[0, bytes.length - 1]] });
  }
  const { ETag = '', 'Last-Modified': time = '' } = entryHeaders(entry);
  return {
    status: 202,
    headers: { ETag, 'Last-Modified': time, 'x-ms-copy-id': randomUUID(), 'x-ms-copy-status': 'success' },
  };
}

/** An answer without a body must not claim the file's type. */
function withoutContent(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(content-|accept-|x-ms-type|x-ms-meta-|x-ms-lease)/i.test(name)),
  );
}
