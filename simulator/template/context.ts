/** A deployment while it is planned and evaluated: parameters, variables, functions and resources, by name. */

import type { Json, JsonObject } from '../contract/index.ts';
import { copyCountAt, evaluateAt } from './evaluate.ts';
import { childName, providerPart } from './language/ids.ts';
import { parseFunctions } from './user-functions.ts';
import { LanguageError, type Subject } from './language/language-error.ts';
import {
  checkGiven,
  checkNames,
  checkParameter,
  type Checks,
  declaredType,
  isSecure,
  missing,
  shownType,
} from './parameters.ts';
import { type DeploymentContext, inCopy, rootScope, type Scope, type UserFunction } from './language/scope.ts';
import type { Runtime } from './language/runtime.ts';
import { type Sections, sectionsOf } from './shape.ts';
import type { DeploymentInput, PlannedResource } from './language/types.ts';
import { expectString, isObject, keyOf, propertyOf, textOf } from './language/values.ts';

export class Context implements DeploymentContext {
  readonly input: DeploymentInput;
  readonly sections: Sections;
  readonly #functions: Map<string, UserFunction>;
  readonly #values = new Map<string, Json>();
  readonly #evaluating = new Set<string>();
  readonly #byId = new Map<string, PlannedResource>();
  readonly #byName = new Map<string, PlannedResource>();
  readonly #loops = new Map<string, PlannedResource[]>();

  constructor(input: DeploymentInput) {
    this.input = input;
    this.sections = sectionsOf(input.template);
    this.#functions = parseFunctions(this.sections.functions, this.checks);
    checkGiven(input.parameters);
    checkNames(this.sections.parameters, input.parameters);
  }

  get checks(): Checks {
    return { definitions: this.sections.definitions, typed: this.sections.typed };
  }

  get symbolic(): boolean {
    return this.sections.symbolic;
  }

