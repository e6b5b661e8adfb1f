/** User-defined functions: the template's `functions` section. */

import type { Json } from '../provider.ts';
import { invalidTemplate, PLACE } from './language-error.ts';
import type { UserFunction } from './scope.ts';
import { isObject, textOf } from './values.ts';

/** All of them, by 'namespace.name' in lower case. Throws ArmError InvalidTemplate. */
export function parseFunctions(section: Json[]): Map<string, UserFunction> {
  const known = new Map<string, UserFunction>();
  for (const [index, group] of section.entries()) {
    const path = `/functions/${index}`;
    if (!isObject(group) || typeof group['namespace'] !== 'string' || !isObject(group['members'])) {
      throw invalidTemplate(
        `The template functions ${PLACE} are not valid: expected 'namespace' and 'members'. Please see https://aka.ms/arm-syntax-functions for usage details.`,
        path,
      );
    }
    for (const [member, definition] of Object.entries(group['members'])) {
      const name = `${group['namespace']}.${member}`;
      known.set(name.toLowerCase(), parseFunction(name, definition, `${path}/members/${member}`));
    }
  }
  return known;
}

function parseFunction(name: string, definition: Json, path: string): UserFunction {
  const output = isObject(definition) ? definition['output'] : undefined;
  if (!isObject(definition) || !isObject(output) || output['value'] === undefined) {
    throw invalidTemplate(
      `The template function '${name}' ${PLACE} is not valid: expected an 'output' with a 'value'. Please see https://aka.ms/arm-syntax-functions for usage details.`,
      path,
    );
  }
  const declared = definition['parameters'] ?? [];
  if (!Array.isArray(declared))
    throw invalidTemplate(
      `The template function '${name}' ${PLACE} is not valid: its 'parameters' are no array. Please see https://aka.ms/arm-syntax-functions for usage details.`,
      path,
    );
  const parameters = declared.map((parameter, index) => {
    if (!isObject(parameter) || typeof parameter['name'] !== 'string') {
      throw invalidTemplate(
        `The template function '${name}' ${PLACE} is not valid: expected a parameter to have 'name' and 'type'. Please see https://aka.ms/arm-syntax-functions for usage details.`,
        `${path}/parameters/${index}`,
      );
    }
    return { name: parameter['name'], type: textOf(parameter['type'] ?? null) };
  });
  return { name, parameters, output: output['value'] };
}
