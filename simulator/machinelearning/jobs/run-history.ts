/**
 * Run history and the resolving of outputs, below `/_/aml` (the `api` of the discovery document): what azure-ai-ml asks
 * there to stream, update, archive and download a job. A job and its run are one: what is changed here is what ARM
 * shows.
 */

import {
  ArmError,
  type Cloud,
  type DataPlaneRequest,
  type DataPlaneResponse,
  type Json,
  type JsonObject,
  type Stored,
} from '../../contract/index.ts';
import { requireAllowed } from '../../authorization/access.ts';
import { isObject, objectOf, textOf, WORKSPACES } from '../bodies/fields.ts';
import { answerBatch, AUDIENCES, namesBatchJobs } from './job-batch.ts';
import { childrenOf } from '../job-life/job-family.ts';
import { jobOutputUri, longUri } from '../job-life/job-outputs.ts';
import { JOBS } from '../job-life/job-queue.ts';
import { notFound, validationError } from '../bodies/refusals.ts';
import { detailsOf, runOf } from './run.ts';

const WORKSPACE =
  '(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\\.MachineLearningServices/workspaces/[^/]+)';

type Route = (call: RunCall) => DataPlaneResponse | Promise<DataPlaneResponse>;

interface RunCall {
  cloud: Cloud;
  workspaceId: string;
  request: DataPlaneRequest;
  body: JsonObject;
  /** What the path names after the workspace. */
  names: string[];
}

const RUN = `/history/v1\\.0${WORKSPACE}(?:/(?:experiments|experimentids)/([^/]+))?/runs/([^/]+)`;

const ROUTES: [string, RegExp, Route][] = (
  [
    ['GET', RUN, (call) => ({ status: 200, body: runOf(call.cloud, jobOf(call)) })],
    ['PATCH', RUN, modify],
    ['GET', `${RUN}/details`, details],
    ['GET', `${RUN}/children`, children],
    ['GET', `${RUN}/serviceinstances/([^/]+)`, serviceInstances],
    ['POST', `/history/v1\\.0${WORKSPACE}/rundata`, runData],
    ['POST', `/data/v1\\.0${WORKSPACE}/dataversion/batchGetResolvedUris`, (call) => resolved(call, 'uri')],
    ['POST', `/modelregistry/v1\\.0${WORKSPACE}/models/batchGetResolvedUris`, (call) => resolved(call, 'path')],
  ] as [string, string, Route][]
).map(([method, pattern, route]) => [method, new RegExp(`^${pattern}$`, 'i'), route]);

export function serveRunHistory(cloud: Cloud): void {
  cloud.onDataPlane('aml', (request) => {
    const principal = cloud.authenticate(request.headers.authorization, [cloud.armEndpoint, ...AUDIENCES]);
    if (namesBatchJobs(request.path)) return answerBatch(cloud, request);
    for (const [method, pattern, route] of ROUTES) {
      const match = method === request.method ? pattern.exec(request.path) : null;
      if (!match) continue;
      const [, workspaceId = '', ...names] = match;
      // The same roles as at Resource Manager: asked first, as there.
      const verb = method === 'PATCH' ? 'write' : 'read';
      requireAllowed(cloud, principal, `${WORKSPACES}/experiments/runs/${verb}`, workspaceId);
      requireWorkspace(cloud, request.region, workspaceId);
      return route({ cloud, workspaceId, request, body: bodyOf(request), names });
    }
    throw new ArmError(
      501,
      'NotImplemented',
      `The local Azure's run history does not offer '${request.method} ${request.path}'.`,
    );
  });
}

/** MLflow's tracking server is not here; the addresses that workspaces and jobs show lead to this refusal. */
export function refuseTracking(cloud: Cloud): void {
  cloud.onDataPlane('mlflow', ({ method, path }) => {
    throw new ArmError(
      501,
      'NotImplemented',
      `MLflow tracking is not offered by the local Azure ('${method} ${path}'): metrics, parameters and registered models of MLflow are not kept.`,
    );
  });
}

