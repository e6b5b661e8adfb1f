/** Linked templates and parameter files. */

import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isObject } from '../resource/fields.ts';
import { parseLenientJson } from '../http/lenient-json.ts';
import { ArmError, type Json, type JsonObject } from '../contract/index.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const DEADLINE_MS = 10_000;

/**
 * Fetches a linked JSON file, over http or https with `ca`. The local Azure reads links on this machine only: it is
 * meant to be used without a network. Throws ArmError 400 `InvalidContentLink`.
 */
export async function loadLink(uri: string, ca: string): Promise<JsonObject> {
  const refuse = (why: string): ArmError =>
    new ArmError(
      400,
      'InvalidContentLink',
      `Unable to download deployment content from '${uri.split('?')[0]}': ${why}.`,
    );
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw refuse('it is not an http or https address');
  if (!isHere(url.hostname)) throw refuse('the local Azure reads links on this machine only');
  const { status, text } = await download(url, ca).catch((error: unknown) => {
    throw refuse((error as Error).message);
  });
  if (status !== 200) throw refuse(`the server answered ${status}`);
  let content: Json;
  try {
    content = parseLenientJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(`it is not JSON (${(error as Error).message})`);
  }
  if (!isObject(content)) throw refuse('it is not a JSON object');
  return content;
}

/** This machine, or a name below `localhost` that this cloud's accounts have. */
function isHere(hostname: string): boolean {
  return LOOPBACK.has(hostname) || hostname.endsWith('.localhost');
}

/** Names below `localhost` lead to this machine, whether or not it resolves them. */
const toLoopback: LookupFunction = (_hostname, { all }, found) => {
  if (all === true) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
};

function download(url: URL, ca: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const named = url.hostname.endsWith('.localhost') ? { lookup: toLoopback } : {};
    const options = { timeout: DEADLINE_MS, ...named };
    const request = url.protocol === 'https:' ? getHttps(url, { ...options, ca }) : getHttp(url, options);
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} s`)));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
  });
}
