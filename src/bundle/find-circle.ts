/**
 * Finds resources of a template that depend on each other in a cycle. ARM refuses such a template, which would happen
 * in the middle of a failover.
 */
import { z } from 'zod';

const Resource = z.looseObject({
  type: z.string(),
  name: z.unknown().optional(),
  condition: z.unknown().optional(),
  dependsOn: z.array(z.string()).optional(),
  properties: z.unknown().optional(),
});
type Resource = z.infer<typeof Resource>;

/** A nested deployment. */
const Nested = z.looseObject({ template: z.looseObject({ resources: z.unknown() }) });

interface Node {
  shown: string;
  /** Names by which other resources may refer to it in `dependsOn`. */
  names: string[];
  dependsOn: string[];
}

/**
 * Returns the first cycle as the names of its resources, with the first one repeated at the end. Ignores what only ARM
 * can evaluate: computed names, and resources that may not be deployed. `resources`: a list, or an object by symbolic
 * name.
 */
export function findCircle(resources: unknown): string[] | undefined {
  const entries = Object.entries((resources ?? {}) as Record<string, unknown>).flatMap(([key, value]) => {
    const parsed = Resource.safeParse(value);
    return parsed.success ? [[key, parsed.data] as const] : [];
  });
  const symbolic = !Array.isArray(resources);
  const nodes = entries
    .filter(([, { condition }]) => condition === undefined || condition === true)
    .map(([key, resource]) => nodeOf(symbolic ? key : undefined, resource));
  const circle = circleAmong(nodes);
  if (circle) return circle;
  for (const [, { properties }] of entries) {
    const nested = Nested.safeParse(properties);
    const found = nested.success ? findCircle(nested.data.template.resources) : undefined;
    if (found) return found;
  }
  return undefined;
}

function nodeOf(symbol: string | undefined, { type, name, dependsOn = [] }: Resource): Node {
  const wanted = dependsOn.map(plain);
  if (symbol !== undefined) return { shown: symbol, names: [plain(symbol)], dependsOn: wanted };
  const text = typeof name === 'string' ? name : '';
  const id = idOf(type, text);
  return { shown: text, names: id === undefined ? [] : [id, plain(text)], dependsOn: wanted };
}

/**
 * Returns the id in the form `resourceId('type', 'name', …)` of a `dependsOn`. Undefined if the name is computed in
 * another way.
 */
function idOf(type: string, name: string): string | undefined {
  const parts = name.startsWith('[')
    ? partsOfExpression(name.slice(1, -1))
    : name.split('/').map((each) => `'${each}'`);
  return parts.length === type.split('/').length - 1 ? plain(`[resourceId('${type}',${parts.join(',')})]`) : undefined;
}

/** Bicep writes the name of a nested resource as `format('{0}/{1}', a, b)`. */
function partsOfExpression(expression: string): string[] {
  const [, pattern, rest] = /^format\('((?:\{\d+\}\/)*\{\d+\})',(.*)\)$/i.exec(expression) ?? [];
  if (pattern === undefined || rest === undefined) return [expression];
  const values = splitArguments(rest);
  return pattern.split('/').map((each) => values[Number(each.slice(1, -1))] ?? '');
}

function splitArguments(text: string): string[] {
  const values = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '(' || letter === '[') depth++;
    if (letter === ')' || letter === ']') depth--;
    if (letter === ',' && depth === 0) values.push('');
    else values[values.length - 1] += letter;
  }
  return values;
}

function plain(text: string): string {
  return text.replaceAll(/\s/g, '').toLowerCase();
}

function circleAmong(nodes: readonly Node[]): string[] | undefined {
  const byName = new Map<string, Node | undefined>();
  // A name that two resources share identifies neither.
  for (const node of nodes) for (const name of node.names) byName.set(name, byName.has(name) ? undefined : node);
  const done = new Set<Node>();
  const visit = (node: Node, way: readonly Node[]): string[] | undefined => {
    const begun = way.indexOf(node);
    if (begun >= 0) return [...way.slice(begun), node].map(({ shown }) => shown);
    if (done.has(node)) return undefined;
    for (const name of node.dependsOn) {
      const next = byName.get(name);
      const found = next && visit(next, [...way, node]);
      if (found) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of nodes) {
    const found = visit(node, []);
    if (found) return found;
  }
  return undefined;
}
