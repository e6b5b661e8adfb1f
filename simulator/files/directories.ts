/** What is asked of directories: made, listed a page at a time, described, removed. */

import { randomUUID } from 'node:crypto';
import { StorageError } from '../storage-protocol/errors.ts';
import { element, entryHeaders, escaped, fileId, fileTime, httpTime, xml, type FileAnswer } from './answers.ts';
import { keyOfShare, type Entry, type FileStore, type Share } from './file-store.ts';
import { checkedPath, metadataOf } from '../storage-protocol/file-names.ts';
import { notOffered, pageSize, requireNoSnapshot, type ShareContext } from './service.ts';
import { stamp } from './stamp.ts';

const MOST_ENTRIES = 5000;

/** Everything with `restype=directory`. */
export function askDirectory(context: ShareContext, share: Share): FileAnswer {
  const { store, request } = context;
  const { method, query, address } = request;
  const path = checkedPath(address.path);
  const comp = query.get('comp');
  if (method === 'GET' && comp === 'list') return list(context, share, path);
  if (method === 'PUT' && comp === null) return create(context, share, path);
  const entry = requireEntry(store, share, path, 'directory');
  if (method === 'GET' || method === 'HEAD') return { status: 200, headers: entryHeaders(entry) };
  requireNoSnapshot(share);
  if (method === 'DELETE') {
    if (store.children(entry.share, path).length > 0)
      throw new StorageError(409, 'DirectoryNotEmpty', 'The specified directory is not empty.');
    store.remove(entry);
    return { status: 202 };
  }
  if (comp === 'metadata') return rewritten(context, entry, { metadata: metadataOf(request.headers) });
  if (comp === 'properties')
    return rewritten(context, entry, {
      attributes: request.headers['x-ms-file-attributes'] ?? entry.attributes,
    });
  throw notOffered(request);
}

function create({ cloud, store, request }: ShareContext, share: Share, path: string): FileAnswer {
  requireNoSnapshot(share);
  requirePlace(store, share, path);
  const existing = store.entry(keyOfShare(share), path);
  if (existing)
    throw existing.kind === 'directory'
      ? new StorageError(409, 'ResourceAlreadyExists', 'The specified resource already exists.')
      : typeMismatch();
  const { etag, changedAt } = stamp(cloud.clock);
  const entry: Entry = {
    share: keyOfShare(share),
    path,
    kind: 'directory',
    id: randomUUID(),
    metadata: metadataOf(request.headers),
    headers: {},
    attributes: attributesOf(request.headers, 'Directory'),
    etag,
    createdAt: changedAt,
    changedAt,
    sizeBytes: 0,
    ranges: [],
  };
  store.put(entry);
  return { status: 201, headers: entryHeaders(entry) };
}

export function attributesOf(headers: Record<string, string>, otherwise: string): string {
  const asked = headers['x-ms-file-attributes'];
  return asked === undefined || asked.toLowerCase() === 'none' ? otherwise : asked;
}

function list({ store, request }: ShareContext, share: Share, path: string): FileAnswer {
  const { query, headers } = request;
  const directory = path === '' ? undefined : requireEntry(store, share, path, 'directory');
  const prefix = query.get('prefix') ?? '';
  const marker = query.get('marker') ?? '';
  const { limit, shown } = pageSize(query, MOST_ENTRIES);
  const isFull = query.has('include') || headers['x-ms-file-extended-info'] === 'true';
  const found = store
    .children(keyOfShare(share), path)
    .filter((entry) => nameOf(entry).toLowerCase().startsWith(prefix.toLowerCase()))
    .filter((entry) => nameOf(entry).toLowerCase() >= marker);
  const next = found[limit];
  const items = found.slice(0, limit).map((entry) => item(entry, isFull));
  const snapshot = share.snapshot === undefined ? '' : ` ShareSnapshot="${escaped(share.snapshot)}"`;
  const place = `ServiceEndpoint="https://${escaped(headers.host ?? '')}/" ShareName="${share.name}"${snapshot} DirectoryPath="${escaped(path)}"`;
  const id = isFull && directory ? element('DirectoryId', fileId(directory.id)) : '';
  return xml(
    `<EnumerationResults ${place}>${marker === '' ? '' : element('Marker', marker)}${element('Prefix', prefix)}${shown}${id}<Entries>${items.join('')}</Entries>${element('NextMarker', next ? nameOf(next).toLowerCase() : '')}</EnumerationResults>`,
  );
}

