/**
 * The job that a step of a pipeline is: its component (or what is written in place), with inputs and outputs bound to
 * the pipeline's and to those of other steps. Commands, sweeps and pipelines really run; steps of other types live by
 * the clock.
 */

import type { Json, JsonObject } from '../../../contract/index.ts';
import { numberOf, objectOf, textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { componentSpec } from '../command/command-spec.ts';
import { searchSpaceOf } from './sampling.ts';
import { filledIn, stepInputs, stepOutputs, type Step } from './step-bindings.ts';

/** The jobs of steps that really run, by the type of the step. */
const KINDS: Record<string, (step: Step, common: JsonObject) => JsonObject> = {
  command: commandJob,
  sweep: sweepJob,
  pipeline: pipelineJob,
};

/** The types of the jobs that only live by the clock; of all others, a pipeline without steps. */
const BY_CLOCK: Record<string, string> = { automl: 'AutoML', spark: 'Spark' };

/** The properties of a step's job. Errors: RunFailure for a binding to what is not there. */
export function stepJob(step: Step): JsonObject {
  const { pipeline, name, node } = step;
  const common = {
    displayName: name,
    experimentName: pipeline.resource.properties.experimentName ?? null,
    tags: objectOf(node.tags),
    properties: { 'azureml.moduleName': name, 'azureml.pipelinerunid': pipeline.resource.name },
  };
  const kind = textOf(node.type) ?? 'command';
  return (
    KINDS[kind]?.(step, common) ?? {
      ...common,
      jobType: BY_CLOCK[kind] ?? 'Pipeline',
      ...boundOf(step, componentOf(step, node).spec),
    }
  );
}

function boundOf(step: Step, { inputs, outputs }: JsonObject): JsonObject {
  return { inputs: stepInputs(step, objectOf(inputs)), outputs: stepOutputs(step, objectOf(outputs)) };
}

function commandJob(step: Step, common: JsonObject): JsonObject {
  const { node } = step;
  const { id, spec } = componentOf(step, node);
  return {
    ...common,
    jobType: 'Command',
    componentId: id,
    ...programOf(node, spec),
    computeId: computeOf(step),
    identity: identityOf(node),
    limits: limitsOf('Command', node.limits),
    ...boundOf(step, spec),
  };
}

/** What runs: as the step has it, or its component. */
function programOf(node: JsonObject, spec: JsonObject): JsonObject {
  return {
    command: node.command ?? spec.command ?? null,
    codeId: plainId(node.codeId ?? node.code ?? spec.code),
    environmentId: plainId(node.environmentId ?? node.environment ?? spec.environment),
    environmentVariables: node.environmentVariables ?? node.environment_variables ?? null,
    distribution: distributionOf(node.distribution ?? spec.distribution),
    resources: resourcesOf(node.resources ?? spec.resources),
  };
}

/** Its trials are of its component; what is sampled takes the place of the inputs of the same name. */
function sweepJob(step: Step, common: JsonObject): JsonObject {
  const { node } = step;
  const trial = objectOf(node.trial);
  const { spec } = componentOf(step, trial);
  const { goal, primary_metric: snake, primaryMetric: camel } = objectOf(node.objective);
  const algorithm = node.samplingAlgorithm ?? node.sampling_algorithm ?? 'random';
  const { type } = objectOf(algorithm);
  return {
    ...common,
    jobType: 'Sweep',
    computeId: computeOf(step),
    identity: identityOf(node),
    objective: { goal: capital(goal), primaryMetric: camel ?? snake ?? null },
    samplingAlgorithm: {
      ...objectOf(algorithm),
      samplingAlgorithmType: capital(type ?? algorithm),
    },
    searchSpace: searchSpaceOf(objectOf(node.searchSpace ?? node.search_space)),
    limits: limitsOf('Sweep', node.limits),
    trial: programOf({ ...node, ...trial }, spec),
    ...boundOf(step, spec),
  };
}

/** A pipeline in a pipeline: where it does not say where its steps run, they run where those of the outer one do. */
function pipelineJob(step: Step, common: JsonObject): JsonObject {
  const { node, pipeline } = step;
  const { id, spec } = componentOf(step, node);
  const inherited = objectOf(pipeline.resource.properties.settings);
  return {
    ...common,
    jobType: 'Pipeline',
    componentId: id,
    computeId: computeOf(step),
    settings: { ...inherited, ...objectOf(spec.settings), ...objectOf(node.settings) },
    jobs: node.jobs ?? spec.jobs ?? {},
    ...boundOf(step, spec),
  };
}

function componentOf({ cloud, pipeline }: Step, node: JsonObject): { id: string | null; spec: JsonObject } {
  const id = textOf(plainId(node.componentId ?? node.component));
  return {
    id: id ?? null,
    spec: componentSpec(cloud, workspaceIdOf(pipeline.resource.id), id),
  };
}

/** Errors: RunFailure where an input of the pipeline is to say it that was not given. */
function computeOf(step: Step): Json {
  const { pipeline, node } = step;
  const { settings, computeId } = pipeline.resource.properties;
  const { default_compute: snake, defaultCompute: camel } = objectOf(settings);
  const reference = node.computeId ?? node.compute ?? snake ?? camel ?? computeId;
  return plainId(typeof reference === 'string' ? filledIn(step, reference) : reference);
}

/** Components name what they are made of as `azureml:` and an ARM id; a job has the id alone. */
function plainId(reference: Json | undefined): Json {
  return typeof reference === 'string' ? reference.replace(/^azureml:(?=\/subscriptions\/)/i, '') : (reference ?? null);
}

function identityOf({ identity }: JsonObject): Json {
  const { identityType, identity_type: snake, type } = objectOf(identity);
  const named = identityType ?? snake ?? type;
  return named === undefined ? null : { ...objectOf(identity), identityType: named };
}

function distributionOf(given: Json | undefined): Json {
  const { distributionType, distribution_type: snake, type, ...more } = objectOf(given);
  const named = distributionType ?? snake ?? type;
  return named === undefined ? null : { ...camelFields(more), distributionType: named };
}

function resourcesOf(given: Json | undefined): Json {
  const resources = camelFields(objectOf(given));
  return Object.keys(resources).length === 0 ? null : resources;
}

/** In pipelines limits may be seconds. */
function limitsOf(kind: string, given: Json | undefined): Json {
  const limits = camelFields(objectOf(given));
  if (Object.keys(limits).length === 0) return null;
  for (const name of ['timeout', 'trialTimeout']) {
    const seconds = numberOf(limits[name]);
    if (seconds !== undefined) limits[name] = `PT${seconds}S`;
  }
  return { ...limits, jobLimitsType: kind };
}

/** Steps have the names of fields in snake case, jobs in camel case. */
function camelFields(given: JsonObject): JsonObject {
  const entries = Object.entries(given).map(([name, value]) => [
    name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

function capital(word: Json | undefined): string {
  const text = textOf(word) ?? '';
  return text.charAt(0).toUpperCase() + text.slice(1);
}
