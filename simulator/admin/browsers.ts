/**
 * A web page in the user's browser must not be able to drive the cloud, whatever name it has the browser resolve to
 * this machine.
 */

import type { IncomingHttpHeaders } from 'node:http';
import { ArmError } from '../contract/index.ts';

/** Loopback by its names and addresses, with any port. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/i;

/**
 * Throws ArmError 403 for a request that a page of another site made (browsers say so), and for one whose Host is not
 * this machine's loopback: a name that was bound anew to 127.0.0.1 is still the name of somebody else's site.
 */
export function requireNoBrowser(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none'))
    throw new ArmError(403, 'Forbidden', 'The admin API does not answer web pages in browsers.');
  if (!LOOPBACK.test(headers.host ?? ''))
    throw new ArmError(
      403,
      'Forbidden',
      `The admin API answers on loopback only: expected a Host of 127.0.0.1, localhost or [::1], got '${headers.host ?? ''}'.`,
    );
}