function requireWorkspace(cloud: Cloud, region: string, id: string): void {
  if (cloud.store.get(id)?.region !== region) throw notFound(`There is no workspace '${id}' in region '${region}'.`);
}

function bodyOf(request: DataPlaneRequest): JsonObject {
  if (request.body.length === 0) return {};
  let body: Json;
  try {
    body = JSON.parse(request.body.toString('utf8')) as Json;
  } catch (error) {
    throw validationError(`The body of the request is not JSON: ${(error as Error).message}.`);
  }
  if (!isObject(body)) throw validationError('The body of the request is not a JSON object.');
  return body;
}

function jobOf(call: RunCall): Stored {
  const [experiment, run = ''] = call.names;
  const job = runNamed(call, run);
  const { experimentName } = job.resource.properties;
  if (experiment !== undefined && experimentName !== experiment)
    throw notFound(`Run ${run} is not of the experiment '${experiment}'.`);
  return job;
}

function runNamed({ cloud, workspaceId }: RunCall, run: string): Stored {
  const job = cloud.store.get(`${workspaceId}/jobs/${run}`);
  if (job?.resource.type !== JOBS) throw notFound(`Run ${run} was not found in the workspace.`);
  return job;
}

/** Tags and properties are merged; `hidden` is what ARM calls `isArchived`. */
function modify(call: RunCall): DataPlaneResponse {
  const { cloud, body } = call;
  const job = jobOf(call);
  const before = job.resource.properties;
  const properties: JsonObject = { ...before };
  for (const bag of ['tags', 'properties'])
    if (isObject(body[bag])) properties[bag] = { ...objectOf(before[bag]), ...objectOf(body[bag]) };
  for (const field of ['displayName', 'description'])
    if (typeof body[field] === 'string') properties[field] = body[field];
  if (typeof body.hidden === 'boolean') properties.isArchived = body.hidden;
  const changed = { ...job, resource: { ...job.resource, properties }, changedAt: cloud.clock.now() };
  cloud.store.put(changed);
  return { status: 200, body: runOf(cloud, changed) };
}

async function details(call: RunCall): Promise<DataPlaneResponse> {
  return { status: 200, body: await detailsOf(call.cloud, jobOf(call)) };
}

/** Steps of a pipeline and trials of a sweep that really run; one that lives by the clock alone has none. */
function children(call: RunCall): DataPlaneResponse {
  const value = childrenOf(call.cloud, jobOf(call)).map((child) => runOf(call.cloud, child));
  return { status: 200, body: { value, continuationToken: null, nextLink: null } };
}

function serviceInstances(call: RunCall): DataPlaneResponse {
  jobOf(call);
  return { status: 200, body: { instances: {} } };
}

function runData(call: RunCall): DataPlaneResponse {
  const run = textOf(call.body.runId);
  if (run === undefined) throw validationError('runId: required.', 'runId');
  const job = runNamed(call, run);
  return {
    status: 200,
    body: { runMetadata: runOf(call.cloud, job), runDefinition: null, jobSpecification: null },
  };
}

/** Where the outputs are whose ids `runData` gave: `{ values: { [id]: { uri | path, type } } }`. */
function resolved(call: RunCall, field: 'uri' | 'path'): DataPlaneResponse {
  const asked = Array.isArray(call.body.values) ? call.body.values.map((id) => textOf(id) ?? '') : [];
  const values: JsonObject = {};
  for (const id of asked) {
    const [, run = '', name = ''] = /^azureml:\/\/jobs\/([^/]+)\/outputs\/([^/]+)$/.exec(id) ?? [];
    const job = call.cloud.store.get(`${call.workspaceId}/jobs/${run}`);
    const output = objectOf(job?.resource.properties.outputs)[name];
    if (!job || !isObject(output)) throw notFound(`There is no output '${id}' in the workspace.`);
    values[id] = {
      [field]: longUri(call.workspaceId, jobOutputUri(job.resource, name)),
      type: output.jobOutputType ?? null,
    };
  }
  return { status: 200, body: { values } };
}
