/** What Azure checks of a template's resources before anything is made: that it has such types. */

import { ArmError, type Provider } from '../provider.ts';
import type { PlannedResource } from '../template/index.ts';
import { registered } from './registered-types.ts';

/** Throws ArmError 400 `InvalidResourceNamespace` or `InvalidResourceType` for the first type that no provider has. */
export function requireKnownTypes(
  resources: readonly PlannedResource[],
  providers: readonly Provider[],
): void {
  const rows = new Set(providers.flatMap(({ types }) => types.map(({ type }) => type.toLowerCase())));
  const namespaces = new Set([...rows].map((type) => type.slice(0, type.indexOf('/'))));
  for (const { type, apiVersion, path } of resources) {
    if (rows.has(type.toLowerCase()) || providers.some((one) => one.unlisted?.(type))) continue;
    const [namespace = '', ...segments] = type.split('/');
    const lower = namespace.toLowerCase();
    const at = { target: path };
    if (!registered.has(lower) && !namespaces.has(lower)) {
      throw new ArmError(
        400,
        'InvalidResourceNamespace',
        `The resource namespace '${namespace}' is invalid (resource at '${path}').`,
        at,
      );
    }
    throw new ArmError(
      400,
      'InvalidResourceType',
      `The resource type '${segments.join('/')}' could not be found in the namespace '${namespace}' for api version '${apiVersion}' (resource at '${path}').`,
      at,
    );
  }
}
