/**
 * The steps of a pipeline, which the published schema has as any objects: they are of a known type, their fields are of
 * theirs, they wait for steps that there are, none waits for itself, and each gives its component what that requires.
 */

import type { Cloud, Json, JsonObject } from '../../contract/index.ts';
import { checkCommand } from './command-bindings.ts';
import { isObject, objectOf, textOf } from '../bodies/fields.ts';
import { resolveAsset } from '../bodies/references.ts';
import { userError, validationError } from '../bodies/refusals.ts';

const TEXTS = ['type', 'name', 'componentId', 'computeId', 'command', 'codeId', 'environmentId'];
const OBJECTS = ['inputs', 'outputs', 'resources'];

/** As azure-ai-ml writes them; a step that says none is a command. */
const STEP_TYPES =
  'command sweep parallel automl pipeline import spark data_transfer promptflow_parallel do_while if_else parallel_for'.split(
    ' ',
  );

/**
 * A job to be checked: what it is, in which workspace, and where it stands in the body that it came in ('properties').
 */
export interface JobToCheck {
  cloud: Cloud;
  workspaceId: string;
  properties: JsonObject;
  path: string;
}

/** The steps whose outputs a step takes. */
export function needsOf(step: Json): string[] {
  const found = JSON.stringify(step).matchAll(/\$\{\{\s*parent\.jobs\.([\w-]+)\.outputs\./g);
  return [...new Set([...found].map(([, name = '']) => name))];
}

/** Errors: 400 ValidationError for a field of another type; 400 UserError for a pipeline that could never run. */
export function checkSteps(job: JobToCheck): void {
  const steps = Object.entries(objectOf(job.properties.jobs));
  for (const [name, step] of steps) {
    const path = `${job.path}.jobs.${name}`;
    if (!isObject(step)) throw misshapen(path, 'an object', step);
    checkTypes(step, path);
    checkComponent(job, step, path);
  }
  const needs = new Map(steps.map(([name, step]) => [name, needsOf(step)]));
  for (const [name, others] of needs) {
    const missing = others.find((other) => !needs.has(other));
    if (missing !== undefined)
      throw userError(`${job.path}.jobs.${name}: takes an output of '${missing}', which is no step.`, 'jobs');
  }
  const circular = circularOf(needs);
  if (circular.length > 0)
    throw userError(`${job.path}.jobs: the steps ${circular.join(', ')} wait for each other.`, 'jobs');
}

function checkTypes(step: JsonObject, path: string): void {
  for (const field of TEXTS)
    if (step[field] !== undefined && step[field] !== null && typeof step[field] !== 'string')
      throw misshapen(`${path}.${field}`, 'a string', step[field]);
  for (const field of OBJECTS)
    if (step[field] !== undefined && step[field] !== null && !isObject(step[field]))
      throw misshapen(`${path}.${field}`, 'an object', step[field]);
  const type = textOf(step.type);
  if (type !== undefined && !STEP_TYPES.includes(type.toLowerCase()))
    throw userError(`${path}.type: expected one of ${STEP_TYPES.join(', ')}, got '${type}'.`, 'jobs');
}

/** A command must be there, or a component; what a component requires must be given. */
function checkComponent({ cloud, workspaceId }: JobToCheck, step: JsonObject, path: string): void {
  const reference = textOf(step.componentId) ?? textOf(step.component);
  const isCommand = (textOf(step.type) ?? 'command') === 'command';
  if (isCommand && reference === undefined && textOf(step.command) === undefined)
    throw userError(`${path}: a step of type command must have a componentId or a command.`, 'jobs');
  if (reference === undefined)
    checkCommand(step.command, { inputs: step.inputs, outputs: step.outputs }, `${path}.command`);
  const component = reference === undefined ? undefined : resolveAsset(cloud, workspaceId, 'components', reference);
  const declared = objectOf(objectOf(component?.resource.properties.componentSpec).inputs);
  for (const [name, input] of Object.entries(declared)) {
    const { optional, default: value } = objectOf(input);
    // Azure keeps what a component says of its inputs as texts.
    const isOptional = optional === true || textOf(optional)?.toLowerCase() === 'true';
    const isRequired = !isOptional && (value ?? null) === null;
    if (isRequired && (objectOf(step.inputs)[name] ?? null) === null)
      throw userError(`${path}.inputs.${name}: its component requires it.`, 'jobs');
  }
}

/** The steps that wait for themselves, or for such. */
function circularOf(needs: ReadonlyMap<string, string[]>): string[] {
  const settled = new Set<string>();
  for (let before = -1; before < settled.size;) {
    before = settled.size;
    for (const [name, others] of needs) if (others.every((other) => settled.has(other))) settled.add(name);
  }
  return [...needs.keys()].filter((name) => !settled.has(name));
}

function misshapen(path: string, expected: string, value: Json | undefined): Error {
  return validationError(`${path}: expected ${expected}, got ${JSON.stringify(value).slice(0, 60)}.`, 'jobs');
}
