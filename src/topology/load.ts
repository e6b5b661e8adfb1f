/**
 * Reads a topology's text and reports every problem with file, line, column and path, what is there and what was
 * expected.
 */
import { UnderstudyError } from '../errors/error.ts';
import { checkConfigs } from './check-configs.ts';
import { checkNames } from './check-names.ts';
import { checkWhole } from './check-whole.ts';
import { describeIssue, showValue, type FieldProblem } from './describe-issue.ts';
import { readYaml, type Place, type Variables } from './read-yaml.ts';
import { Topology } from './topology.ts';

/** A problem in a topology file. */
export interface Problem extends Place {
  /** Example: `regions.eastus.workspace`. Empty for the file as a whole. */
  path: string;
  message: string;
}

/** A topology that was parsed and checked. */
export interface CheckedTopology {
  topology: Topology;
  /** What may be a mistake, or intended. */
  warnings: Problem[];
}

/**
 * Parses and checks a topology.
 * Errors: TopologyError that lists every problem, one per line.
 */
export function parseTopology(text: string, file: string, variables: Variables = {}): Topology {
  return checkTopology(text, file, variables).topology;
}

/** As `parseTopology`, but also returns warnings. */
export function checkTopology(text: string, file: string, variables: Variables = {}): CheckedTopology {
  const read = readYaml(text, variables);
  if ('problems' in read) {
    const problems = read.problems.map(({ place, message }) => ({ path: '', ...place, message }));
    throw topologyError(file, problems, read.next);
  }
  const { value, placeOf } = read;
  const placed = (found: readonly FieldProblem[]): Problem[] =>
    found
      .map(({ path, message }) => ({ path: join(path), ...placeOf(path), message }))
      .toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    const message = `expected a topology (name, regions, controlStore, …), got ${showValue(value)}`;
    throw topologyError(file, placed([{ path: [], message }]));
  }
  const result = Topology.safeParse(value);
  if (!result.success) {
    throw topologyError(file, placed(result.error.issues.flatMap((issue) => describeIssue(issue, value))));
  }
  const names = checkNames(result.data);
  const errors = [...checkWhole(result.data), ...checkConfigs(result.data), ...names.errors];
  if (errors.length > 0) throw topologyError(file, placed(errors));
  return { topology: result.data, warnings: placed(names.warnings) };
}

function join(path: PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

/** Formats a problem as compilers do, so that editors can follow it: `understudy.yaml:12:5: regions.eastus: …`. */
export function showProblem(file: string, { line, column, path, message }: Problem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** Returns an error with one line for each problem. `next`: what to do, if it is not simply to correct them. */
export function topologyError(file: string, problems: readonly Problem[], next?: string): UnderstudyError {
  const lines = problems.map((each) => showProblem(file, each));
  const [first] = problems;
  const message =
    lines.length === 1
      ? `cannot load topology: ${lines[0] ?? ''}`
      : `cannot load topology, ${lines.length} problems:\n${lines.join('\n')}`;
  return new UnderstudyError('TopologyError', message, {
    place: first === undefined ? file : `${file}:${first.line}:${first.column}`,
    next: next ?? `Correct ${problems.length === 1 ? 'it' : 'them'} and run "understudy validate" again.`,
  });
}
