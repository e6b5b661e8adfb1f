/** A job as run history shows it. */

import type { Cloud, JsonObject, Stored } from '../../contract/index.ts';
import { isObject, objectOf, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { parentOf, rootOf } from '../job-life/job-family.ts';
import { FINISHED, freeAt, hasStarted, lifeOf, statusAt } from '../job-life/job-life.ts';
import { jobOutputUri } from '../job-life/job-outputs.ts';
import { locateFolder } from '../job-life/places.ts';

/** Types of outputs in run history's words, where they are others than ARM's. */
const OUTPUT_TYPES: Record<string, string> = {
  custom_model: 'CustomModel',
  mlflow_model: 'MLFlowModel',
  triton_model: 'TritonModel',
};

/** How long the address of a log can be read. */
const LOG_ADDRESS_MINUTES = 60;

/** Where runs have their logs: those of commands, of pipelines, of sweeps. */
const LOG_FOLDERS = ['user_logs/', 'logs/azureml/', 'azureml-logs/'];

const RUN_TYPES: Record<string, string> = {
  Command: 'azureml.scriptrun',
  Sweep: 'hyperdrive',
  Pipeline: 'azureml.PipelineRun',
  AutoML: 'automl',
  Spark: 'azureml.SparkRun',
};

/** The run: state, times, what describes it, and its outputs by name. */
export function runOf(cloud: Cloud, job: Stored): JsonObject {
  const { properties, name } = job.resource;
  const { status, startTimeUtc, endTimeUtc, error } = stateOf(cloud, job);
  const system = objectOf(job.resource.systemData);
  const target = textOf(properties.computeId)?.split('/').at(-1);
  return {
    runId: name,
    runUuid: null,
    rootRunId: rootOf(job),
    parentRunId: parentOf(job) ?? null,
    experimentId: properties.experimentName ?? null,
    displayName: properties.displayName ?? null,
    description: properties.description ?? null,
    status,
    startTimeUtc,
    endTimeUtc,
    error,
    createdUtc: isoOf(job.createdAt),
    createdBy: { userName: system.createdBy ?? null },
    createdFrom: null,
    lastModifiedUtc: isoOf(job.changedAt),
    hidden: properties.isArchived === true,
    runType: RUN_TYPES[textOf(properties.jobType) ?? ''] ?? null,
    tags: objectOf(properties.tags),
    properties: objectOf(properties.properties),
    services: {},
    target: target ?? null,
    compute: target === undefined ? null : { target, targetType: null },
    inputs: {},
    outputs: outputsOf(job),
    warnings: [],
    logFiles: {},
  };
}

/**
 * The details of a run, with its logs by name, each an address to read it at. A job that lives by the clock alone
 * writes none.
 */
export async function detailsOf(cloud: Cloud, job: Stored): Promise<JsonObject> {
  const logFiles = await logFilesOf(cloud, job);
  const { runId, target, status, startTimeUtc, endTimeUtc, error, warnings, properties, outputs } = runOf(cloud, job);
  return {
    runId: runId ?? null,
    target: target ?? null,
    status: status ?? null,
    startTimeUtc: startTimeUtc ?? null,
    endTimeUtc: endTimeUtc ?? null,
    error: error ?? null,
    warnings: warnings ?? [],
    properties: properties ?? {},
    outputs: outputs ?? {},
    inputs: {},
    logFiles,
    runDefinition: null,
  };
}

async function logFilesOf(cloud: Cloud, job: Stored): Promise<JsonObject> {
  const place = locateFolder(cloud, workspaceIdOf(job.resource.id), jobOutputUri(job.resource, 'default'));
  if (!place || !cloud.blobs.keys(place.account)) return {};
  const found = LOG_FOLDERS.map((folder) =>
    cloud.blobs.listBlobs(place.account, place.container, `${place.path}${folder}`),
  );
  const names = (await Promise.all(found)).flat();
  if (names.length === 0) return {};
  const sas = await cloud.blobs.containerSas(place.account, place.container, 'r', LOG_ADDRESS_MINUTES);
  const files = names.map((name) => {
    const url = new URL(sas);
    url.pathname += `/${name.split('/').map(encodeURIComponent).join('/')}`;
    return [name.slice(place.path.length), url.href] as const;
  });
  return Object.fromEntries(files);
}

function stateOf(
  cloud: Cloud,
  job: Stored,
): { status: string; startTimeUtc: string | null; endTimeUtc: string | null; error: JsonObject | null } {
  const life = lifeOf(job);
  const now = cloud.clock.now();
  const status = statusAt(life, now);
  const end = FINISHED.has(status) ? freeAt(life) : null;
  const reason = life.execution?.error ??
    life.error ?? {
      code: 'UserError',
      message:
        life.failedAt === undefined
          ? `The run '${job.resource.name}' has failed.`
          : 'The compute of the run was deleted or lost.',
    };
  return {
    status,
    startTimeUtc: hasStarted(life, now) && life.startsAt !== null ? isoOf(life.startsAt) : null,
    endTimeUtc: end === null ? null : isoOf(end),
    error: status === 'Failed' ? { error: reason } : null,
  };
}

/** By name: an id that `batchGetResolvedUris` turns into a place. */
function outputsOf(job: Stored): JsonObject {
  const outputs = Object.entries(objectOf(job.resource.properties.outputs)).flatMap(([name, output]) => {
    if (name === 'default' || !isObject(output)) return [];
    const kind = textOf(output.jobOutputType) ?? 'uri_folder';
    const assetId = `azureml://jobs/${job.resource.name}/outputs/${name}`;
    return [[name, { assetId, type: OUTPUT_TYPES[kind] ?? kind }] as const];
  });
  return Object.fromEntries(outputs);
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
