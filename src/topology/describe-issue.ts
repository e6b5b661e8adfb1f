/** Describes a finding of the schema: what was expected and what is there, in the same words for every field. */
import { z } from 'zod';
import { nearestRegion } from './azure-regions.ts';
import { didYouMean, nearest } from './nearest.ts';
import { Topology } from './topology.ts';

/** A problem, and the path of the field that has it. */
export interface FieldProblem {
  path: PropertyKey[];
  message: string;
}

type Issue = z.core.$ZodIssue;

const nouns: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** The only union in the schema: what an entry of `configs` may be. */
const targetForms = '{ host, file } or { host, git, files }';

/**
 * Describes one finding of zod. `value`: the whole topology as read. `above`: the path to which the issue's path is
 * relative.
 */
export function describeIssue(issue: Issue, value: unknown, above: PropertyKey[] = []): FieldProblem[] {
  const path = [...above, ...issue.path];
  const there = valueAt(value, path);
  const got = showValue(there);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, path) }));
    case 'too_big':
    case 'too_small': {
      const bound = issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      if (typeof there === 'string') {
        const count = Number(issue.code === 'too_big' ? issue.maximum : issue.minimum);
        const length = there.length === 0 ? 'nothing' : `${there.length} (${got})`;
        return [{ path, message: `expected ${bound} character${count === 1 ? '' : 's'}, got ${length}` }];
      }
      return [{ path, message: `expected ${bound}${Array.isArray(there) ? ' in the list' : ''}, got ${got}` }];
    }
    case 'invalid_value': {
      const meant = typeof there === 'string' ? didYouMean(there, issue.values.map(String)) : '';
      const values = issue.values.map((each) => JSON.stringify(each)).join(' or ');
      return [{ path, message: `expected ${values}, got ${got}${meant}` }];
    }
    case 'invalid_type': {
      const expected = `expected ${nouns[issue.expected] ?? issue.expected}`;
      return [{ path, message: got === 'nothing' ? `missing: ${expected}` : `${expected}, got ${got}` }];
    }
    case 'invalid_format':
      return [{ path, message: `${issue.message}, got ${got}` }];
    case 'invalid_key':
      return [{ path, message: wrongKey(issue.issues, String(path.at(-1))) }];
    case 'invalid_union':
      return (
        nearestForm(issue.errors)?.flatMap((each) => describeIssue(each, value, path)) ?? [
          { path, message: `expected ${targetForms}, got ${got}` },
        ]
      );
    case 'custom':
    case 'not_multiple_of':
    case 'invalid_element':
      return [{ path, message: `${issue.message}, got ${got}` }];
    default:
      return [{ path, message: (issue as { message: string }).message }];
  }
}

/** Only names of regions have a form of their own as keys. */
function wrongKey(issues: readonly Issue[], key: string): string {
  const region = nearestRegion(key);
  const meant = region === undefined ? '' : `; did you mean "${region}"?`;
  return `${issues.map((each) => each.message).join('; ')}, got "${key}"${meant}`;
}

/** Returns the form that the value is nearest to, if one is nearer than the others. */
function nearestForm(forms: Issue[][]): Issue[] | undefined {
  const distance = (issues: Issue[]) =>
    issues.reduce((sum, each) => sum + (each.code === 'unrecognized_keys' ? each.keys.length : 1), 0);
  const [first, second] = forms.toSorted((a, b) => distance(a) - distance(b));
  if (first === undefined || first.some((each) => each.path.length === 0 && each.code === 'invalid_type'))
    return undefined;
  return second === undefined || distance(first) < distance(second) ? first : undefined;
}

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(path);
  // A known key, but of another form of the value.
  if (known.includes(key)) return `expected ${targetForms}, got "${key}" with the keys of the other`;
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown key "${key}"; did you mean "${meant}"?`;
  return `unknown key "${key}"${known.length === 0 ? '' : `; expected one of ${known.join(', ')}`}`;
}

/** Keys from the JSON Schema at this path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let nodes = [z.toJSONSchema(Topology, { io: 'input' }) as SchemaNode];
  for (const key of path) {
    nodes = nodes.flatMap((node) => {
      const { additionalProperties } = node;
      const next =
        typeof key === 'number'
          ? node.items
          : (node.properties?.[String(key)] ??
            (typeof additionalProperties === 'object' ? additionalProperties : undefined));
      return next === undefined ? [] : [next, ...(next.anyOf ?? [])];
    });
  }
  const keys = new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})));
  keys.delete('$schema');
  return [...keys];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (at !== null && typeof at === 'object' ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

/** Formats a value so that a person recognizes it. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return `an object with ${Object.keys(value).join(', ') || 'no keys'}`;
  return JSON.stringify(value);
}
