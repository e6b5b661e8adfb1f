/**
 * A pipeline: its steps go into a request as untyped JSON, half of it (`job_input_type`, `_source`) in the spelling of
 * the YAML. A step names a component by its ARM id; one written in place is registered as an anonymous component first.
 */
import { z } from 'zod';
import { mapValues } from '../assets/component.ts';
import {
  AssetInput,
  Distribution,
  InputMode,
  inputMode,
  Inputs,
  isoDuration,
  JobHead,
  JobIdentity,
  JobResources,
  Literal,
  literalText,
  Output,
  outputMode,
  Outputs,
  Texts,
  toDistribution,
  toInputs,
  toJobHead,
  toJobIdentity,
  toOutputs,
} from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';
import { LoadError } from '../load-error.ts';
import { type References } from '../references.ts';

/** `${{parent.inputs.x}}` or `${{parent.jobs.y.outputs.z}}`, alone or with the mode that the step wants it in. */
const StepInput = z.union([
  Literal,
  z.strictObject({ path: z.string().startsWith('${{'), mode: InputMode.optional() }),
  AssetInput,
]);
const StepOutput = z.union([z.string().startsWith('${{'), Output]);
const StepParts = {
  name: z.string().optional(),
  type: z.literal('command').default('command'),
  display_name: z.string().optional(),
  description: z.string().optional(),
  inputs: z.record(z.string(), StepInput).optional(),
  outputs: z.record(z.string(), StepOutput).optional(),
  compute: z.string().optional(),
  resources: JobResources.optional(),
  distribution: Distribution.optional(),
  limits: z.strictObject({ timeout: z.number().positive() }).optional(),
  identity: JobIdentity.optional(),
  environment_variables: Texts.optional(),
  tags: Texts.optional(),
};
const ComponentStep = z.strictObject({ ...StepParts, component: z.string() });
const InPlaceStep = z.strictObject({
  ...StepParts,
  code: z.string().optional(),
  command: z.string(),
  environment: z.string(),
});
const Step = z.union([ComponentStep, InPlaceStep]);
type Step = z.infer<typeof Step>;
type StepOutput = z.infer<typeof StepOutput>;

export const PipelineJob = z.strictObject({
  ...JobHead,
  type: z.literal('pipeline').default('pipeline'),
  inputs: Inputs.optional(),
  outputs: Outputs.optional(),
  settings: z
    .strictObject({
      default_compute: z.string().optional(),
      default_datastore: z.string().optional(),
      continue_on_step_failure: z.boolean().optional(),
      continue_run_on_failed_optional_input: z.boolean().optional(),
      force_rerun: z.boolean().optional(),
    })
    .optional(),
  jobs: z.record(z.string(), Step),
  compute: z.string().optional(),
  identity: JobIdentity.optional(),
});
export type PipelineJob = z.infer<typeof PipelineJob>;

/** What a step's outputs are, for the steps that take them. */
type OutputTypes = Map<string, Record<string, string>>;

export async function toPipelineJob(
  job: PipelineJob,
  from: string,
  references: References,
): Promise<JsonObject> {
  const known: OutputTypes = new Map();
  const steps: JsonObject = {};
  for (const [name, step] of Object.entries(job.jobs))
    steps[name] = await toStep(name, step, job, known, from, references);
  const { default_compute: compute, default_datastore: datastore, ...flags } = job.settings ?? {};
  return compact({
    jobType: 'Pipeline',
    ...toJobHead(job),
    computeId: job.compute === undefined ? undefined : references.compute(job.compute),
    inputs: (await toInputs(job.inputs, from, references)) ?? {},
    outputs: toOutputs(job.outputs) ?? {},
    identity: toJobIdentity(job.identity),
    settings: compact({
      _source: 'YAML.JOB',
      ...flags,
      default_compute: compute === undefined ? undefined : references.compute(compute),
      default_datastore: datastore === undefined ? undefined : references.datastore(datastore),
    }),
    jobs: steps,
  });
}

async function toStep(
  name: string,
  step: Step,
  job: PipelineJob,
  known: OutputTypes,
  from: string,
  references: References,
): Promise<JsonObject> {
  for (const input of Object.values(step.inputs ?? {})) requireBound(name, input, job);
  const component = await componentOf(step, job, known, from, references);
  known.set(name, component.outputTypes);
  const inputs: JsonObject = {};
  for (const [input, value] of Object.entries(step.inputs ?? {}))
    inputs[input] = await toStepInput(value, from, references);
  return compact({
    _source:
      'component' in step
        ? isFile(step.component)
          ? 'YAML.COMPONENT'
          : 'REMOTE.WORKSPACE.COMPONENT'
        : 'YAML.JOB',
    name,
    type: step.type,
    componentId: component.id,
    display_name: step.display_name,
    description: step.description,
    computeId: step.compute === undefined ? undefined : references.compute(step.compute),
    inputs: step.inputs === undefined ? undefined : inputs,
    outputs: step.outputs === undefined ? undefined : mapValues(step.outputs, toStepOutput),
    resources: step.resources === undefined ? undefined : compact(step.resources),
    distribution: snakeDistribution(step.distribution),
    limits:
      step.limits === undefined
        ? undefined
        : { job_limits_type: 'Command', timeout: isoDuration(step.limits.timeout) },
    identity: snakeIdentity(step.identity),
    environment_variables: step.environment_variables,
    tags: step.tags,
  });
}

