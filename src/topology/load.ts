/** Reads a topology's text: YAML to schema, every problem with file, path, line, what is there and what should be. */
import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { describeIssue, show, type Found } from './describe-issue.ts';
import { Topology } from './topology.ts';
import { resourceClasses } from './words.ts';

export interface Problem {
  path: string;
  line: number | undefined;
  message: string;
}

/** Values that differ from one installation to the next, for `${NAME}` in a topology: the environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Parses and checks a topology. Throws a TopologyError that lists every problem, one a line. */
export function parseTopology(text: string, file: string, variables: Variables = {}): Topology {
  const { document, value, lineAt } = readYaml(text, file, variables);
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
    : result.error.issues.flatMap((issue) => describeIssue(issue, value));
  if (problems.length > 0 || !result.success) {
    throw topologyError(
      file,
      problems
        .map(({ path, message }) => ({ path: join(path), line: lineAt(offsetOf(document, path)), message }))
        .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    );
  }
  return result.data;
}

interface ReadYaml {
  document: Document;
  value: unknown;
  lineAt: (offset: number | undefined) => number | undefined;
}

function readYaml(text: string, file: string, variables: Variables): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  const refuse = (problems: { message: string; offset: number | undefined }[], next?: string) =>
    topologyError(
      file,
      problems.map(({ message, offset }) => ({ path: '', line: lineAt(offset), message })),
      next,
    );
  // What cannot be read drags further errors behind it: the first one is the one to mend.
  const errors = document.errors.filter(({ code }, index) => index === 0 || code === 'DUPLICATE_KEY');
  if (errors.length > 0) {
    throw refuse(errors.map((error) => ({ message: yamlMessage(error, text), offset: error.pos[0] })));
  }
  const unset = fillVariables(document, variables);
  if (unset.length > 0) {
    throw refuse(
      unset.map(({ name, offset }) => ({
        message: `expected the environment variable ${name} to be set, got nothing`,
        offset,
      })),
      'Set them, or name a file that does: --environment FILE.',
    );
  }
  try {
    return { document, value: document.toJS(), lineAt };
  } catch (error) {
    // An alias without an anchor, or aliases of aliases without end: found only when they are resolved.
    throw refuse([{ message: messageOf(error), offset: offsetOfAlias(document) }]);
  }
}

function yamlMessage({ code, message, pos }: YAMLError, text: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `expected each key once, got "${/^[^:\s]+/.exec(text.slice(pos[0]))?.[0] ?? ''}" again`;
    case 'MULTIPLE_DOCS':
      return 'expected one YAML document, got a second one';
    default:
      return `${message}${quoteAdvice(text, pos[0])}`;
  }
}

/** `${NAME}` without quotes inside `{ … }` opens a map of its own. */
function quoteAdvice(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  const variable = /[{,].*(?<!["'])(\$\{[A-Z][A-Z0-9_]*\})/.exec(line)?.[1];
  return variable === undefined ? '' : `: inside { } a variable needs quotes: "${variable}"`;
}

/** Where the first alias that leads nowhere stands, else the first alias. */
function offsetOfAlias(document: Document): number | undefined {
  const offsets: { offset: number | undefined; leadsNowhere: boolean }[] = [];
  visit(document, {
    Alias(_key, node) {
      offsets.push({ offset: node.range?.[0], leadsNowhere: node.resolve(document) === undefined });
    },
  });
  return (offsets.find(({ leadsNowhere }) => leadsNowhere) ?? offsets[0])?.offset;
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

/**
 * Every place that has something of each region has it of both, and of no other: the way back needs it too. Origins are two; one vault
 * may serve both regions, since Azure has a copy of it elsewhere.
 */
function checkRegionNames(topology: Topology, names: string[]): Found[] {
  const places: [PropertyKey[], Record<string, unknown> | undefined, 'two' | 'any'][] = [
    [['traffic', 'frontDoor', 'origins'], topology.traffic?.frontDoor?.origins, 'two'],
    [['escrow', 'vaults'], topology.escrow?.vaults, 'any'],
  ];
  return places.flatMap(([path, record, wanted]) =>
    record === undefined ? [] : checkPerRegion(path, record, names, wanted),
  );
}

function checkPerRegion(
  path: PropertyKey[],
  record: Record<string, unknown>,
  names: string[],
  wanted: 'two' | 'any',
): Found[] {
  const given = Object.keys(record);
  const foreign = given.filter((name) => !names.includes(name));
  if (foreign.length > 0) {
    return foreign.map((name) => ({
      path: [...path, name],
      message: `expected one of the regions (${names.join(', ')}), got "${name}"`,
    }));
  }
  const missing = names.filter((name) => !given.includes(name));
  if (missing.length > 0)
    return missing.map((name) => ({ path, message: `expected one for each region, got none for "${name}"` }));
  if (wanted === 'any') return [];
  const values = given.map((name) => String(record[name]).toLowerCase().replace(/\/$/, ''));
  if (new Set(values).size === values.length) return [];
  return [{ path, message: `expected a different one for each region, got "${values[0] ?? ''}" for both` }];
}

/** Of the words for a strategy, those that there is a plan for: found here, and not at three in the morning. */
const offered: readonly string[] = ['hot-warm'];

/** `platform` is at least as hot as any other class: nothing runs on a platform that is not there. */
function checkStrategies({ strategies }: Topology): Found[] {
  const heat = { 'hot-cold': 0, 'hot-warm': 1, 'hot-hot': 2 } as const;
  return resourceClasses.flatMap((name) => {
    const path = ['strategies', name];
    if (heat[strategies[name]] > heat[strategies.platform])
      return {
        path,
        message: `expected at most "${strategies.platform}", the strategy of platform, got "${strategies[name]}"`,
      };
    if (offered.includes(strategies[name])) return [];
    return {
      path,
      message: `expected "hot-warm", the one strategy that this version offers, got "${strategies[name]}"`,
    };
  });
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

/** The line on which `path`, or the deepest part of it that is there, stands in a topology's text. */
export function lineOf(text: string, path: readonly PropertyKey[]): number | undefined {
  const lines = new LineCounter();
  const offset = offsetOf(parseDocument(text, { lineCounter: lines, prettyErrors: false }), path);
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

/** One line for each problem. `next`: what to do, where it is not simply to mend them. */
export function topologyError(file: string, problems: Problem[], next?: string): UnderstudyError {
  const lines = problems.map(({ path, line, message }) => {
    const place = line === undefined ? '' : ` (line ${line})`;
    return `cannot load topology "${file}": ${path === '' ? '' : `${path}: `}${message}${place}`;
  });
  return new UnderstudyError('TopologyError', lines.join('\n'), {
    place: problems[0]?.line === undefined ? file : `${file}:${problems[0].line}`,
    next: next ?? `Mend ${problems.length === 1 ? 'it' : 'them'} and run "understudy validate" again.`,
  });
}
