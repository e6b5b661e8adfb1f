/** The errors of failures that were asked for, in Azure's words. */

import { ArmError } from '../contract/index.ts';

/** What Resource Manager calls these, and says of them. */
const INJECTED: Record<number, [code: string, message: string]> = {
  408: ['RequestTimeout', 'The request did not complete in the allotted time.'],
  502: ['BadGateway', 'The gateway did not receive a valid response from the service.'],
  503: ['ServiceUnavailable', 'The service is temporarily unavailable. Please try again later.'],
  504: ['GatewayTimeout', 'The gateway did not receive a response from the service within the specified time period.'],
};

/** What a request meets that fails on purpose; `by`: on whose. */
export function injected(status = 500, by: string): ArmError {
  const [code, message] = INJECTED[status] ?? ['InternalServerError', 'Encountered internal server error.'];
  return new ArmError(status, code, `${message} Diagnostic information: fault injected by ${by}.`);
}

export function readOnlyRefusal(region: string, status: number): ArmError {
  const [code, headers] = status === 409 ? ['Conflict', {}] : ['ServiceUnavailable', { 'Retry-After': '30' }];
  return new ArmError(
    status,
    code,
    `Write operations are unavailable in location '${region}' because of a regional outage; reads are served. Please try again later.`,
    { headers },
  );
}

export function tooManyRequests(perSecond: number, waitSeconds: number): ArmError {
  return new ArmError(
    429,
    'TooManyRequests',
    `Too many requests: the limit is ${perSecond} per second. Please try again after '${waitSeconds}' seconds.`,
    { headers: { 'Retry-After': String(waitSeconds) } },
  );
}