const isFile = (component: string) =>
  !component.startsWith('azureml:') && !component.startsWith('/subscriptions/');

async function componentOf(
  step: Step,
  job: PipelineJob,
  known: OutputTypes,
  from: string,
  references: References,
) {
  if ('component' in step) return references.component(step.component, from);
  const outputTypes: Record<string, string> = {};
  const outputs: JsonObject = {};
  for (const [name, output] of Object.entries(step.outputs ?? {})) {
    const declared = typeof output === 'string' ? parentOutput(output, job) : output;
    outputTypes[name] = declared.type;
    outputs[name] = compact({ type: declared.type, mode: declared.mode });
  }
  const id = await references.anonymousComponent(
    compact({
      _source: 'YAML.JOB',
      name: 'azureml_anonymous',
      type: 'command',
      is_deterministic: true,
      command: step.command,
      code: step.code === undefined ? undefined : `azureml:${await references.code(step.code, from)}`,
      environment: `azureml:${await references.environment(step.environment, from)}`,
      inputs: mapValues(step.inputs ?? {}, (input) => ({ type: inputType(input, job, known) })),
      outputs,
    }),
  );
  return { id, outputTypes };
}

/** The type of a step's input: its own, or that of what it is bound to; a folder where that is not known. */
function inputType(input: z.infer<typeof StepInput>, job: PipelineJob, known: OutputTypes): string {
  if (typeof input === 'object' && 'type' in input) return input.type;
  const bound = typeof input === 'object' ? input.path : input;
  if (typeof bound === 'boolean') return 'boolean';
  if (typeof bound === 'number') return Number.isInteger(bound) ? 'integer' : 'number';
  const parent = /^\$\{\{\s*parent\.inputs\.(\w+)\s*\}\}$/u.exec(bound)?.[1];
  const value = parent === undefined ? undefined : job.inputs?.[parent];
  if (value !== undefined) return inputType(value, job, known);
  const output = /^\$\{\{\s*parent\.jobs\.(\w+)\.outputs\.(\w+)\s*\}\}$/u.exec(bound);
  if (output === null) return 'string';
  return known.get(output[1] ?? '')?.[output[2] ?? ''] ?? 'uri_folder';
}

function parentOutput(binding: string, job: PipelineJob): z.infer<typeof Output> {
  const name = /^\$\{\{\s*parent\.outputs\.(\w+)\s*\}\}$/u.exec(binding)?.[1];
  const output = name === undefined ? undefined : job.outputs?.[name];
  if (output === undefined) throw new LoadError(`outputs: "${binding}" is not an output of the pipeline`);
  return output;
}

function requireBound(step: string, input: z.infer<typeof StepInput>, job: PipelineJob): void {
  const text = typeof input === 'object' ? input.path : String(input);
  const missing = /^\$\{\{\s*parent\.(?:inputs|jobs)\.(\w+)/u.exec(text)?.[1];
  if (missing === undefined) return;
  const there = text.includes('parent.inputs.') ? job.inputs?.[missing] : job.jobs[missing];
  if (there === undefined)
    throw new LoadError(`jobs.${step}.inputs: "${text}" is nothing that the pipeline has`);
}

async function toStepInput(
  input: z.infer<typeof StepInput>,
  from: string,
  references: References,
): Promise<JsonObject> {
  if (typeof input !== 'object') return { job_input_type: 'literal', value: literalText(input) };
  if (!('type' in input))
    return compact({ job_input_type: 'literal', value: input.path, mode: inputMode(input.mode) });
  const uri = await references.inputUri(input.type, input.path, from);
  return compact({ job_input_type: input.type, uri, mode: inputMode(input.mode) });
}

function toStepOutput(output: StepOutput): JsonObject {
  if (typeof output === 'string') return { type: 'literal', value: output };
  return compact({ job_output_type: output.type, uri: output.path, mode: outputMode(output.mode) });
}

function snakeDistribution(distribution: z.infer<typeof Distribution> | undefined): JsonObject | undefined {
  const converted = toDistribution(distribution);
  if (converted === undefined || distribution === undefined) return undefined;
  const { type: _, ...counts } = distribution;
  return compact({ distribution_type: converted.distributionType, ...counts });
}

function snakeIdentity(identity: z.infer<typeof JobIdentity> | undefined): JsonObject | undefined {
  const converted = toJobIdentity(identity);
  return converted === undefined
    ? undefined
    : compact({
        identity_type: converted.identityType,
        client_id: converted.clientId,
        object_id: converted.objectId,
      });
}
