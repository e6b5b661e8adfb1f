/** What is asked of an account's file service and of its shares. */

import { StorageError } from '../storage-protocol/errors.ts';
import type { Cloud } from '../contract/index.ts';
import type { FileRequest } from './admission.ts';
import { element, escaped, httpTime, shareHeaders, xml, type FileAnswer } from './answers.ts';
import { keyOfShare, type FileStore, type Share } from './file-store.ts';
import { metadataOf, quotaOf, requireShareName } from '../storage-protocol/file-names.ts';
import { stamp } from './stamp.ts';

const MOST_SHARES = 5000;

export interface ShareContext {
  cloud: Cloud;
  store: FileStore;
  request: FileRequest;
  /** Shares made and removed here are so for management, too. */
  mirror: (account: string, share: string, exists: boolean) => void;
}

/** GET ?comp=list */
export function listShares({ store, request }: ShareContext): FileAnswer {
  const { query, address, headers } = request;
  const prefix = query.get('prefix') ?? '';
  const marker = query.get('marker') ?? '';
  const include = (query.get('include') ?? '').split(',');
  const { limit, shown } = pageSize(query, MOST_SHARES);
  const found = store
    .shares(address.account)
    .filter(
      ({ name, snapshot }) => name.startsWith(prefix) && (snapshot === undefined || include.includes('snapshots')),
    )
    .filter((share) => keyOfShare(share) >= marker);
  const next = found[limit];
  const items = found.slice(0, limit).map((share) => shareItem(share, include.includes('metadata')));
  return xml(
    `<EnumerationResults ServiceEndpoint="https://${escaped(headers.host ?? '')}/">${element('Prefix', prefix)}${shown}<Shares>${items.join('')}</Shares>${element('NextMarker', next ? keyOfShare(next) : '')}</EnumerationResults>`,
  );
}

function shareItem(share: Share, withMetadata: boolean): string {
  const snapshot = share.snapshot === undefined ? '' : element('Snapshot', share.snapshot);
  const metadata = Object.entries(share.metadata).map(([name, value]) => element(name, value));
  const properties = [
    element('Last-Modified', httpTime(share.changedAt)),
    element('Etag', share.etag),
    element('Quota', share.quotaGiB),
    element('AccessTier', share.accessTier),
    element('LeaseStatus', 'unlocked'),
    element('LeaseState', 'available'),
    element('EnabledProtocols', 'SMB'),
  ].join('');
  return `<Share>${element('Name', share.name)}${snapshot}<Properties>${properties}</Properties>${withMetadata ? `<Metadata>${metadata.join('')}</Metadata>` : ''}</Share>`;
}

/** The page that a list asks for: its size, and the element that says so. Throws StorageError 400. */
export function pageSize(query: URLSearchParams, most: number): { limit: number; shown: string } {
  const asked = query.get('maxresults');
  if (asked === null) return { limit: most, shown: '' };
  const limit = Number(asked);
  if (!Number.isInteger(limit) || limit < 1)
    throw new StorageError(
      400,
      'OutOfRangeQueryParameterValue',
      `One of the query parameters specified in the request URI is outside the permissible range: maxresults '${asked}', expected 1 to ${most}.`,
    );
  return { limit: Math.min(limit, most), shown: element('MaxResults', Math.min(limit, most)) };
}

/** Everything with `restype=share`. */
export function askShare(context: ShareContext): FileAnswer {
  const { store, request } = context;
  const { method, query, address, headers } = request;
  requireShareName(address.share);
  const comp = query.get('comp');
  if (method === 'PUT' && comp === null) return createShare(context);
  const share = requireShare(store, request);
  if (method === 'GET' || method === 'HEAD') return readShare(store, share, comp);
  if (method === 'DELETE') return deleteShare(context, share);
  requireNoSnapshot(share);
  switch (comp) {
    case 'snapshot':
      return takeSnapshot(context, share);
    case 'metadata':
      return changed(context, share, { metadata: metadataOf(headers) });
    case 'properties':
      return changed(context, share, {
        quotaGiB: headers['x-ms-share-quota'] === undefined ? share.quotaGiB : quotaOf(headers),
        accessTier: headers['x-ms-access-tier'] ?? share.accessTier,
      });
    default:
      throw notOffered(request);
  }
}

