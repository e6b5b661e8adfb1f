/** Signing for the cloud's own blob requests: SharedKey headers and service SAS, as Azure Storage documents them. */

import { createHmac } from 'node:crypto';

/** The service version that the signatures below are written for. */
export const STORAGE_VERSION = '2024-11-04';

/** A service SAS for a container (`sr=c`), over https, from five minutes ago on. Answers the query without '?'. */
export function containerSas(
  account: string,
  key: string,
  container: string,
  permissions: string,
  minutes: number,
  now: Date,
): string {
  const start = iso(new Date(now.getTime() - 5 * 60_000));
  const expiry = iso(new Date(now.getTime() + minutes * 60_000));
  const fields = [
    permissions,
    start,
    expiry,
    `/blob/${account}/${container}`,
    '', // si
    '', // sip
    'https',
    STORAGE_VERSION,
    'c',
    '', // snapshot
    '', // encryption scope
    '', // rscc
    '', // rscd
    '', // rsce
    '', // rscl
    '', // rsct
  ];
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(fields.join('\n')).digest('base64');
  const query = new URLSearchParams({
    sv: STORAGE_VERSION,
    st: start,
    se: expiry,
    sr: 'c',
    sp: permissions,
    spr: 'https',
    sig,
  });
  return query.toString();
}

/** Permissions in the order that Azure asks for: `racwdxltfmeop`. */
export function orderedPermissions(permissions: string): string {
  return Array.from('racwdxyltfmeop')
    .filter((one) => permissions.includes(one))
    .join('');
}

function iso(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