function item(entry: Entry, isFull: boolean): string {
  const times = isFull
    ? [
        element('CreationTime', fileTime(entry.createdAt)),
        element('LastAccessTime', fileTime(entry.changedAt)),
        element('LastWriteTime', fileTime(entry.changedAt)),
        element('ChangeTime', fileTime(entry.changedAt)),
        element('Last-Modified', httpTime(entry.changedAt)),
        element('Etag', entry.etag),
      ].join('')
    : '';
  const length = entry.kind === 'file' ? element('Content-Length', entry.sizeBytes) : '';
  const properties = length || times ? `<Properties>${length}${times}</Properties>` : '<Properties />';
  const tag = entry.kind === 'file' ? 'File' : 'Directory';
  const more = isFull ? element('Attributes', entry.attributes) : '';
  return `<${tag}>${element('Name', nameOf(entry))}${element('FileId', fileId(entry.id))}${properties}${more}</${tag}>`;
}

/** Stores the entry with other fields, a new etag and time. */
export function rewritten({ cloud, store }: ShareContext, entry: Entry, fields: Partial<Entry>): FileAnswer {
  const next = { ...entry, ...fields, ...stamp(cloud.clock) };
  store.put(next);
  const { ETag, 'Last-Modified': time, ...rest } = entryHeaders(next);
  const kept = Object.entries(rest).filter(
    ([name]) => name.startsWith('x-ms-file-') || name === 'x-ms-server-encrypted',
  );
  return {
    status: 200,
    headers: {
      ETag: ETag ?? '',
      'Last-Modified': time ?? '',
      'x-ms-request-server-encrypted': 'true',
      ...Object.fromEntries(kept),
    },
  };
}

/** Throws StorageError 404 where there is none, 409 where it is of the other kind. The root is always there. */
export function requireEntry(store: FileStore, share: Share, path: string, kind: Entry['kind']): Entry {
  const entry = path === '' && kind === 'directory' ? rootOf(share) : store.entry(keyOfShare(share), path);
  if (!entry) {
    requirePlace(store, share, path);
    throw new StorageError(404, 'ResourceNotFound', 'The specified resource does not exist.');
  }
  if (entry.kind !== kind) throw typeMismatch();
  return entry;
}

/** What is above must be there. Throws StorageError 404. */
export function requirePlace(store: FileStore, share: Share, path: string): void {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  if (path === '') throw new StorageError(409, 'ResourceAlreadyExists', 'The specified resource already exists.');
  if (parent !== '' && store.entry(keyOfShare(share), parent)?.kind !== 'directory')
    throw new StorageError(404, 'ParentNotFound', 'The specified parent path does not exist.');
}

function rootOf(share: Share): Entry {
  const { etag, changedAt } = share;
  return {
    share: keyOfShare(share),
    path: '',
    kind: 'directory',
    id: '00000000-0000-0000-0000-000000000000',
    metadata: {},
    headers: {},
    attributes: 'Directory',
    etag,
    createdAt: changedAt,
    changedAt,
    sizeBytes: 0,
    ranges: [],
  };
}

function typeMismatch(): StorageError {
  return new StorageError(
    409,
    'ResourceTypeMismatch',
    'The specified resource type does not match the type of the existing resource.',
  );
}

function nameOf({ path }: Entry): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