function createShare({ cloud, store, request, mirror }: ShareContext): FileAnswer {
  const { address, headers } = request;
  if (store.share(address.account, address.share))
    throw new StorageError(409, 'ShareAlreadyExists', 'The specified share already exists.');
  const share: Share = {
    account: address.account,
    name: address.share,
    quotaGiB: quotaOf(headers),
    accessTier: headers['x-ms-access-tier'] ?? 'TransactionOptimized',
    metadata: metadataOf(headers),
    ...stamp(cloud.clock),
  };
  store.putShare(share);
  mirror(share.account, share.name, true);
  return { status: 201, headers: { 'Last-Modified': httpTime(share.changedAt), ETag: share.etag } };
}

function readShare(store: FileStore, share: Share, comp: string | null): FileAnswer {
  if (comp === 'stats')
    return xml(`<ShareStats>${element('ShareUsageBytes', store.usedBytes(keyOfShare(share)))}</ShareStats>`);
  if (comp === 'acl') return xml('<SignedIdentifiers />');
  return { status: 200, headers: shareHeaders(share) };
}

function deleteShare({ store, request, mirror }: ShareContext, share: Share): FileAnswer {
  const snapshots = store.shares(share.account).filter((one) => one.name === share.name && one.snapshot !== undefined);
  if (share.snapshot === undefined) {
    if (snapshots.length > 0 && request.headers['x-ms-delete-snapshots'] !== 'include')
      throw new StorageError(
        409,
        'ShareHasSnapshots',
        'This operation is not permitted because the share has snapshots.',
      );
    for (const snapshot of snapshots) store.removeShare(snapshot);
    mirror(share.account, share.name, false);
  }
  store.removeShare(share);
  return { status: 202 };
}

function takeSnapshot({ cloud, store, request }: ShareContext, share: Share): FileAnswer {
  const metadata = metadataOf(request.headers);
  const { etag, changedAt } = stamp(cloud.clock);
  let snapshot = new Date(changedAt).toISOString().replace('Z', '0000Z');
  for (let i = 1; store.share(share.account, share.name, snapshot); i += 1)
    snapshot = new Date(changedAt).toISOString().replace('Z', `${String(i).padStart(4, '0')}Z`);
  const taken = Object.keys(metadata).length > 0 ? metadata : share.metadata;
  store.takeSnapshot(share, { ...share, metadata: taken, snapshot });
  return {
    status: 201,
    headers: { 'x-ms-snapshot': snapshot, ETag: etag, 'Last-Modified': httpTime(changedAt) },
  };
}

function changed({ cloud, store }: ShareContext, share: Share, fields: Partial<Share>): FileAnswer {
  const next = { ...share, ...fields, ...stamp(cloud.clock) };
  store.putShare(next);
  return { status: 200, headers: { 'Last-Modified': httpTime(next.changedAt), ETag: next.etag } };
}

/** The share of the request, or its snapshot. Throws StorageError 404. */
export function requireShare(store: FileStore, { address, query }: FileRequest): Share {
  const snapshot = query.get('sharesnapshot') ?? undefined;
  const share = store.share(address.account, address.share, snapshot);
  if (share) return share;
  if (snapshot !== undefined && store.share(address.account, address.share))
    throw new StorageError(404, 'ShareSnapshotNotFound', 'The specified share snapshot does not exist.');
  throw new StorageError(404, 'ShareNotFound', 'The specified share does not exist.');
}

export function requireNoSnapshot(share: Share): void {
  if (share.snapshot !== undefined)
    throw new StorageError(
      400,
      'InvalidQueryParameterValue',
      "Value for one of the query parameters specified in the request URI is invalid: 'sharesnapshot' cannot be written to.",
    );
}

export function notOffered({ method, query }: FileRequest): StorageError {
  const asked = ['restype', 'comp'].map((name) => `${name}=${query.get(name) ?? ''}`).join('&');
  return new StorageError(
    501,
    'NotImplemented',
    `The requested operation is not implemented: ${method} with ${asked} is not offered by the local Azure.`,
  );
}
