/**
 * The data plane of batch endpoints: what invokes one makes a job, which lives by the clock as all but commands do.
 * Asked for at the endpoint's scoring address, listed there and, as azure-ai-ml does it, below the address of
 * management (`mferp/managementfrontend`).
 */

import { randomUUID } from 'node:crypto';
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
import { isObject, objectOf, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { lifeOf, statusAt } from '../job-life/job-life.ts';
import { JOBS } from '../job-life/job-queue.ts';
import { submitOwnJob } from './job-submission.ts';
import { notFound, userError, validationError } from '../bodies/refusals.ts';

const BATCH_JOBS = `${WORKSPACES}/batchEndpoints/jobs`;
/**
 * For whom a token may be, beside this cloud's ARM; the last is what azure-ai-ml makes of a cloud whose name has no
 * domain.
 */
export const AUDIENCES = ['https://management.azure.com', 'https://ml.azure.com', 'https://ml.azure.'];
const PATH =
  /^(?:\/mferp\/managementfrontend)?(\/subscriptions\/.+\/batchEndpoints\/[^/]+)(?:\/deployments\/([^/]+))?\/jobs(?:\/([^/]+))?$/i;

export function serveBatchJobs(cloud: Cloud): void {
  cloud.onDataPlane('batch', (request) => answerBatch(cloud, request));
}

/** Does the path name jobs of a batch endpoint? */
export function namesBatchJobs(path: string): boolean {
  return PATH.test(path);
}

/**
 * Errors: ArmError for an endpoint or a deployment that is not there, a body that names no data, a principal without
 * the role.
 */
export async function answerBatch(cloud: Cloud, request: DataPlaneRequest): Promise<DataPlaneResponse> {
  const [, endpointId = '', deployment, name] = PATH.exec(request.path) ?? [];
  const principal = cloud.authenticate(request.headers.authorization, [cloud.armEndpoint, ...AUDIENCES]);
  const isMade = request.method === 'POST' && name === undefined;
  requireAllowed(cloud, principal, `${BATCH_JOBS}/${isMade ? 'write' : 'read'}`, endpointId);
  const endpoint = cloud.store.get(endpointId);
  if (endpoint?.region !== request.region)
    throw notFound(`There is no batch endpoint '${endpointId}' in region '${request.region}'.`);
  if (isMade) return { status: 201, body: show(cloud, await submit(cloud, endpoint, request)) };
  if (request.method !== 'GET')
    throw new ArmError(405, 'MethodNotAllowed', `The method ${request.method} is not allowed: send a POST or a GET.`);
  const jobs = cloud.store
    .children(workspaceIdOf(endpointId), JOBS)
    .filter(({ hidden }) => hidden.batchEndpoint === endpoint.resource.name)
    .filter(({ hidden }) => deployment === undefined || hidden.batchDeployment === deployment);
  if (name === undefined)
    return { status: 200, body: { value: jobs.toReversed().map((job) => show(cloud, job)), nextLink: null } };
  const job = jobs.find(({ resource }) => resource.name === name);
  if (!job) throw notFound(`The endpoint '${endpoint.resource.name}' has no job '${name}'.`);
  return { status: 200, body: show(cloud, job) };
}

async function submit(cloud: Cloud, endpoint: Stored, request: DataPlaneRequest): Promise<Stored> {
  const deployment = deploymentOf(cloud, endpoint, request.headers['azureml-model-deployment']);
  const asked = lowered(objectOf(bodyOf(request).properties));
  const name = textOf(asked.name) ?? `batchjob-${randomUUID()}`;
  const inputs = dataOf(asked.inputdata ?? asked.inputs);
  const { deploymentConfigurationType } = objectOf(deployment.resource.properties.deploymentConfiguration);
  // A pipeline may need no data, or have what it needs from its deployment.
  if (Object.keys(inputs).length === 0 && deploymentConfigurationType !== 'PipelineComponent')
    throw validationError('properties.InputData: required: what the deployment is to score.', 'InputData');
  return submitOwnJob(cloud, {
    maker: endpoint,
    name,
    properties: {
      jobType: 'Pipeline',
      displayName: name,
      experimentName: textOf(asked.experimentname) ?? endpoint.resource.name,
      computeId: deployment.resource.properties.compute ?? null,
      settings: {},
      jobs: {},
      inputs,
      outputs: dataOf(asked.outputdata ?? asked.outputs),
      properties: { 'azureml.batchrun': 'true', 'azureml.deploymentname': deployment.resource.name },
    },
    hidden: { batchEndpoint: endpoint.resource.name, batchDeployment: deployment.resource.name },
  });
}

function deploymentOf(cloud: Cloud, { resource }: Stored, asked: string | undefined): Stored {
  const name = asked ?? textOf(objectOf(resource.properties.defaults).deploymentName);
  if (name === undefined)
    throw userError(
      `The endpoint '${resource.name}' has no default deployment: set defaults.deploymentName, or send the header azureml-model-deployment.`,
    );
  const deployment = cloud.store.get(`${resource.id}/deployments/${name}`);
  if (!deployment) throw notFound(`The endpoint '${resource.name}' has no deployment '${name}'.`);
  return deployment;
}

function bodyOf(request: DataPlaneRequest): JsonObject {
  let body: Json;
  try {
    body = JSON.parse(request.body.toString('utf8')) as Json;
  } catch (error) {
    throw validationError(`The body of the request is not JSON: ${(error as Error).message}.`);
  }
  if (!isObject(body)) throw validationError('The body of the request is not a JSON object.');
  return body;
}

/** `{ rows: { JobInputType: 'UriFolder', Uri: … } }`, in any case, as jobs have it. */
function dataOf(given: Json | undefined): JsonObject {
  const entries = Object.entries(objectOf(given)).map(([name, data]) => {
    const { jobinputtype, joboutputtype, uri, value } = lowered(objectOf(data));
    const kind = snake(textOf(joboutputtype ?? jobinputtype) ?? 'uri_folder');
    return [
      name,
      {
        [joboutputtype ? 'jobOutputType' : 'jobInputType']: kind,
        ...(kind === 'literal' ? { value: value ?? null } : { uri: uri ?? null }),
      },
    ];
  });
  return Object.fromEntries(entries) as JsonObject;
}

function snake(word: string): string {
  return word.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}

/** The fields by their names in lower case. */
function lowered(given: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}

function show(cloud: Cloud, { resource, hidden, ...stored }: Stored): JsonObject {
  const { inputs, outputs, displayName, experimentName } = resource.properties;
  return {
    id: `${workspaceIdOf(resource.id)}/batchEndpoints/${textOf(hidden.batchEndpoint)}/jobs/${resource.name}`,
    name: resource.name,
    type: BATCH_JOBS,
    properties: {
      displayName: displayName ?? null,
      experimentName: experimentName ?? null,
      deploymentName: hidden.batchDeployment ?? null,
      status: statusAt(lifeOf({ resource, hidden, ...stored }), cloud.clock.now()),
      inputData: inputs ?? {},
      outputData: outputs ?? {},
    },
  };
}
