/**
 * The features of a feature set version: read from the specification that it was registered with (`FeatureSetSpec.yaml`
 * in the folder of `specification.path`), and its backfill, which is a job.
 */

import { randomUUID } from 'node:crypto';
import { parse } from 'yaml';
import type { ActionResult, Call, Json, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { isObject, objectOf, OWN_API_VERSION, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { byField, byListView, byTags } from '../bodies/lists.ts';
import { locateFolder } from '../job-life/places.ts';
import { userError, validationError } from '../bodies/refusals.ts';

const FEATURES = `${WORKSPACES}/featuresets/versions/features`;
const SPECIFICATION = /(^|\/)feature_?set_?spec\.ya?ml$/i;
const DATA_TYPES = ['String', 'Integer', 'Long', 'Float', 'Double', 'Binary', 'Datetime', 'Boolean'];
const AVAILABILITIES = ['None', 'Pending', 'Incomplete', 'Complete'];

export const features: ResourceType = {
  type: FEATURES,
  verbs: ['get', 'list'],
  region: 'parent',
  list(call, entries) {
    const named = byField(call, byListView(call, entries), 'featureName', 'featureName');
    return byTags(call, byField(call, named, 'description', 'description'));
  },
};

/**
 * Registers the features that the specification of a version describes. A specification outside the workspace's
 * datastores of blobs cannot be read from here: its feature set has none.
 *
 * Errors: 400 UserError for a specification that is no YAML, or has a feature without a name or of an unknown type.
 */
export async function registerFeatures(call: Call, version: Stored): Promise<void> {
  const path = textOf(objectOf(version.resource.properties.specification).path) ?? '';
  const place = locateFolder(call.cloud, workspaceIdOf(version.resource.id), path);
  if (!place) return;
  const { blobs, store } = call.cloud;
  const names = await blobs.listBlobs(place.account, place.container, place.path);
  const file = names.find((name) => SPECIFICATION.test(name));
  if (file === undefined) return;
  const text = (await blobs.getBlob(place.account, place.container, file)) ?? '';
  for (const feature of readFeatures(text, file)) {
    const name = textOf(feature.featureName) ?? '';
    store.put({
      ...version,
      resource: {
        id: `${version.resource.id}/features/${name}`,
        name,
        type: FEATURES,
        properties: feature,
        systemData: version.resource.systemData ?? null,
      },
      hidden: {},
    });
  }
}

function readFeatures(text: string, file: string): JsonObject[] {
  let specification: Json;
  try {
    specification = parse(text) as Json;
  } catch (error) {
    throw userError(`${file}: no YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const listed = objectOf(specification).features;
  if (!Array.isArray(listed)) throw userError(`${file}: features: expected a list.`);
  return listed.map((entry, i) => {
    const { name, type, description, tags } = objectOf(entry);
    const dataType = DATA_TYPES.find((one) => one.toLowerCase() === textOf(type)?.toLowerCase());
    if (textOf(name) === undefined) throw userError(`${file}: features[${i}].name: required.`);
    if (dataType === undefined)
      throw userError(
        `${file}: features[${i}].type: expected one of ${DATA_TYPES.join(', ').toLowerCase()}, got '${textOf(type) ?? ''}'.`,
      );
    return {
      featureName: textOf(name) ?? '',
      dataType,
      description: textOf(description) ?? null,
      tags: objectOf(tags),
      properties: {},
    };
  });
}

/**
 * POST …/backfill: a job that materializes a window of time. It answers the names of the jobs when they are submitted.
 */
export function backfill(call: Call): ActionResult {
  const version = call.existing;
  if (!version) throw new Error(`no feature set version '${call.id.id}'`); // The envelope answers 404 before it gets here.
  if (!call.resumed) checkBackfill(call, version);
  const finish = async (): Promise<Json> => {
    const name = randomUUID();
    const { displayName, description, tags, properties } = call.body;
    await call.cloud.createResource(
      `${workspaceIdOf(version.resource.id)}/jobs/${name}`,
      {
        properties: {
          jobType: 'Pipeline',
          experimentName: call.id.names.at(-2) ?? '',
          displayName: displayName ?? `backfill of ${call.id.names.slice(-2).join(':')}`,
          description: description ?? null,
          tags: tags ?? {},
          properties: properties ?? {},
          settings: {},
          jobs: {},
        },
      },
      OWN_API_VERSION,
    );
    return { jobIds: [name] };
  };
  return { longRunning: { milliseconds: 1000, finish } };
}

function checkBackfill({ body, id }: Call, version: Stored): void {
  const settings = objectOf(version.resource.properties.materializationSettings);
  if ((textOf(settings.storeType) ?? 'None') === 'None')
    throw userError(
      `The feature set '${id.names.slice(-2).join(':')}' has no materialization: set materializationSettings.storeType first.`,
      'materializationSettings',
    );
  for (const status of Array.isArray(body.dataAvailabilityStatus) ? body.dataAvailabilityStatus : [])
    if (!AVAILABILITIES.includes(textOf(status) ?? ''))
      throw validationError(
        `dataAvailabilityStatus: expected some of ${AVAILABILITIES.join(', ')}, got '${textOf(status) ?? ''}'.`,
        'dataAvailabilityStatus',
      );
  const window = body.featureWindow;
  if (!isObject(window)) return;
  const [start, end] = [window.featureWindowStart, window.featureWindowEnd].map((time) =>
    Date.parse(textOf(time) ?? ''),
  );
  if (!(Number(start) <= Number(end)))
    throw validationError(
      'featureWindow: expected a featureWindowStart that is not after the featureWindowEnd.',
      'featureWindow',
    );
}
