/** The kinds of versioned assets of a workspace. */

import type { Call, ResourceType, Stored } from '../../contract/index.ts';
import { assetRows, type AssetTraits } from './assets.ts';
import { checkCommand } from '../job-life/command-bindings.ts';
import { backfill, registerFeatures } from './features.ts';
import { fillDefaults, isObject, objectOf, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { byField } from '../bodies/lists.ts';
import { addressOfOutput } from '../job-life/places.ts';
import { checkPath } from '../bodies/references.ts';
import { validationError } from '../bodies/refusals.ts';

/** Azure's own examples spell them UriFile, too, as they were before. */
const DATA_TYPES = ['uri_file', 'uri_folder', 'mltable'];

const models: AssetTraits = {
  segment: 'models',
  noun: 'model',
  content: ['modelUri', 'modelType', 'jobName', 'isAnonymous'],
  // azure-ai-ml fails on a model without flavors.
  defaults: { flavors: {}, modelType: 'custom_model' },
  provisioningState: true,
  uploads: true,
  fill(call, next) {
    const job = resolveOutput(call, next, 'modelUri');
    if (job !== undefined) next.resource.properties.jobName ??= job;
  },
  check(call, next) {
    requireText(next, 'modelUri');
    checkPath(call.cloud, workspaceIdOf(call.id.id), next.resource.properties.modelUri, 'properties.modelUri');
  },
  filter: (call, entries) => byField(call, entries, 'modelType', 'modelType'),
};

const data: AssetTraits = {
  segment: 'data',
  noun: 'data',
  content: ['dataUri', 'dataType', 'referencedUris', 'isAnonymous'],
  defaults: {},
  provisioningState: false,
  uploads: true,
  fillContainer: (next) => void requireDataType(next),
  // The type of every request is read: what is sent again as it was spelled before is still the same.
  fill(call, next) {
    requireDataType(next);
    resolveOutput(call, next, 'dataUri');
  },
  check(call, next) {
    const kind = requireDataType(next);
    requireText(next, 'dataUri');
    refuseOtherType(call, kind);
    checkPath(call.cloud, workspaceIdOf(call.id.id), next.resource.properties.dataUri, 'properties.dataUri');
  },
  impliedContainer: (properties) => ({ dataType: properties.dataType ?? 'uri_file' }),
};

const environments: AssetTraits = {
  segment: 'environments',
  noun: 'environment',
  content: ['image', 'condaFile', 'build', 'osType', 'inferenceConfig', 'autoRebuild', 'isAnonymous'],
  defaults: { osType: 'Linux', autoRebuild: 'Disabled', environmentType: 'UserCreated' },
  provisioningState: true,
  // Of every request: what is sent again without it is still the same.
  fill(_call, next) {
    const { build } = next.resource.properties;
    if (isObject(build)) build.dockerfilePath ??= 'Dockerfile';
  },
  check(_call, next) {
    next.resource.properties.environmentType = 'UserCreated'; // Read-only: a client cannot make a curated one.
    const { build, image, condaFile } = next.resource.properties;
    if (textOf(image) === undefined && !isObject(build))
      throw validationError(
        `properties.${textOf(condaFile) === undefined ? 'image' : 'condaFile'}: an environment must have an image (to which packages may be added) or a build.`,
        'image',
      );
  },
};

const components: AssetTraits = {
  segment: 'components',
  noun: 'component',
  content: ['componentSpec', 'isAnonymous'],
  defaults: {},
  provisioningState: true,
  latestAlias: 'azureml_default',
  // azure-ai-ml reads name and version out of the spec, and leaves the version to the service when it is asked to count
  // it up.
  fill(call, next) {
    const spec = next.resource.properties.componentSpec;
    if (!isObject(spec)) return;
    const [name, version] = call.id.names.slice(-2);
    fillDefaults(spec, { name: name ?? null, version: version ?? null });
  },
  check(_call, next) {
    const { command, inputs, outputs } = objectOf(next.resource.properties.componentSpec);
    checkCommand(command, { inputs, outputs }, 'properties.componentSpec.command');
  },
};

const codes: AssetTraits = {
  segment: 'codes',
  noun: 'code',
  content: ['codeUri', 'isAnonymous'],
  defaults: {},
  provisioningState: true,
  uploads: true,
  /**
   * By the hash of the snapshot, under whatever name it is in the workspace, so that a client, which makes up a name
   * each time, does not upload twice what is there: it is kept in the property bag.
   */
  filter(call, entries) {
    const hash = call.query.get('hash');
    const version = call.query.get('hashVersion');
    const prefix = `${workspaceIdOf(call.id.id)}/codes/`.toLowerCase();
    const everywhere = (): Stored[] =>
      call.cloud.store
        .ofType(`${WORKSPACES}/codes/versions`)
        .filter(({ resource }) => resource.id.toLowerCase().startsWith(prefix));
    return (hash ? everywhere() : entries).filter((entry) => {
      const bag = objectOf(entry.resource.properties.properties);
      return (!hash || bag.hash_sha256 === hash) && (!version || bag.hash_version === version);
    });
  },
};

const featuresets: AssetTraits = {
  segment: 'featuresets',
  noun: 'feature set',
  content: ['specification', 'entities', 'isAnonymous'],
  defaults: { stage: 'Development' },
  provisioningState: true,
  longRunning: { put: 1500, delete: 1000 },
  registered: registerFeatures,
  actions: { backfill },
};

const featurestoreEntities: AssetTraits = {
  segment: 'featurestoreEntities',
  noun: 'feature store entity',
  content: ['indexColumns', 'isAnonymous'],
  defaults: { stage: 'Development' },
  provisioningState: true,
  longRunning: { put: 1500, delete: 1000 },
};

export const assets: readonly ResourceType[] = [
  models,
  data,
  environments,
  components,
  codes,
  featuresets,
  featurestoreEntities,
].flatMap(assetRows);

/** Writes the place of a job's output in the stead of its name; answers the job's. */
function resolveOutput(call: Call, next: Stored, field: 'modelUri' | 'dataUri'): string | undefined {
  const { properties } = next.resource;
  const found = addressOfOutput(call.cloud, workspaceIdOf(call.id.id), textOf(properties[field]) ?? '');
  if (found) properties[field] = found.uri;
  return found?.job;
}

function requireText(next: Stored, field: string): string {
  const text = textOf(next.resource.properties[field]);
  if (text === undefined) throw validationError(`properties.${field}: required.`, field);
  return text;
}

/** The type of data, which is shown as it is published now. Errors: 400 for another. */
function requireDataType(next: Stored): string {
  const kind = requireText(next, 'dataType');
  const plain = (text: string): string => text.toLowerCase().replaceAll('_', '');
  const known = DATA_TYPES.find((one) => plain(one) === plain(kind));
  if (known === undefined)
    throw validationError(`properties.dataType: expected one of ${DATA_TYPES.join(', ')}, got '${kind}'.`, 'dataType');
  next.resource.properties.dataType = known;
  return known;
}

/** All versions of a data asset are of one type. */
function refuseOtherType(call: Call, kind: string): void {
  const container = call.id.parent === undefined ? undefined : call.cloud.store.get(call.id.parent);
  const type = textOf(container?.resource.properties.dataType);
  if (type !== undefined && DATA_TYPES.includes(type) && type !== kind)
    throw validationError(
      `properties.dataType: the data asset '${container?.resource.name}' is of type ${type}, not ${kind}.`,
      'dataType',
    );
}
