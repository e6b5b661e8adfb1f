/**
 * The types of the fields that jobs have, as the published schema of Microsoft.MachineLearningServices (2024-04-01: JobBase, CommandJob,
 * SweepJob, PipelineJob, AutoMLJob, SparkJob) gives them. A field that is not listed is kept as it is, and null counts as absent.
 */

import type { Json, JsonObject } from '../../provider.ts';
import { isObject, objectOf, textOf } from './fields.ts';
import { validationError } from './refusals.ts';

/** What a value is to be, in words, and whether it is. */
interface Shape {
  expected: string;
  fits(value: Json): boolean;
  /** Of what is inside, by name; `each` for whatever the name is. */
  fields?: Shapes;
  each?: Shape;
}
type Shapes = Record<string, Shape>;

const text: Shape = { expected: 'a string', fits: (value) => typeof value === 'string' };
const flag: Shape = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
const whole: Shape = { expected: 'an integer', fits: (value) => Number.isInteger(value) };
const list: Shape = { expected: 'a list', fits: Array.isArray };
/** Azure's deserializer takes numbers and flags for texts where the text is a value, not a reference. */
const plain: Shape = { expected: 'a string', fits: (value) => typeof value !== 'object' };

function object(fields: Shapes = {}, each?: Shape): Shape {
  return { expected: 'an object', fits: isObject, fields, ...(each ? { each } : {}) };
}

const resources = object({ instanceCount: whole, instanceType: text, dockerArgs: text, shmSize: text });
const inputs = object(
  {},
  object({ jobInputType: text, mode: text, uri: text, value: plain, description: text }),
);
const outputs = object({}, object({ jobOutputType: text, mode: text, uri: text, description: text }));
const variables = object({}, plain);

const COMMON: Shapes = {
  description: text,
  displayName: text,
  experimentName: text,
  componentId: text,
  computeId: text,
  isArchived: flag,
  tags: object({}, plain),
  properties: object({}, plain),
  identity: object({ identityType: text }),
  services: object({}, object()),
  notificationSetting: object({ emailOn: list, emails: list, webhooks: object() }),
};

/** What runs: of a command job, and of a sweep's trial. */
const PROGRAM: Shapes = {
  command: text,
  codeId: text,
  environmentId: text,
  environmentVariables: variables,
  distribution: object({ distributionType: text }),
  resources,
};

const LIMITS: Shapes = { jobLimitsType: text, timeout: text };
const QUEUE = object({ jobTier: text });

/** A step is of the client's making: the schema has it as any object. */
const STEP = object({
  type: text,
  name: text,
  componentId: text,
  computeId: text,
  command: text,
  codeId: text,
  environmentId: text,
  inputs: object(),
  outputs: object(),
  resources: object(),
});

const OF_KIND: Record<string, Shapes> = {
  Command: { ...PROGRAM, inputs, outputs, limits: object(LIMITS), queueSettings: QUEUE },
  Sweep: {
    inputs,
    outputs,
    trial: object(PROGRAM),
    objective: object({ goal: text, primaryMetric: text }),
    samplingAlgorithm: object({ samplingAlgorithmType: text }),
    searchSpace: object(),
    earlyTermination: object({ policyType: text }),
    limits: object({ ...LIMITS, maxConcurrentTrials: whole, maxTotalTrials: whole, trialTimeout: text }),
    queueSettings: QUEUE,
  },
  Pipeline: { inputs, outputs, settings: object(), sourceJobId: text, jobs: object({}, STEP) },
  AutoML: {
    outputs,
    environmentId: text,
    environmentVariables: variables,
    resources,
    queueSettings: QUEUE,
    taskDetails: object({ taskType: text }),
  },
  Spark: {
    inputs,
    outputs,
    codeId: text,
    environmentId: text,
    environmentVariables: variables,
    args: text,
    archives: list,
    files: list,
    jars: list,
    pyFiles: list,
    conf: object({}, plain),
    entry: object({ sparkJobEntryType: text }),
    resources: object({ instanceType: text, runtimeVersion: text }),
  },
};

/** Errors: 400 ValidationError naming the property, what is there, and what should be. A kind that is none has no more than the common fields. */
export function requireShape(properties: JsonObject): void {
  const kind = textOf(properties.jobType) ?? '';
  requireFields(properties, { jobType: text, ...COMMON, ...OF_KIND[kind] }, 'properties');
  // An output that is null has all defaults; a step that is null is none, and could never run.
  if (kind !== 'Pipeline') return;
  for (const [name, step] of Object.entries(objectOf(properties.jobs)))
    if (step === null) throw misshapen(`properties.jobs.${name}`, STEP, step);
}

function requireFields(value: JsonObject, fields: Shapes, path: string): void {
  for (const [name, shape] of Object.entries(fields)) requireOne(value[name], shape, `${path}.${name}`);
}

function requireOne(value: Json | undefined, shape: Shape, path: string): void {
  if (value === undefined || value === null) return;
  if (!shape.fits(value)) throw misshapen(path, shape, value);
  if (!isObject(value)) return;
  requireFields(value, shape.fields ?? {}, path);
  if (shape.each)
    for (const [name, entry] of Object.entries(value)) requireOne(entry, shape.each, `${path}.${name}`);
}

function misshapen(path: string, { expected }: Shape, value: Json): Error {
  const target = path.split('.')[1] ?? path;
  return validationError(`${path}: expected ${expected}, got ${JSON.stringify(value).slice(0, 60)}.`, target);
}
