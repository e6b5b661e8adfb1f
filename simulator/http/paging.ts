/** Pages of a list, and the link to the next. */

import { ArmError, type Stored } from '../contract/index.ts';
import type { ArmRequest } from './answer.ts';

const LARGEST_PAGE = 1000;

/**
 * The page that the request asks for: `$top` entries, else `size`, after `$skipToken` (or `$skip`, as Azure Machine
 * Learning calls it). The token names the last entry of the page before, so that entries made or deleted meanwhile
 * neither repeat nor hide others. Throws ArmError 400 for a token or a `$top` that is none.
 */
export function page(
  endpoint: string,
  request: Pick<ArmRequest, 'path' | 'query'>,
  entries: readonly Stored[],
  size: number,
): { items: Stored[]; nextLink?: string } {
  const token = parameter(request.query, '$skiptoken') ?? parameter(request.query, '$skip');
  const limit = topOf(request.query) ?? size;
  const start = token === undefined ? 0 : startAfter(token, entries);
  const items = entries.slice(start, start + limit);
  const last = items.at(-1);
  if (start + items.length >= entries.length || !last) return { items };
  const query = new URLSearchParams(
    [...request.query].filter(([name]) => !['$skiptoken', '$skip'].includes(name.toLowerCase())),
  );
  query.set(
    '$skipToken',
    Buffer.from(`${start + items.length}|${last.resource.id.toLowerCase()}`).toString('base64url'),
  );
  return { items, nextLink: `${endpoint}${request.path}?${query.toString()}` };
}

function startAfter(token: string, entries: readonly Stored[]): number {
  const text = Buffer.from(token, 'base64url').toString();
  const split = text.indexOf('|');
  const guess = Number(text.slice(0, split));
  if (split < 1 || !Number.isInteger(guess) || guess < 1) {
    throw new ArmError(
      400,
      'InvalidSkipToken',
      `The skip token '${token}' is invalid: follow the nextLink as it was given.`,
    );
  }
  const key = text.slice(split + 1);
  if (entries[guess - 1]?.resource.id.toLowerCase() === key) return guess;
  const found = entries.findIndex((entry) => entry.resource.id.toLowerCase() === key);
  // The entry itself is gone: what followed it has moved up by one.
  return found >= 0 ? found + 1 : Math.max(0, guess - 1);
}

function topOf(query: URLSearchParams): number | undefined {
  const text = parameter(query, '$top');
  if (text === undefined || text === '') return undefined;
  const top = Number(text);
  if (!Number.isInteger(top) || top < 1)
    throw new ArmError(
      400,
      'InvalidTopParameter',
      `The value '${text}' of the query parameter '$top' is invalid: expected an integer from 1 to ${LARGEST_PAGE}.`,
    );
  return Math.min(top, LARGEST_PAGE);
}

/** A query parameter by its name in lower case: Azure does not mind the case of them. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  for (const [key, value] of query) if (key.toLowerCase() === name) return value;
  return undefined;
}
