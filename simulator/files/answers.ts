/** What Azure Files answers with: headers of shares, directories and files, and the XML of lists. */

import type { Entry, Share } from './file-store.ts';

export interface FileAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** A file's content, in place of a body; its length is among the headers. */
  parts?: () => Iterable<Buffer>;
}

export function xml(text: string): FileAnswer {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/xml' },
    body: `<?xml version="1.0" encoding="utf-8"?>${text}`,
  };
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function element(name: string, text: string | number): string {
  return `<${name}>${escaped(String(text))}</${name}>`;
}

export function httpTime(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}

/** A time as Azure Files writes file times: seven digits of a second. */
export function fileTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '0000Z');
}

export function shareHeaders(share: Share): Record<string, string> {
  return {
    'Last-Modified': httpTime(share.changedAt),
    ETag: share.etag,
    'x-ms-share-quota': String(share.quotaGiB),
    'x-ms-access-tier': share.accessTier,
    'x-ms-enabled-protocols': 'SMB',
    'x-ms-lease-status': 'unlocked',
    'x-ms-lease-state': 'available',
    'x-ms-has-immutability-policy': 'false',
    ...metadataHeaders(share.metadata),
  };
}

export function entryHeaders(entry: Entry): Record<string, string> {
  const common = {
    'Last-Modified': httpTime(entry.changedAt),
    ETag: entry.etag,
    'x-ms-server-encrypted': 'true',
    'x-ms-file-attributes': entry.attributes,
    'x-ms-file-creation-time': fileTime(entry.createdAt),
    'x-ms-file-last-write-time': fileTime(entry.changedAt),
    'x-ms-file-change-time': fileTime(entry.changedAt),
    'x-ms-file-permission-key': PERMISSION_KEY,
    'x-ms-file-id': fileId(entry.id),
    ...metadataHeaders(entry.metadata),
  };
  if (entry.kind === 'directory') return common;
  return {
    ...common,
    'x-ms-type': 'File',
    'x-ms-lease-status': 'unlocked',
    'x-ms-lease-state': 'available',
    'Accept-Ranges': 'bytes',
    ...entry.headers,
  };
}

/** The one permission that all files here have. */
const PERMISSION_KEY = '1*1';

/** Azure's ids of files are numbers of 64 bits; this is one, the same for as long as the file lives. */
export function fileId(id: string): string {
  return (BigInt(`0x${id.replaceAll('-', '').slice(0, 16)}`) & 0x7fff_ffff_ffff_ffffn).toString();
}

function metadataHeaders(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]));
}
