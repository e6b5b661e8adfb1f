/**
 * From the part of Bicep that the project's templates use to the ARM template that the Bicep compiler makes of it, so
 * that a test can hold the two together where there is no compiler. It compiles everything or says what it cannot.
 */

import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { parseBicep } from './bicep-syntax.ts';
import type { BicepFile, Decorator, Node, Output, Parameter, ResourceDeclaration } from './bicep-tree.ts';

const SCHEMAS: Record<string, string> = {
  resourceGroup: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  subscription: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
};
const FUNCTIONS: Record<string, string> = {
  '==': 'equals',
  '>=': 'greaterOrEquals',
  '<=': 'lessOrEquals',
  '>': 'greater',
  '<': 'less',
  '&&': 'and',
  '||': 'or',
  '??': 'coalesce',
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
};
/** Properties of a resource declaration that are not part of what is sent. */
const HEAD = new Set(['parent', 'scope', 'name', 'dependsOn']);

/** Compiles a Bicep file. Throws an Error that says what in it is not known here. */
export function compileBicep(source: string): JsonObject {
  return new Compiler(parseBicep(source)).template();
}

class Compiler {
  readonly #file: BicepFile;
  readonly #resources: Map<string, ResourceDeclaration>;
  /** The loop around what is being compiled. */
  #loop: ResourceDeclaration['loop'];

  constructor(file: BicepFile) {
    this.#file = file;
    this.#resources = new Map(file.resources.map((each) => [each.symbol, each]));
  }

