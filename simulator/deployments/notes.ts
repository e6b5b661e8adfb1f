/** The operations of a deployment, as `deployments/operations` lists them: written as each begins and ends. */

import { createHash, randomUUID } from 'node:crypto';
import { isObject, textOf } from '../resource/fields.ts';
import { FailedOperation } from '../resource/refusals.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type Stored } from '../contract/index.ts';
import { DEPLOYMENT } from '../resource/table.ts';

export const OPERATION = `${DEPLOYMENT}/operations`;

/** What `properties.debugSetting.detailLevel` asks to be kept of each request. */
export interface Debugged {
  requestContent: boolean;
  responseContent: boolean;
}

/** An error within a failed deployment. */
export interface Failure {
  code: string;
  message: string;
  target: string;
  details?: { code: string; message: string }[];
}

/** What an operation does, and to what; one that evaluates outputs is about no resource. */
export interface Subject {
  does: 'Create' | 'Delete' | 'EvaluateDeploymentOutput';
  target?: { id: string; type: string; name: string };
}

/** How an operation stands: its status code in Azure's words, and the bodies that went there and back. */
export interface Note {
  state: 'Running' | 'Succeeded' | 'Failed';
  code: string;
  message?: JsonObject;
  request?: JsonObject;
  response?: JsonObject;
}

/** Status codes by the names that operations have for them. */
const NAMES: Record<number, string> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

/** An ISO 8601 duration, as deployments show theirs. */
export function duration(milliseconds: number): string {
  return `PT${(milliseconds / 1000).toFixed(3)}S`;
}

/** What is to be kept of each request. Throws ArmError 400 `InvalidRequestContent` for a level that there is not. */
export function debuggedOf(properties: Json | undefined): Debugged {
  const setting = isObject(properties) && isObject(properties.debugSetting) ? properties.debugSetting : {};
  const asked = textOf(setting.detailLevel ?? 'none')
    .split(',')
    .map((one) => one.trim().toLowerCase());
  if (asked.some((one) => !['none', 'requestcontent', 'responsecontent'].includes(one)))
    throw new ArmError(
      400,
      'InvalidRequestContent',
      `The request content was invalid: the value '${textOf(setting.detailLevel)}' of 'properties.debugSetting.detailLevel' is invalid: expected none, requestContent, responseContent, or both of them, separated by a comma.`,
    );
  return {
    requestContent: asked.includes('requestcontent'),
    responseContent: asked.includes('responsecontent'),
  };
}

/**
 * Begins an operation of a deployment; what is given back notes its end. Its id is the same in a run that is taken up
 * again.
 */
export function begin(cloud: Cloud, deploymentId: string, { does, target }: Subject): (note: Note) => void {
  const name = createHash('sha256')
    .update(`${deploymentId}|${target?.id ?? ''}|${does === 'Create' ? '' : does}`.toLowerCase())
    .digest('hex')
    .slice(0, 16)
    .toUpperCase();
  const started = cloud.clock.now();
  const write = ({ state, code, message, request, response }: Note): void => {
    const now = cloud.clock.now();
    const id = `${deploymentId}/operations/${name}`;
    const properties: JsonObject = {
      provisioningOperation: does,
      provisioningState: state,
      timestamp: new Date(now).toISOString(),
      duration: duration(now - started),
      trackingId: randomUUID(),
      statusCode: code,
      ...(target ? { targetResource: { id: target.id, resourceType: target.type, resourceName: target.name } } : {}),
      ...(message ? { statusMessage: message } : {}),
      ...(request ? { request: { content: request } } : {}),
      ...(response ? { response: { content: response } } : {}),
    };
    const deployment = cloud.store.get(deploymentId);
    if (!deployment) return; // Deleted while it ran: there is nothing to list.
    const stored: Stored = {
      resource: { id, name, type: OPERATION, properties },
      hidden: {},
      etag: `"${randomUUID()}"`,
      region: deployment.region,
      createdAt: started,
      changedAt: now,
    };
    cloud.store.put(stored);
  };
  write({ state: 'Running', code: 'Accepted' });
  return write;
}

/** A failed operation's note, and how the deployment's own error tells of it. */
export function failureOf(error: ArmError, id: string, does: 'write' | 'delete'): { note: Note; failure: Failure } {
  const { code, message, details, target } = error;
  const own = { code, message, ...(target === undefined ? {} : { target }), ...(details ? { details } : {}) };
  const status = NAMES[error.status] ?? 'BadRequest';
  const shown: JsonObject = { ...own, ...(details ? { details: details.map((one) => ({ ...one })) } : {}) };
  if (!(error instanceof FailedOperation))
    return {
      note: { state: 'Failed', code: status, message: { error: shown } },
      failure: { ...own, target: id },
    };
  // Accepted at first: Azure wraps what then went wrong.
  const failure: Failure = {
    code: 'ResourceDeploymentFailure',
    target: id,
    message: `The resource ${does} operation failed to complete successfully, because it reached terminal provisioning state '${error.state}'.`,
    details: [own],
  };
  const wrapped = { status: error.state, error: { ...failure, details: [shown] } };
  return { note: { state: 'Failed', code: 'Conflict', message: wrapped }, failure };
}

/** The error of a deployment some of whose operations failed. */
export function deploymentFailed(deploymentId: string, failures: Failure[]): ArmError {
  const message =
    'At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.';
  return new ArmError(400, 'DeploymentFailed', message, { target: deploymentId, details: failures });
}
