/** User-defined functions: the template's `functions` section. */

import type { Json, JsonObject } from '../contract/index.ts';
import { callsIn, type Expression, isExpression, parseExpression } from './language/expression.ts';
import { functionNamed } from './functions/index.ts';
import { refersToResource } from './functions/references.ts';
import { invalidTemplate, LanguageError, PLACE, type TemplateFault } from './language/language-error.ts';
import { type Checks, declaredType } from './parameters.ts';
import type { UserFunction } from './language/scope.ts';
import { isObject, textOf } from './language/values.ts';

const DETAILS = 'Please see https://aka.ms/arm-syntax-functions for usage details.';

/**
 * All of them, by 'namespace.name' in lower case. Throws TemplateFault InvalidTemplate for one that cannot be, called
 * or not.
 */
export function parseFunctions(section: Json[], checks: Checks): Map<string, UserFunction> {
  const known = new Map<string, UserFunction>();
  for (const [index, group] of section.entries()) {
    const path = `/functions/${index}`;
    if (!isObject(group) || typeof group['namespace'] !== 'string' || !isObject(group['members'])) {
      throw invalidTemplate(
        `The template functions ${PLACE} are not valid: expected 'namespace' and 'members'. ${DETAILS}`,
        path,
      );
    }
    for (const [member, definition] of Object.entries(group['members'])) {
      const parsed = new Definition(member, `${path}/members/${member}`, checks).parse(definition);
      const name = `${group['namespace']}.${member}`;
      known.set(name.toLowerCase(), { ...parsed, name });
    }
  }
  return known;
}

/** One definition, while it is looked through. */
class Definition {
  readonly #name: string;
  readonly #path: string;
  readonly #checks: Checks;

  constructor(name: string, path: string, checks: Checks) {
    this.#name = name;
    this.#path = path;
    this.#checks = checks;
  }

  parse(definition: Json): Omit<UserFunction, 'name'> {
    const output = isObject(definition) ? definition['output'] : undefined;
    if (!isObject(definition) || !isObject(output) || output['value'] === undefined)
      throw this.#refuse(`is not valid: expected an 'output' with a 'value'. ${DETAILS}`);
    const declared = definition['parameters'] ?? [];
    if (!Array.isArray(declared)) throw this.#refuse(`is not valid: its 'parameters' are no array. ${DETAILS}`);
    const parameters = declared.map((one, index) => this.#parameter(one, `${this.#path}/parameters/${index}`));
    declaredType(output, this.#checks.definitions, `${this.#path}/output`);
    this.#examine(output['value'], new Set(parameters.map(({ name }) => name.toLowerCase())));
    return { parameters, output: output['value'] };
  }

  #refuse(problem: string, path = this.#path): TemplateFault {
    return invalidTemplate(`The template function '${this.#name}' ${PLACE} ${problem}`, path);
  }

  #parameter(declared: Json, path: string): UserFunction['parameters'][number] {
    if (!isObject(declared) || typeof declared['name'] !== 'string')
      throw this.#refuse(`is not valid: expected a parameter to have 'name' and 'type'. ${DETAILS}`, path);
    const { name } = declared;
    if (declared['defaultValue'] !== undefined)
      throw this.#refuse(`is not valid: its parameter '${name}' cannot have a default value. ${DETAILS}`, path);
    declaredType(declared, this.#checks.definitions, path);
    return { name, type: textOf(declared['type'] ?? null) };
  }

  /** Looks through the output, whether or not the function is ever called. `own`: its parameters, in lower case. */
  #examine(value: Json, own: ReadonlySet<string>): void {
    const calls = expressionsIn(value, (text) => this.#parse(text)).flatMap((each) => [...callsIn(each)]);
    const forbidden = new Set(calls.map(({ name }) => name).filter((name) => this.#isForbidden(name)));
    if (forbidden.size > 0)
      throw this.#refuse(
        `is not valid. These function calls are not supported in a function definition: '${[...forbidden].join(', ')}'. ${DETAILS}`,
        `${this.#path}/output`,
      );
    for (const { name, args } of calls) {
      if (!name.includes('.') && functionNamed(name) === undefined)
        throw this.#wrong(
          `The template function '${name}' is not valid. Please see https://aka.ms/arm-functions for usage details.`,
        );
      const [first] = args;
      if (name.toLowerCase() !== 'parameters' || first?.kind !== 'literal') continue;
      if (!own.has(String(first.value).toLowerCase()))
        throw this.#wrong(
          `The template parameter '${first.value}' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.`,
        );
    }
  }

  /** What needs the deployment; and, but in later versions of the language, other functions of the template. */
  #isForbidden(call: string): boolean {
    if (call.includes('.')) return !this.#checks.typed;
    return call.toLowerCase() === 'variables' || refersToResource(call);
  }

  #parse(text: string): Expression {
    try {
      return parseExpression(text);
    } catch (error) {
      if (error instanceof LanguageError) throw this.#wrong(error.message);
      throw error;
    }
  }

  #wrong(problem: string): TemplateFault {
    return this.#refuse(`is not valid: ${problem}. ${DETAILS}`, `${this.#path}/output`);
  }
}

/** Every expression within `value`, names of members included. */
function expressionsIn(value: Json, parse: (text: string) => Expression): Expression[] {
  if (typeof value === 'string') return isExpression(value) ? [parse(value)] : [];
  if (Array.isArray(value)) return value.flatMap((each) => expressionsIn(each, parse));
  if (!isObject(value)) return [];
  const members: JsonObject = value;
  return Object.entries(members).flatMap(([key, each]) => [
    ...expressionsIn(key, parse),
    ...expressionsIn(each, parse),
  ]);
}
