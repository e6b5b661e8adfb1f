/** What a request for a token says, and how Entra refuses one. */

import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Json } from '../contract/index.ts';

export interface EntraAnswer {
  status: number;
  body: Json;
}

/**
 * Where the services are that Entra knows without anybody's doing: Azure's own, and this cloud's. azure-ai-ml makes the
 * name of its service of the cloud's own domain: below `localhost` that leaves `https://ml.azure.`, with nothing after
 * the dot.
 */
const SERVICES =
  /(^|\.)(azure\.(com|net)|ml\.azure\.|windows\.net|microsoft\.com|azureml\.ms|azurecr\.io|localhost)$|^127\.0\.0\.1$/;

/** A client may say who it is in the header, as OAuth has it, or in the form. */
export function withClient(form: URLSearchParams, authorization: string | undefined): URLSearchParams {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return form;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  form.set('client_id', decoded(id));
  form.set('client_secret', decoded(secret.join(':')));
  return form;
}

/** OAuth has both parts form-encoded; a stray percent sign is then one of a secret that was not. */
function decoded(text: string): string {
  return new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? text;
}

/** Undefined: the secret is the application's. */
export function refusedSecret(
  form: URLSearchParams,
  clientId: string,
  secrets: readonly string[],
): EntraAnswer | undefined {
  const secret = form.get('client_secret');
  if (secret === null && form.has('client_assertion'))
    return refusal(
      401,
      'invalid_client',
      700027,
      'The certificate or federated credential that signed the client assertion is not registered on the application: the local Azure knows applications by their secrets only.',
    );
  if (secret === null)
    return refusal(
      401,
      'invalid_client',
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  if (secrets.some((known) => same(known, secret))) return undefined;
  return refusal(
    401,
    'invalid_client',
    7000215,
    `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  );
}

export function noPeople(): EntraAnswer {
  return refusal(
    400,
    'unauthorized_client',
    700038,
    'The local Azure knows applications and no people: nobody signs in here by a browser or a device code. Use the client id and secret of a service principal.',
  );
}

/** The audiences of a token request: `scope` of v2 (less '/.default') or `resource` of v1. */
export function audiencesOf(form: URLSearchParams): string[] {
  const resource = form.get('resource');
  if (resource) return [resource];
  // 'https://host//.default' is how v2 clients ask for the audience 'https://host/'.
  return (form.get('scope') ?? '')
    .split(' ')
    .filter((one) => one.endsWith('/.default'))
    .map((one) => one.slice(0, -'/.default'.length))
    .filter((one) => one !== '');
}

export function isService(audience: string): boolean {
  return URL.canParse(audience) && SERVICES.test(new URL(audience).hostname);
}

export function invalidScope(form: URLSearchParams): EntraAnswer {
  return refusal(
    400,
    'invalid_scope',
    1002012,
    `The provided value for scope ${form.get('scope') ?? ''} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  );
}

export function missing(parameter: string): EntraAnswer {
  return refusal(
    400,
    'invalid_request',
    900144,
    `The request body must contain the following parameter: '${parameter}'.`,
  );
}

export function refusal(status: number, error: string, code: number, message: string): EntraAnswer {
  const trace = randomUUID();
  const correlation = randomUUID();
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
    },
  };
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
