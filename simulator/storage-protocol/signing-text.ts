/** What Azure Storage's signatures are made of, as its documentation states it: shared keys and both kinds of SAS. */

import { createHmac, timingSafeEqual } from 'node:crypto';

export function sign(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
}

/** Compares without telling, by its time, how much was right. */
export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What `Authorization: SharedKey` signs. `path` is the path as it was sent; header names are in lower case. */
export function sharedKeyText(
  account: string,
  method: string,
  path: string,
  query: URLSearchParams,
  headers: Record<string, string>,
): string {
  const length = headers['content-length'] ?? '';
  const standard = [
    'content-encoding',
    'content-language',
    null,
    'content-md5',
    'content-type',
    'date',
    'if-modified-since',
    'if-match',
    'if-none-match',
    'if-unmodified-since',
    'range',
  ].map((name) => (name === null ? (length === '0' ? '' : length) : (headers[name] ?? '')));
  // With x-ms-date, which is among the headers below, the date's own line stays empty.
  if (headers['x-ms-date'] !== undefined) standard[5] = '';
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort(byLetters)
    .map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  const parameters = new Map<string, string[]>();
  for (const [name, value] of query)
    parameters.set(name.toLowerCase(), [...(parameters.get(name.toLowerCase()) ?? []), value]);
  const asked = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => `\n${name}:${values.sort().join(',')}`);
  return `${[method, ...standard].join('\n')}\n${own.join('')}/${account}${path}${asked.join('')}`;
}

/** Azure orders header names as words: dashes count only between names that are otherwise the same. */
function byLetters(a: string, b: string): number {
  const [plainA, plainB] = [a.replaceAll('-', ''), b.replaceAll('-', '')];
  if (plainA !== plainB) return plainA < plainB ? -1 : 1;
  return a < b ? -1 : 1;
}

/** What an account SAS signs, from service version 2020-12-06 on. */
export function accountSasText(account: string, query: URLSearchParams): string {
  const fields = ['sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv', 'ses'].map((name) => query.get(name) ?? '');
  return `${[account, ...fields].join('\n')}\n`;
}

/** What a service SAS for a share or a file signs. `resource`: '/file/{account}/{share}[/{path}]', decoded. */
export function fileSasText(resource: string, query: URLSearchParams): string {
  const of = (name: string): string => query.get(name) ?? '';
  return [
    ...['sp', 'st', 'se'].map(of),
    resource,
    ...['si', 'sip', 'spr', 'sv', 'rscc', 'rscd', 'rsce', 'rscl', 'rsct'].map(of),
  ].join('\n');
}

/**
 * What a service SAS for a container or a blob signs, from service version 2020-12-06 on. `resource`:
 * '/blob/{account}/{container}[/{blob}]'.
 */
export function blobSasText(resource: string, query: URLSearchParams): string {
  const of = (name: string): string => query.get(name) ?? '';
  return [
    ...['sp', 'st', 'se'].map(of),
    resource,
    ...['si', 'sip', 'spr', 'sv', 'sr', 'snapshot', 'ses', 'rscc', 'rscd', 'rsce', 'rscl', 'rsct'].map(of),
  ].join('\n');
}
