/** Reaching into Azurite, within its process: `patch` fails where a version of Azurite has moved what is changed. */

import { createRequire } from 'node:module';

export type Prototype = Record<string, (...values: never[]) => unknown>;

export const requireAzurite = createRequire(import.meta.url);

export function prototypeOf(module: string): Prototype {
  const loaded = requireAzurite(`azurite/dist/src/${module}`) as { default: { prototype: Prototype } };
  return loaded.default.prototype;
}

/** Replaces a method. Throws an Error if there is none of that name. */
export function patch(
  prototype: Prototype,
  method: string,
  replace: (original: Prototype[string]) => Prototype[string],
): void {
  const original = prototype[method];
  if (typeof original !== 'function') throw new Error(`this version of Azurite has no method '${method}' to build on`);
  prototype[method] = replace(original);
}
