/** User-defined functions: the template's `functions` section. */

import type { Json } from '../provider.ts';
import { invalidTemplate } from './language-error.ts';
import type { UserFunction } from './scope.ts';
import { isObject, textOf } from './values.ts';

/** All of them, by 'namespace.name' in lower case. Throws ArmError InvalidTemplate. */
export function parseFunctions(section: Json[]): Map<string, UserFunction> {
  const known = new Map<string, UserFunction>();
  for (const [index, group] of section.entries()) {
    const path = `/functions/${index}`;
    if (!isObject(group) || typeof group['namespace'] !== 'string' || !isObject(group['members'])) {
      throw invalidTemplate(
        `The function namespace at '${path}' is not valid: expected 'namespace' and 'members'`,
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
      `The function '${name}' at '${path}' is not valid: expected an 'output' with a 'value'`,
    );
  }
  const declared = definition['parameters'] ?? [];
  if (!Array.isArray(declared))
    throw invalidTemplate(`The 'parameters' of function '${name}' at '${path}' are not an array`);
  const parameters = declared.map((parameter, index) => {
    if (!isObject(parameter) || typeof parameter['name'] !== 'string') {
      throw invalidTemplate(
        `The parameter at '${path}/parameters/${index}' is not valid: expected 'name' and 'type'`,
      );
    }
    return { name: parameter['name'], type: textOf(parameter['type'] ?? null) };
  });
  return { name, parameters, output: output['value'] };
}
