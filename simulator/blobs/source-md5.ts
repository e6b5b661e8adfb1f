/**
 * A copy from a URL may come with the MD5 that its source should have: the service compares what it has read with that,
 * and copies nothing else. Azurite does not look at it.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { azuriteHost } from '../storage-protocol/address.ts';
import type { Azurite } from '../azurite/azurite.ts';
import { StorageError } from '../storage-protocol/errors.ts';
import { STORAGE_VERSION } from '../storage-protocol/shared-key.ts';

/**
 * Throws StorageError where the source has another one. What cannot be read is refused by the copy itself. `source`: as
 * Azurite is asked for it.
 */
export async function requireSourceMd5(
  azurite: Azurite,
  { headers }: Pick<IncomingMessage, 'headers'>,
  source: string | undefined,
): Promise<void> {
  const wanted = headers['x-ms-source-content-md5'];
  const asked = source ?? headers['x-ms-copy-source'];
  if (typeof wanted !== 'string' || typeof asked !== 'string') return;
  const range = headers['x-ms-source-range'];
  const actual = await md5Of(azurite, new URL(asked), typeof range === 'string' ? range : undefined);
  if (actual === undefined || actual === wanted) return;
  throw new StorageError(
    400,
    'Md5Mismatch',
    'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
  );
}

async function md5Of(azurite: Azurite, source: URL, range: string | undefined): Promise<string | undefined> {
  const request = azurite.open(
    'GET',
    `${source.pathname}${source.search}`,
    {
      'x-ms-version': STORAGE_VERSION,
      Host: azuriteHost(source.host),
      ...(range === undefined ? {} : { 'x-ms-range': range }),
    },
    false,
  );
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
    request.end();
  });
  const md5 = createHash('md5');
  for await (const chunk of response) md5.update(chunk as Buffer);
  const status = response.statusCode ?? 0;
  return status === 200 || status === 206 ? md5.digest('base64') : undefined;
}