  /** Makes the plan's resources known to `reference` and its kin. Of one name, the first stands. */
  addResources(resources: PlannedResource[]): void {
    for (const resource of resources) {
      const id = resource.id.toLowerCase();
      if (!this.#byId.has(id) || !resource.existing) this.#byId.set(id, resource);
      const { symbolicName, copy } = resource;
      const names = this.symbolic
        ? [copy === undefined ? (symbolicName ?? '') : `${symbolicName ?? ''}[${copy.index}]`]
        : namesOf(resource);
      for (const name of names) {
        if (!this.#byName.has(name.toLowerCase())) this.#byName.set(name.toLowerCase(), resource);
      }
      if (copy !== undefined) {
        const loop = (symbolicName ?? copy.name).toLowerCase();
        this.#loops.set(loop, [...(this.#loops.get(loop) ?? []), resource]);
      }
    }
  }

  resource(nameOrId: string): PlannedResource | undefined {
    const lower = nameOrId.toLowerCase();
    return nameOrId.startsWith('/') ? this.#byId.get(lower) : this.#byName.get(lower);
  }

  instances(symbolicName: string): PlannedResource[] | undefined {
    return this.#loops.get(symbolicName.toLowerCase());
  }

  userFunction(name: string): UserFunction | undefined {
    return this.#functions.get(name.toLowerCase());
  }

  parameter(name: string, scope: Scope): Json {
    const key = keyOf(this.sections.parameters, name);
    const declaration = key === undefined ? undefined : this.sections.parameters[key];
    if (key === undefined || !isObject(declaration)) {
      throw new LanguageError(
        `The template parameter '${name}' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.`,
      );
    }
    return this.#once(`parameter '${key}'`, () => this.#parameterValue(key, declaration, scope.runtime));
  }

  #parameterValue(name: string, declaration: JsonObject, runtime: Runtime): Json {
    const path = `/parameters/${name}`;
    const type = declaredType(declaration, this.sections.definitions, path);
    const given = propertyOf(this.input.parameters, name);
    let value: Json;
    if (isObject(given) && isObject(given['reference'])) value = secret(name, given['reference'], runtime);
    else if (
      isObject(given) &&
      given['value'] !== undefined &&
      (given['value'] !== null || type['nullable'] === true)
    ) {
      value = given['value'];
    } else if (declaration['defaultValue'] !== undefined) {
      const scope = rootScope(this, runtime, 'parameterDefault');
      const subject: Subject = { kind: 'declaration', name, place: path };
      value = evaluateAt(subject, `${path}/defaultValue`, declaration['defaultValue'], scope);
    } else if (type['nullable'] === true) value = null;
    else throw missing(name, given);
    checkParameter(name, value, type, this.checks);
    return value;
  }

  variable(name: string, scope: Scope): Json {
    const { variables } = this.sections;
    const key = keyOf(variables, name);
    const loop = this.#variableLoop(name);
    if ((key === undefined || key === 'copy') && loop === undefined) {
      throw new LanguageError(
        `The template variable '${name}' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.`,
      );
    }
    const root = rootScope(this, scope.runtime, 'variable');
    return this.#once(`variable '${name.toLowerCase()}'`, () => {
      const what: Subject = { kind: 'variable', name: key ?? name };
      if (loop === undefined)
        return evaluateAt(what, `/variables/${key ?? name}`, variables[key ?? name] ?? null, root);
      const { path, definition } = loop;
      const count = copyCountAt(what, `${path}/count`, definition['count'], root);
      return Array.from({ length: count }, (_, index) =>
        evaluateAt(what, `${path}/input`, definition['input'] ?? null, inCopy(root, name, index, true)),
      );
    });
  }

  #variableLoop(name: string): { path: string; definition: JsonObject } | undefined {
    const loops = this.sections.variables['copy'];
    if (!Array.isArray(loops)) return undefined;
    for (const [index, definition] of loops.entries()) {
      if (isObject(definition) && textOf(definition['name'] ?? null).toLowerCase() === name.toLowerCase()) {
        return { path: `/variables/copy/${index}`, definition };
      }
    }
    return undefined;
  }

  /** Computes each value once, and finds values that need themselves. */
  #once(what: string, compute: () => Json): Json {
    const known = this.#values.get(what);
    if (known !== undefined) return known;
    if (this.#evaluating.has(what)) {
      throw new LanguageError(`Circular reference detected: the template ${what} is defined by itself.`);
    }
    this.#evaluating.add(what);
    try {
      const value = compute();
      this.#values.set(what, value);
      return value;
    } finally {
      this.#evaluating.delete(what);
    }
  }

  /** Every parameter, checked, as a deployment's answer shows them. */
  shownParameters(runtime: Runtime): JsonObject {
    const scope = rootScope(this, runtime, 'static');
    const shown: JsonObject = {};
    for (const [name, declaration] of Object.entries(this.sections.parameters)) {
      if (!isObject(declaration)) continue;
      const type = declaredType(declaration, this.sections.definitions, `/parameters/${name}`);
      const given = propertyOf(this.input.parameters, name);
      if (isObject(given) && given['reference'] !== undefined) {
        shown[name] = { type: shownType(type), reference: given['reference'] };
        continue;
      }
      const value = this.parameter(name, scope);
      shown[name] = isSecure(type) ? { type: shownType(type) } : { type: shownType(type, value), value };
    }
    return shown;
  }

  /** Evaluates all variables that can be known now, so that a broken one is found whether it is used or not. */
  checkVariables(runtime: Runtime, ignorePending: (work: () => void) => void): void {
    const scope = rootScope(this, runtime, 'static');
    const loops = this.sections.variables['copy'];
    const looped = Array.isArray(loops)
      ? loops.map((loop) => (isObject(loop) ? textOf(loop['name'] ?? null) : ''))
      : [];
    const names = Object.keys(this.sections.variables).filter((name) => name !== 'copy' || !Array.isArray(loops));
    for (const name of [...names, ...looped]) ignorePending(() => this.variable(name, scope));
  }
}

/** The names that a template without symbolic names may call a resource by. */
function namesOf(resource: PlannedResource): string[] {
  const child = childName(resource);
  return [
    resource.name,
    `${resource.type}/${resource.name}`,
    providerPart(resource.id),
    ...(child === undefined ? [] : [child]),
  ];
}

/** The value of a secret that a parameter names: known only while deploying. */
function secret(name: string, reference: JsonObject, runtime: Runtime): Json {
  const vault = isObject(reference['keyVault']) ? reference['keyVault']['id'] : undefined;
  const vaultId = expectString(`parameter '${name}' reference`, vault);
  const secretName = expectString(`parameter '${name}' reference`, reference['secretName']);
  const version = reference['secretVersion'];
  const secretVersion = typeof version === 'string' ? version : undefined;
  return runtime.ask(`secret ${vaultId.toLowerCase()} ${secretName} ${secretVersion ?? ''}`, async (environment) => {
    if (environment.secret === undefined) {
      throw new LanguageError(
        `The template parameter '${name}' names a Key Vault secret, and secrets cannot be read here.`,
      );
    }
    return environment.secret(vaultId, secretName, secretVersion);
  });
}
