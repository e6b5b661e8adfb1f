/**
 * What Azure refuses of a job when it is submitted, or when a schedule is to submit it: a reference to what is not
 * there, a limit out of its range, a pipeline that could never run. That its fields are of their types,
 * `body-shapes.ts` has made sure of before.
 */

import type { Cloud, Json } from '../../contract/index.ts';
import { checkCommand } from './command-bindings.ts';
import { isObject, numberOf, objectOf, textOf } from '../bodies/fields.ts';
import { checkSteps, type JobToCheck } from './job-steps.ts';
import { checkAsset, checkInputUri, checkPath, checkReferencesInside, resolveCompute } from '../bodies/references.ts';
import { userError, validationError } from '../bodies/refusals.ts';

/**
 * The fields that each kind of job must have, and not empty: what is published as required may still be an empty text.
 */
const REQUIRED: Record<string, readonly string[]> = {
  Command: ['command', 'environmentId'],
  Sweep: ['objective', 'samplingAlgorithm', 'searchSpace', 'trial'],
  Pipeline: [],
  AutoML: ['taskDetails'],
  Spark: ['codeId', 'entry'],
};

/** The ranges of numbers that are documented with the jobs' YAML: inside of which object, which field, from, to. */
const RANGES: readonly (readonly [string, string, number, number])[] = [
  ['limits', 'maxTotalTrials', 1, 1000],
  ['limits', 'maxConcurrentTrials', 1, 1000],
  ['earlyTermination', 'truncationPercentage', 1, 99],
  ['resources', 'instanceCount', 1, Infinity],
];

/** What a sweep may draw from, by sampling algorithm. */
const DISTRIBUTIONS: Record<string, readonly string[]> = {
  Grid: ['choice'],
  Bayesian: ['choice', 'uniform', 'quniform'],
  Random: 'choice randint uniform quniform loguniform qloguniform normal qnormal lognormal qlognormal'.split(' '),
};

/** Errors: 400 ValidationError for what is missing or malformed; 400 or 404 UserError for what is not there. */
export function checkJob(job: JobToCheck): void {
  const { cloud, workspaceId, properties, path } = job;
  requireFields(job);
  checkRanges(job);
  checkNames(job);
  const compute = resolveCompute(cloud, workspaceId, properties.computeId);
  if (compute && compute.resource.properties.provisioningState === 'Failed')
    throw userError(`The compute target '${compute.resource.name}' is in state Failed.`, 'computeId');
  checkAsset(cloud, workspaceId, 'environments', properties.environmentId, `${path}.environmentId`);
  checkAsset(cloud, workspaceId, 'codes', properties.codeId, `${path}.codeId`);
  checkAsset(cloud, workspaceId, 'components', properties.componentId, `${path}.componentId`);
  checkInside(job);
  checkBindings(job);
  checkCommands(job);
  if (properties.jobType === 'Pipeline') checkSteps(job);
  if (properties.jobType === 'Sweep') checkSampling(job);
}

function checkSampling({ properties, path }: JobToCheck): void {
  const algorithm = textOf(objectOf(properties.samplingAlgorithm).samplingAlgorithmType) ?? '';
  for (const [name, value] of Object.entries(objectOf(properties.searchSpace))) {
    const kind = Array.isArray(value) ? value[0] : undefined;
    if (typeof kind === 'string' && DISTRIBUTIONS[algorithm]?.includes(kind.toLowerCase()) === false)
      throw userError(
        `${path}.searchSpace.${name}: ${algorithm} sampling draws from ${DISTRIBUTIONS[algorithm].join(', ')}, not from '${kind}'.`,
        'searchSpace',
      );
  }
  if (algorithm === 'Bayesian' && isObject(properties.earlyTermination))
    throw userError(`${path}.earlyTermination: Bayesian sampling has no early termination policy.`, 'earlyTermination');
}

function requireFields({ properties, path }: JobToCheck): void {
  const kind = textOf(properties.jobType) ?? '';
  for (const field of REQUIRED[kind] ?? [])
    if (properties[field] === undefined || properties[field] === null || properties[field] === '')
      throw validationError(`${path}.${field}: a job of type ${kind} must have one.`, field);
  for (const [name, { command }] of [
    ['command', properties],
    ['trial.command', objectOf(properties.trial)],
  ] as const)
    if (typeof command === 'string' && !/[a-zA-Z0-9_]/.test(command))
      throw validationError(
        `${path}.${name}: expected a command with a letter, a digit or an underscore, got '${command}'.`,
        name,
      );
}

function checkRanges({ properties, path }: JobToCheck): void {
  for (const [inside, field, least, most] of RANGES) {
    const value = numberOf(objectOf(properties[inside])[field]);
    if (value === undefined || (value >= least && value <= most)) continue;
    const range = most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    throw validationError(`${path}.${inside}.${field}: expected ${range}, got ${value}.`, inside);
  }
}

function checkInside({ cloud, workspaceId, properties, path }: JobToCheck): void {
  for (const field of ['trial', 'jobs', 'taskDetails'])
    checkReferencesInside(cloud, workspaceId, properties[field], `${path}.${field}`);
  const settings = objectOf(properties.settings);
  resolveCompute(cloud, workspaceId, settings.default_compute ?? settings.defaultCompute ?? null);
  const store = textOf(settings.default_datastore ?? settings.defaultDatastore)
    ?.split(/[/:]/)
    .at(-1);
  if (store !== undefined && !cloud.store.get(`${workspaceId}/datastores/${store}`))
    throw userError(
      `${path}.settings.default_datastore: could not find datastore '${store}' in workspace '${workspaceId}'.`,
      'settings',
    );
  for (const [field, input] of Object.entries(objectOf(properties.taskDetails)))
    if (isObject(input)) checkInput({ cloud, workspaceId, input, path: `${path}.taskDetails.${field}` });
}

/** A component declares what its command names; whatever is not given there is filled in when the job runs. */
function checkCommands({ properties, path }: JobToCheck): void {
  const { inputs, outputs, searchSpace, componentId } = properties;
  const trial = objectOf(properties.trial);
  if (textOf(componentId) === undefined) checkCommand(properties.command, { inputs, outputs }, `${path}.command`);
  // What is sampled may be named as an input, too: it takes the place of the one of its name.
  const sampled = { ...objectOf(inputs), ...objectOf(searchSpace) };
  checkCommand(trial.command, { inputs: sampled, outputs, search_space: searchSpace }, `${path}.trial.command`);
}

function checkBindings({ cloud, workspaceId, properties, path }: JobToCheck): void {
  for (const [name, input] of Object.entries(objectOf(properties.inputs)))
    checkInput({ cloud, workspaceId, input, path: `${path}.inputs.${name}` });
  for (const [name, output] of Object.entries(objectOf(properties.outputs)))
    checkPath(cloud, workspaceId, objectOf(output).uri, `${path}.outputs.${name}.uri`);
}

function checkInput(place: { cloud: Cloud; workspaceId: string; input: Json; path: string }): void {
  const { uri, jobInputType } = objectOf(place.input);
  if (textOf(jobInputType) === undefined) return;
  checkInputUri(place.cloud, place.workspaceId, uri, jobInputType, `${place.path}.uri`);
}

function checkNames({ properties, path }: JobToCheck): void {
  const experiment = textOf(properties.experimentName);
  if (experiment !== undefined && !/^[a-zA-Z0-9][\w-]{0,254}$/.test(experiment))
    throw validationError(
      `${path}.experimentName: "${experiment}" must be 1 to 255 letters, digits, hyphens and underscores, the first a letter or a digit.`,
      'experimentName',
    );
}
