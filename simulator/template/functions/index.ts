/** All functions of the template language, found by name in any case. */

import { arrayFunctions } from './arrays.ts';
import { cidrFunctions } from './cidr.ts';
import { collectionFunctions } from './collections.ts';
import { dateFunctions } from './dates.ts';
import type { TemplateFunction } from './define.ts';
import { deploymentFunctions } from './deployment.ts';
import { lambdaFunctions } from './lambdas.ts';
import { logicFunctions } from './logic.ts';
import { numberFunctions } from './numbers.ts';
import { objectFunctions } from './objects.ts';
import { referenceFunctions, listFunction } from './references.ts';
import { resourceIdFunctions } from './resource-ids.ts';
import { stringFunctions } from './strings.ts';
import { uriFunctions } from './uris.ts';

const functions = new Map<string, TemplateFunction>(
  [
    ...arrayFunctions,
    ...cidrFunctions,
    ...collectionFunctions,
    ...dateFunctions,
    ...deploymentFunctions,
    ...lambdaFunctions,
    ...logicFunctions,
    ...numberFunctions,
    ...objectFunctions,
    ...referenceFunctions,
    ...resourceIdFunctions,
    ...stringFunctions,
    ...uriFunctions,
  ].map((known) => [known.name.toLowerCase(), known]),
);

/** The function of this name; any name beginning with 'list' is an action of a resource (`listKeys`). */
export function functionNamed(name: string): TemplateFunction | undefined {
  const lower = name.toLowerCase();
  return functions.get(lower) ?? (lower.startsWith('list') ? listFunction : undefined);
}