  template(): JsonObject {
    for (const { name, value } of this.#file.variables) {
      // The compiler puts such a variable in wherever it is used; here it would stand where no reference may.
      if (namesIn(value).some((each) => this.#resources.has(each))) {
        throw new Error(`the variable '${name}' is made of a resource: that is not known here`);
      }
    }
    const { targetScope, parameters, variables, resources, outputs } = this.#file;
    const schema = SCHEMAS[targetScope];
    if (schema === undefined) throw new Error(`the target scope '${targetScope}' is not known here`);
    return {
      $schema: schema,
      contentVersion: '1.0.0.0',
      ...section(
        'parameters',
        parameters.map((each) => [each.name, this.#parameter(each)]),
      ),
      ...section(
        'variables',
        variables.map((each) => [each.name, this.#value(each.value)]),
      ),
      resources: resources.filter((each) => !each.existing).map((each) => this.#resource(each)),
      ...section(
        'outputs',
        outputs.map((each) => [each.name, this.#output(each)]),
      ),
    };
  }

  #parameter({ type, default: value, decorators }: Parameter): JsonObject {
    const secure = decorators.some((each) => each.name === 'secure');
    const parameter: JsonObject = { type: secure ? `secure${type === 'object' ? 'Object' : type}` : type };
    if (value !== undefined) parameter['defaultValue'] = this.#value(value);
    return { ...parameter, ...this.#decorations(decorators) };
  }

  #decorations(decorators: Decorator[]): JsonObject {
    const result: JsonObject = {};
    for (const { name, args } of decorators) {
      const [first] = args;
      if (name === 'secure' || name === 'batchSize') continue;
      if (first === undefined) throw new Error(`the decorator '@${name}' has no argument`);
      if (name === 'description') result['metadata'] = { description: this.#value(first) };
      else if (name === 'allowed') result['allowedValues'] = this.#value(first);
      else if (/^(?:min|max)(?:Length|Value)$/.test(name)) result[name] = this.#value(first);
      else throw new Error(`the decorator '@${name}' is not known here`);
    }
    return result;
  }

  #resource(resource: ResourceDeclaration): JsonObject {
    this.#loop = resource.loop;
    const result: JsonObject = {};
    if (resource.condition !== undefined) result['condition'] = this.#value(resource.condition);
    if (resource.loop !== undefined) result['copy'] = this.#copy(resource, resource.loop.over);
    result['type'] = resource.type;
    result['apiVersion'] = resource.apiVersion;
    const scope = property(resource, 'scope');
    if (scope !== undefined) result['scope'] = `[${this.#idOf(this.#symbol(scope))}]`;
    const names = this.#names(resource);
    result['name'] =
      names.length === 1 && names[0] !== undefined
        ? this.#value(names[0])
        : `[format('${names.map((_, index) => `{${index}}`).join('/')}', ${names.map((name) => this.#text(name)).join(', ')})]`;
    for (const [key, value] of resource.body) if (!HEAD.has(key)) result[key] = this.#value(value);
    const dependsOn = this.#dependencies(resource);
    if (dependsOn.length > 0) result['dependsOn'] = dependsOn;
    this.#loop = undefined;
    return result;
  }

  #copy({ symbol, decorators }: ResourceDeclaration, over: Node): JsonObject {
    const batch = decorators.find((each) => each.name === 'batchSize')?.args[0];
    const count = `[length(${this.#text(over)})]`;
    return batch === undefined
      ? { name: symbol, count }
      : { name: symbol, count, mode: 'serial', batchSize: this.#value(batch) };
  }

  #output({ type, value, decorators }: Output): JsonObject {
    return { type, ...this.#decorations(decorators), value: this.#value(value) };
  }

  /** The names of a resource and its parents, outermost first. */
  #names(resource: ResourceDeclaration): Node[] {
    const name = property(resource, 'name');
    if (name === undefined) throw new Error(`the resource '${resource.symbol}' has no name`);
    const parent = property(resource, 'parent');
    return parent === undefined ? [name] : [...this.#names(this.#symbol(parent)), name];
  }

  #symbol(node: Node): ResourceDeclaration {
    const found = node.kind === 'name' ? this.#resources.get(node.name) : undefined;
    if (found === undefined) throw new Error(`expected the symbol of a resource, got ${JSON.stringify(node)}`);
    return found;
  }

  #idOf(resource: ResourceDeclaration): string {
    const names = this.#names(resource).map((name) => this.#text(name));
    if (names.length !== resource.type.split('/').length - 1) {
      throw new Error(`the resource '${resource.symbol}' needs a parent: names with '/' are not known here`);
    }
    const call = this.#file.targetScope === 'subscription' ? 'subscriptionResourceId' : 'resourceId';
    return `${call}('${resource.type}', ${names.join(', ')})`;
  }

  #dependencies(resource: ResourceDeclaration): string[] {
    const symbols = new Set<string>();
    for (const [, node] of resource.body) {
      for (const name of namesIn(node)) if (this.#resources.has(name)) symbols.add(name);
    }
    return [...symbols].sort().flatMap((symbol) => {
      const target = this.#resources.get(symbol);
      if (target === undefined || target.existing) return [];
      return [target.loop === undefined ? `[${this.#idOf(target)}]` : symbol];
    });
  }

  /** A value as it stands in the template. */
  #value(node: Node): Json {
    const [only] = node.kind === 'text' && node.parts.length === 1 ? node.parts : [];
    if (typeof only === 'string') return only.startsWith('[') ? `[${only}` : only;
    if (node.kind === 'number' || node.kind === 'boolean') return node.value;
    if (node.kind === 'null') return null;
    if (node.kind === 'array') return node.items.map((item) => this.#value(item));
    if (node.kind === 'object') return Object.fromEntries(node.entries.map(([key, item]) => [key, this.#value(item)]));
    return `[${this.#text(node)}]`;
  }

  /** A value as it stands inside an expression. */
  #text(node: Node): string {
    const call = (name: string, ...args: Node[]): string => `${name}(${args.map((arg) => this.#text(arg)).join(', ')})`;
    switch (node.kind) {
      case 'text':
        return this.#interpolation(node.parts);
      case 'number':
        return String(node.value);
      case 'boolean':
        return node.value ? 'true()' : 'false()';
      case 'null':
        return 'null()';
      case 'name':
        return this.#name(node.name);
      case 'call':
        if (node.name === 'any') throw new Error("the function 'any' is not known here");
        return call(node.name, ...node.args);
      case 'member':
        return this.#member(node.of, node.name);
      case 'optional':
        return `tryGet(${this.#text(node.of)}, '${node.name}')`;
      case 'index':
        return `${this.#text(node.of)}[${this.#text(node.index)}]`;
      case 'not':
        return call('not', node.of);
      case 'choice':
        return call('if', node.condition, node.yes, node.no);
      case 'binary':
        if (node.operator === '!=') return `not(${call('equals', node.left, node.right)})`;
        return call(FUNCTIONS[node.operator] ?? node.operator, node.left, node.right);
      case 'array':
        return call('createArray', ...node.items);
      default:
        return `createObject(${node.entries.map(([key, item]) => `'${key}', ${this.#text(item)}`).join(', ')})`;
    }
  }

  #interpolation(parts: (string | Node)[]): string {
    const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
    const [only] = parts;
    if (parts.length === 1 && typeof only === 'string') return quote(only);
    const args: string[] = [];
    const pattern = parts.map((part) => {
      if (typeof part === 'string') return part.replaceAll(/[{}]/g, '$&$&');
      args.push(this.#text(part));
      return `{${args.length - 1}}`;
    });
    return `format(${[quote(pattern.join('')), ...args].join(', ')})`;
  }

  #name(name: string): string {
    if (this.#loop?.variable === name) return `${this.#text(this.#loop.over)}[copyIndex()]`;
    if (this.#file.parameters.some((each) => each.name === name)) return `parameters('${name}')`;
    if (this.#file.variables.some((each) => each.name === name)) return `variables('${name}')`;
    throw new Error(`'${name}' is no parameter, variable or loop variable`);
  }

  #member(of: Node, name: string): string {
    const resource = of.kind === 'name' ? this.#resources.get(of.name) : undefined;
    if (resource === undefined) return `${this.#text(of)}.${name}`;
    if (name === 'id') return this.#idOf(resource);
    const own = this.#names(resource).at(-1);
    if (name === 'name' && own !== undefined) return this.#text(own);
    const version = `'${resource.apiVersion}'`;
    if (name === 'properties') return `reference(${this.#idOf(resource)}, ${version})`;
    return `reference(${this.#idOf(resource)}, ${version}, 'full').${name}`;
  }
}

function section(name: string, entries: [string, Json][]): JsonObject {
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

function property(resource: ResourceDeclaration, name: string): Node | undefined {
  return resource.body.find(([key]) => key === name)?.[1];
}

/** Every name in `node`: of resources, parameters and variables alike. */
function namesIn(node: Node): string[] {
  switch (node.kind) {
    case 'name':
      return [node.name];
    case 'text':
      return node.parts.flatMap((part) => (typeof part === 'string' ? [] : namesIn(part)));
    case 'call':
      return node.args.flatMap((arg) => namesIn(arg));
    case 'member':
    case 'optional':
      return namesIn(node.of);
    case 'index':
      return [...namesIn(node.of), ...namesIn(node.index)];
    case 'not':
      return namesIn(node.of);
    case 'binary':
      return [...namesIn(node.left), ...namesIn(node.right)];
    case 'choice':
      return [node.condition, node.yes, node.no].flatMap((each) => namesIn(each));
    case 'array':
      return node.items.flatMap((item) => namesIn(item));
    case 'object':
      return node.entries.flatMap(([, item]) => namesIn(item));
    default:
      return [];
  }
}
