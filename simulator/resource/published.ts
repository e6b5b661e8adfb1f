/** What Azure publishes of an API, operation by operation, and the refusal of one that is not offered here. */

import { ArmError } from '../contract/index.ts';

/** An operation as Azure publishes it; `path` with its parameters in braces. */
export interface PublishedOperation {
  id: string;
  method: string;
  path: string;
}

/** The operations of a list of `{ id: 'METHOD path' }`. */
export function publishedIn(operations: Record<string, string>): readonly PublishedOperation[] {
  return Object.entries(operations).map(([id, request]) => {
    const space = request.indexOf(' ');
    return { id, method: request.slice(0, space), path: request.slice(space + 1) };
  });
}

/**
 * Refuses a request that is one of these operations.
 *
 * Errors: 501 NotImplemented that names the operation.
 */
export function refusalOf(
  operations: readonly PublishedOperation[],
): (request: { method: string; path: string }) => void {
  const patterns = operations.map((operation) => ({ operation, pattern: patternOf(operation.path) }));
  return ({ method, path }) => {
    const found = patterns.find(
      ({ operation, pattern }) => operation.method === method && pattern.test(path),
    )?.operation;
    if (!found) return;
    throw new ArmError(
      501,
      'NotImplemented',
      `The operation '${found.id}' (${method} ${found.path}) is not offered by the local Azure.`,
      { target: found.id },
    );
  };
}

function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.()]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/\{\w+\}/g, '[^/]+')}/*$`, 'i');
}
