/**
 * What the inputs and outputs of a pipeline's step are bound to: to the pipeline's own, and to those of other steps.
 */

import type { Cloud, Json, JsonObject, Stored } from '../../../contract/index.ts';
import { isObject, objectOf, textOf } from '../../bodies/fields.ts';
import { jobOutputUri } from '../../job-life/job-outputs.ts';
import { RunFailure } from '../data/run-failure.ts';

const BINDING = /\$\{\{\s*parent\.(inputs|outputs|jobs)\.([\w.-]+?)\s*\}\}/;
const WHOLE = new RegExp(`^${BINDING.source}$`);

/** The modes of inputs and outputs, as pipelines may write them, in ARM's words. */
const MODES: Record<string, string> = {
  upload: 'Upload',
  direct: 'Direct',
  download: 'Download',
  rw_mount: 'ReadWriteMount',
  ro_mount: 'ReadOnlyMount',
  mount: 'ReadWriteMount',
};

export interface Step {
  cloud: Cloud;
  pipeline: Stored;
  name: string;
  node: JsonObject;
  /** The jobs of the steps that have been submitted. */
  done: ReadonlyMap<string, Stored>;
}

/**
 * The inputs of a step: what is given, else what its component declares. Errors: RunFailure for a binding to what is
 * not there.
 */
export function stepInputs(step: Step, declared: JsonObject): JsonObject {
  const given = objectOf(step.node.inputs);
  const inputs: JsonObject = {};
  for (const name of new Set([...Object.keys(declared), ...Object.keys(given)])) {
    const input = bound(step, given[name] ?? null) ?? defaultOf(objectOf(declared[name]));
    if (input) inputs[name] = input;
  }
  return inputs;
}

function defaultOf({ default: value, type }: JsonObject): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  const isAddress = /^(uri_|mltable|.*_model$)/.test(textOf(type) ?? '');
  return isAddress ? { jobInputType: type ?? null, uri: value } : { jobInputType: 'literal', value: plain(value) };
}

/** What is given for an input, its bindings resolved; undefined: nothing. */
function bound(step: Step, given: Json): JsonObject | undefined {
  if (given === null) return undefined;
  if (!isObject(given)) return bound(step, { jobInputType: 'literal', value: given });
  const text = textOf(given.value) ?? textOf(given.uri) ?? textOf(given.path);
  const mode = modeOf(given.mode);
  const whole = text === undefined ? null : WHOLE.exec(text);
  if (whole) {
    const found = lookUp(step, whole[1] ?? '', whole[2] ?? '');
    return found && { ...found, ...(mode === undefined ? {} : { mode }) };
  }
  const kind = given.jobInputType ?? given.job_input_type ?? given.type ?? 'literal';
  if (kind !== 'literal') return { jobInputType: kind, uri: text ?? null, ...(mode ? { mode } : {}) };
  return { jobInputType: 'literal', value: filledIn(step, plain(given.value ?? null)) };
}

/** A literal with bindings inside. Errors: RunFailure for a binding to what is not there. */
export function filledIn(step: Step, text: string): string {
  return text.replaceAll(new RegExp(BINDING, 'g'), (binding, scope: string, name: string) => {
    const { value } = lookUp(step, scope, name) ?? {};
    if (value === undefined) throw missing(step, binding);
    return plain(value);
  });
}

/**
 * What a binding to the pipeline or to another step stands for; undefined: an input of the pipeline that was not given.
 */
function lookUp(step: Step, scope: string, name: string): JsonObject | undefined {
  const { pipeline, done } = step;
  if (scope === 'inputs') {
    const input = objectOf(pipeline.resource.properties.inputs)[name];
    return isObject(input) ? input : undefined;
  }
  const [, other = '', output = ''] = /^([\w-]+)\.outputs\.([\w-]+)$/.exec(name) ?? [];
  const job = done.get(other);
  if (scope !== 'jobs' || !job) throw missing(step, `\${{parent.${scope}.${name}}}`);
  const declared = objectOf(job.resource.properties.outputs)[output];
  if (declared === undefined) throw missing(step, `\${{parent.jobs.${name}}}`);
  return {
    jobInputType: objectOf(declared).jobOutputType ?? 'uri_folder',
    uri: jobOutputUri(job.resource, output),
  };
}

function missing({ name }: Step, binding: string): RunFailure {
  return new RunFailure('UserError', `The step '${name}' is bound to ${binding}, which is not there.`);
}

/** The outputs of a step, each with its place. */
export function stepOutputs(step: Step, declared: JsonObject): JsonObject {
  const given = objectOf(step.node.outputs);
  const outputs: JsonObject = {};
  for (const name of new Set([...Object.keys(declared), ...Object.keys(given)]))
    outputs[name] = stepOutput(step, given[name] ?? null, objectOf(declared[name]));
  return outputs;
}

/** An output that is bound to one of the pipeline goes where that goes. */
function stepOutput({ pipeline }: Step, given: Json, declared: JsonObject): JsonObject {
  const { value, uri, path, mode, ...more } = objectOf(given);
  const text = typeof given === 'string' ? given : (textOf(value) ?? textOf(uri) ?? textOf(path));
  const [, scope, name = ''] = WHOLE.exec(text ?? '') ?? [];
  const ofPipeline = scope === 'outputs' ? objectOf(pipeline.resource.properties.outputs)[name] : undefined;
  const place = scope === 'outputs' ? jobOutputUri(pipeline.resource, name) : text;
  const type = declared.type ?? more.jobOutputType ?? more.job_output_type ?? more.type;
  return {
    jobOutputType: type === undefined || type === 'literal' ? 'uri_folder' : type,
    mode: modeOf(mode) ?? modeOf(objectOf(ofPipeline).mode) ?? 'ReadWriteMount',
    uri: place ?? defaultPlace(pipeline),
  };
}

function defaultPlace({ resource }: Stored): string {
  const { default_datastore: snake, defaultDatastore: camel } = objectOf(resource.properties.settings);
  const store = (textOf(snake) ?? textOf(camel) ?? 'workspaceblobstore').split(/[/:]/).at(-1);
  return `azureml://datastores/${store}/paths/azureml/\${{name}}/\${{output_name}}/`;
}

function modeOf(mode: Json | undefined): string | undefined {
  const text = textOf(mode);
  return text === undefined ? undefined : (MODES[text.toLowerCase()] ?? text);
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
