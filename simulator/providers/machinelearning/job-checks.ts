/** What Azure refuses of a job when it is submitted: a kind it does not know, a missing field, a reference to what is not there. */

import type { Call, JsonObject, Stored } from '../../provider.ts';
import { isObject, objectOf, textOf, workspaceIdOf } from './fields.ts';
import { requireShape } from './job-shape.ts';
import { checkAsset, checkInputUri, checkPath, checkReferencesInside, resolveCompute } from './references.ts';
import { userError, validationError } from './refusals.ts';

/** The kinds of jobs, and the fields that each must have. */
const REQUIRED: Record<string, readonly string[]> = {
  Command: ['command', 'environmentId'],
  Sweep: ['objective', 'samplingAlgorithm', 'searchSpace', 'trial'],
  Pipeline: [],
  AutoML: ['taskDetails'],
  Spark: ['codeId', 'entry'],
};

/** Errors: 400 ValidationError for what is missing or malformed; 400 or 404 UserError for what is not there. */
export function checkJob(call: Call, next: Stored): void {
  const workspaceId = workspaceIdOf(call.id.id);
  const { properties } = next.resource;
  const kind = textOf(properties.jobType) ?? '';
  const required = REQUIRED[kind];
  if (!required)
    throw validationError(
      `properties.jobType: expected one of ${Object.keys(REQUIRED).join(', ')}, got '${kind}'.`,
      'jobType',
    );
  requireShape(properties);
  // A job made of a component has its command and environment from there.
  const fromComponent = textOf(properties.componentId) !== undefined;
  for (const field of fromComponent ? [] : required)
    if (properties[field] === undefined || properties[field] === null || properties[field] === '')
      throw validationError(`properties.${field}: a job of type ${kind} must have one.`, field);
  checkNames(properties);
  const compute = resolveCompute(call.cloud, workspaceId, properties.computeId);
  if (compute && compute.resource.properties.provisioningState === 'Failed')
    throw userError(`The compute target '${compute.resource.name}' is in state Failed.`, 'computeId');
  checkAsset(call.cloud, workspaceId, 'environments', properties.environmentId, 'properties.environmentId');
  checkAsset(call.cloud, workspaceId, 'codes', properties.codeId, 'properties.codeId');
  checkAsset(call.cloud, workspaceId, 'components', properties.componentId, 'properties.componentId');
  checkInside(call, workspaceId, properties);
  checkBindings(call, workspaceId, properties);
}

function checkInside(call: Call, workspaceId: string, properties: JsonObject): void {
  for (const field of ['trial', 'jobs', 'taskDetails'])
    checkReferencesInside(call.cloud, workspaceId, properties[field], `properties.${field}`);
  const settings = objectOf(properties.settings);
  resolveCompute(call.cloud, workspaceId, settings.default_compute ?? settings.defaultCompute ?? null);
}

function checkBindings(call: Call, workspaceId: string, properties: JsonObject): void {
  for (const [name, input] of Object.entries(objectOf(properties.inputs))) {
    if (!isObject(input))
      throw validationError(`properties.inputs.${name}: expected an object with a jobInputType.`, 'inputs');
    if (textOf(input.jobInputType) === undefined)
      throw validationError(`properties.inputs.${name}.jobInputType: required.`, 'inputs');
    checkInputUri(call.cloud, workspaceId, input.uri, input.jobInputType, `properties.inputs.${name}.uri`);
  }
  for (const [name, output] of Object.entries(objectOf(properties.outputs))) {
    if (!isObject(output)) continue; // null: an output with all defaults.
    checkPath(call.cloud, workspaceId, output.uri, `properties.outputs.${name}.uri`);
  }
}

function checkNames(properties: JsonObject): void {
  const experiment = textOf(properties.experimentName);
  if (experiment !== undefined && !/^[a-zA-Z0-9][\w-]{0,254}$/.test(experiment))
    throw validationError(
      `properties.experimentName: "${experiment}" must be 1 to 255 letters, digits, hyphens and underscores, the first a letter or a digit.`,
      'experimentName',
    );
}
