/** Reads a topology's text: YAML to schema, every problem with file, path, line, what is there and what should be. */
import { isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { UnderstudyError } from '../errors/error.ts';
import { Topology } from './topology.ts';

export interface Problem {
  path: string;
  line: number | undefined;
  message: string;
}

/** Values that differ from one installation to the next, for `${NAME}` in a topology: the environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Parses and checks a topology. Throws a TopologyError that lists every problem, one a line. */
export function parseTopology(text: string, file: string, variables: Variables = {}): Topology {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => (offset === undefined ? undefined : lines.linePos(offset).line);
  if (document.errors.length > 0) {
    throw topologyError(
      file,
      document.errors.map((error) => ({ path: '', line: at(error.pos[0]), message: error.message })),
    );
  }
  const unset = fillVariables(document, variables);
  if (unset.length > 0) {
    throw topologyError(
      file,
      unset.map(({ name, offset }) => ({
        path: '',
        line: at(offset),
        message: `expected the environment variable ${name} to be set, got nothing`,
      })),
    );
  }
  const value: unknown = document.toJS();
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw topologyError(file, [
      {
        path: '',
        line: 1,
        message: `expected a topology (name, regions, controlStore, …), got ${show(value)}`,
      },
    ]);
  }
  const result = Topology.safeParse(value);
  const problems = result.success
    ? checkWhole(result.data)
    : result.error.issues.flatMap((issue) => describe(issue, value));
  if (problems.length > 0 || !result.success) {
    throw topologyError(
      file,
      problems.map(({ path, message }) => ({
        path: join(path),
        line: at(offsetOf(document, path)),
        message,
      })),
    );
  }
  return result.data;
}

/** Replaces `${NAME}` in every string value; answers the names that are not set. */
function fillVariables(
  document: Document,
  variables: Variables,
): { name: string; offset: number | undefined }[] {
  const unset: { name: string; offset: number | undefined }[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = node.value.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (whole, name: string) => {
        const value = variables[name];
        if (value === undefined || value === '') unset.push({ name, offset: node.range?.[0] });
        return value ?? whole;
      });
    },
  });
  return unset;
}

interface Found {
  path: PropertyKey[];
  message: string;
}

/** What the schema of one field cannot see: how fields fit together. */
function checkWhole(topology: Topology): Found[] {
  const problems: Found[] = [];
  const names = Object.keys(topology.regions);
  if (names.length !== 2) {
    problems.push({
      path: ['regions'],
      message: `expected exactly two regions, got ${names.length} (${names.join(', ')})`,
    });
  }
  if (topology.active !== undefined && !names.includes(topology.active)) {
    problems.push({
      path: ['active'],
      message: `expected one of the regions (${names.join(', ')}), got "${topology.active}"`,
    });
  }
  const seen = new Map<string, string>();
  for (const [region, { workspace }] of Object.entries(topology.regions)) {
    const key = `${workspace.subscriptionId}/${workspace.resourceGroup}/${workspace.name}`.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      problems.push({
        path: ['regions', region, 'workspace'],
        message: `expected a workspace of its own, got "${workspace.name}", which region "${other}" has already`,
      });
    }
    seen.set(key, region);
  }
  problems.push(...checkRegionNames(topology, names), ...checkStrategies(topology));
  return problems;
}

/** Every place that names a region names one of the two. */
function checkRegionNames(topology: Topology, names: string[]): Found[] {
  const places: [PropertyKey[], Record<string, unknown> | undefined][] = [
    [['traffic', 'frontDoor', 'origins'], topology.traffic?.frontDoor?.origins],
    [['escrow', 'vaults'], topology.escrow?.vaults],
  ];
  return places.flatMap(([path, record]) =>
    Object.keys(record ?? {})
      .filter((name) => !names.includes(name))
      .map((name) => ({
        path: [...path, name],
        message: `expected one of the regions (${names.join(', ')}), got "${name}"`,
      })),
  );
}

/** `platform` is at least as hot as any other class: nothing runs on a platform that is not there. */
function checkStrategies({ strategies }: Topology): Found[] {
  const heat = { 'hot-cold': 0, 'hot-warm': 1, 'hot-hot': 2 } as const;
  return (['data', 'training', 'inference'] as const)
    .filter((name) => heat[strategies[name]] > heat[strategies.platform])
    .map((name) => ({
      path: ['strategies', name],
      message: `expected at most "${strategies.platform}", the strategy of platform, got "${strategies[name]}"`,
    }));
}

function describe(issue: z.core.$ZodIssue, value: unknown): Found[] {
  const path = issue.path;
  const got = show(valueAt(value, path));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key "${key}"${suggestion(path)}`,
      }));
    case 'too_big':
    case 'too_small': {
      const size = valueAt(value, path);
      const bound = issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      return typeof size === 'string'
        ? [{ path, message: `expected ${bound} characters, got ${size.length} (${got})` }]
        : [{ path, message: `expected ${bound}, got ${got}` }];
    }
    case 'invalid_value':
      return [
        {
          path,
          message: `expected ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}, got ${got}`,
        },
      ];
    case 'invalid_type':
      return [
        {
          path,
          message:
            got === 'nothing'
              ? `missing: expected ${issue.expected}`
              : `expected ${issue.expected}, got ${got}`,
        },
      ];
    case 'invalid_format':
    case 'custom':
      return [{ path, message: `${issue.message}, got ${got}` }];
    case 'invalid_key':
      return [
        {
          path,
          message: issue.issues.map((each) => each.message).join('; ') + `, got "${String(path.at(-1))}"`,
        },
      ];
    case 'invalid_union':
      return [{ path, message: `expected { host, file } or { host, git, files }, got ${got}` }];
    case 'not_multiple_of':
    case 'invalid_element':
      return [{ path, message: `${issue.message}, got ${got}` }];
    default:
      return [{ path, message: (issue as { message: string }).message }];
  }
}

function suggestion(path: PropertyKey[]): string {
  return path.length === 0
    ? `; expected one of ${Object.keys(Topology.shape)
        .filter((key) => key !== '$schema')
        .join(', ')}`
    : '';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      at !== null && typeof at === 'object' ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return `an object with ${Object.keys(value).join(', ') || 'no keys'}`;
  return JSON.stringify(value);
}

function join(path: PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

/** Where the deepest part of `path` that exists stands in the text. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isScalar(node) && node.range) return node.range[0];
  }
  return undefined;
}

function topologyError(file: string, problems: Problem[]): UnderstudyError {
  const lines = problems.map(({ path, line, message }) => {
    const place = line === undefined ? '' : ` (line ${line})`;
    return `cannot load topology "${file}": ${path === '' ? '' : `${path}: `}${message}${place}`;
  });
  return new UnderstudyError('TopologyError', lines.join('\n'), {
    place: problems[0]?.line === undefined ? file : `${file}:${problems[0].line}`,
    next: `Mend ${problems.length === 1 ? 'it' : 'them'} and run "understudy validate" again.`,
  });
}
