/** Signing in to Azure: what was tried, in one line, and what to do; a library's word for it helps nobody at 3 a.m. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TokenCredential } from '@azure/core-auth';
import { AuthenticationError } from '@azure/identity';
import { certificateFault, describeFault, readCertificate } from '../errors/certificate.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import { certificateAdviceFor, credentialAdvice, signInAdvice } from './advice.ts';

const variables = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET'] as const;

/** The names of the library's errors: it says itself that they may be told apart by name only. */
const names = new Set([
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
]);

export function isSignInFailure(error: unknown): error is Error {
  return error instanceof Error && names.has(error.name);
}

/** Says why there is no token: Entra refused (a wrong secret is final) or did not answer (that passes), or there is nothing to sign in with. */
export function signInError(
  tried: string,
  error: Error,
  environment: NodeJS.ProcessEnv = process.env,
): UnderstudyError {
  const { number, said } = refusalOf(error);
  const make = (code: 'CredentialError' | 'AzureUnavailable', what: string, next: string) =>
    new UnderstudyError(code, `${tried}: no token: ${what}`, {
      cause: error,
      origin: 'sign-in',
      next,
      ...(number === undefined ? {} : { azure: { code: `AADSTS${number}` } }),
    });
  if (said !== undefined) return make('CredentialError', said, signInAdvice(number));
  if (error.name === 'AggregateAuthenticationError') {
    const { errors } = error as Error & { errors?: Error[] };
    return make(
      'CredentialError',
      `nothing to sign in with: tried ${triedAll(errors ?? [], environment)}`,
      whoAdvice,
    );
  }
  return make(
    isUnreachable(error) ? 'AzureUnavailable' : 'CredentialError',
    firstLine(messageOf(error)),
    credentialAdvice,
  );
}

const whoAdvice =
  'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (a service principal), or sign in as yourself with "az login", or, on a machine in Azure, give it a managed identity.';

/** Entra's words without the numbers of its own log: "AADSTS7000215: Invalid client secret provided. …". */
function refusalOf(error: Error): { number?: string; said?: string } {
  const { errorResponse } = error as { errorResponse?: { errorDescription?: string } };
  const text = `${errorResponse?.errorDescription ?? ''}\n${error.message}`;
  const [, number, words] = /AADSTS(\d+):?\s*([^\n]*)/.exec(text) ?? [];
  if (number === undefined) return {};
  const said = (words ?? '').replace(/\s*(Trace ID:|- Correlation ID|Timestamp:).*$/, '').trim();
  return { number, said: `AADSTS${number}: ${said}` };
}

/** By what its own message calls it; the more particular name first. */
const sources: readonly (readonly [RegExp, string])[] = [
  [/EnvironmentCredential/, 'the environment'],
  [/Workload ?Identity/i, 'workload identity'],
  [/Managed ?Identity|IMDS/i, 'managed identity'],
  [/Visual Studio Code/, 'Visual Studio Code'],
  [/Developer CLI|\bazd\b/, 'Azure Developer CLI'],
  [/PowerShell/, 'Azure PowerShell'],
  [/Azure CLI|\baz login\b/, 'Azure CLI'],
  [/broker/i, 'broker'],
];

function triedAll(errors: readonly Error[], environment: NodeJS.ProcessEnv): string {
  const tried = errors.map(({ message }) => {
    const source = sources.find(([pattern]) => pattern.test(message))?.[1];
    if (source === undefined) return firstLine(message);
    return `${source} (${source === 'the environment' ? unset(environment) : whyNot(message)})`;
  });
  return tried.length === 0 ? unset(environment) : tried.join(', ');
}

function unset(environment: NodeJS.ProcessEnv): string {
  const missing = variables.filter((name) => !environment[name]);
  return missing.length === 0 ? 'not usable' : `${missing.join(', ')} not set`;
}

function whyNot(message: string): string {
  if (/not be found|n't be found|Unable to execute|not installed|Ensure you have/i.test(message))
    return 'not installed';
  if (/az login|azd auth login|Connect-AzAccount|not logged|log ?in/i.test(message)) return 'not signed in';
  return 'none here';
}

function isUnreachable(error: Error): boolean {
  const { statusCode } = error as { statusCode?: number };
  const words = [error.message];
  for (let at = error.cause; at instanceof Error && words.length < 12; at = at.cause)
    words.push(String((at as { code?: unknown }).code), at.message);
  return (
    statusCode === undefined &&
    /ECONN|ENOTFOUND|EAI_AGAIN|timed? ?out|network_error|network timeout/i.test(words.join(' '))
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

export interface Explained {
  environment: NodeJS.ProcessEnv;
  /** Where tokens come from, if that is known: asked when the library cannot say what is wrong with it. */
  authority?: { host: string; tenant: string };
}

/**
 * A credential whose failures say what to do. One that has given a token before and then has none (a managed identity's
 * service that does not answer for a moment) is unavailable, not wrong: asking again may help.
 */
export function explained(
  credential: TokenCredential,
  { environment, authority }: Explained,
): TokenCredential {
  let worked = false;
  return {
    async getToken(scopes, options) {
      try {
        const token = await credential.getToken(scopes, options);
        worked = true;
        return token;
      } catch (error) {
        const told = authority ? await unresolved(error, authority, options?.abortSignal) : error;
        if (!isSignInFailure(told)) throw told;
        const expired = expiredCertificate(told, environment);
        if (expired) throw expired;
        const found = signInError('signing in to Azure', told, environment);
        const passes = worked && isUnderstudyError(found, 'CredentialError') && !found.details.azure?.code;
        throw passes ? new UnderstudyError('AzureUnavailable', found.message, found.details) : found;
      }
    },
  };
}

/**
 * The library says "endpoints_resolution_error" for an authority that is not there, one whose certificate nobody trusts, and a
 * tenant there is none of: a request of our own says which.
 */
async function unresolved(
  error: unknown,
  { host, tenant }: { host: string; tenant: string },
  signal: { aborted: boolean } | undefined,
): Promise<unknown> {
  if (
    !(error instanceof Error) ||
    !/endpoints_resolution_error/.test(error.message) ||
    signal?.aborted === true
  )
    return error;
  const address = `${host.replace(/\/+$/, '')}/${tenant}/v2.0/.well-known/openid-configuration`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(5000) });
    return answer.ok ? error : new AuthenticationError(answer.status, await answer.text());
  } catch (unanswered) {
    return (await certificateError(unanswered, new URL(address))) ?? unanswered;
  }
}

/** The authority's TLS certificate, where that is what is wrong: whose it is, and since when. */
async function certificateError(
  unanswered: unknown,
  { hostname, port, host }: URL,
): Promise<UnderstudyError | undefined> {
  const { code } = ((unanswered as Error).cause ?? {}) as { code?: string };
  const fault = code === undefined ? undefined : certificateFault(code);
  if (fault === undefined) return undefined;
  const certificate = await readCertificate({ host: hostname, port: Number(port || 443) });
  const what = describeFault(fault, certificate);
  return new UnderstudyError(
    'AzureUnavailable',
    `signing in to Azure: no answer (${code ?? ''}) of ${host}: ${what}`,
    { cause: unanswered, origin: 'sign-in', next: certificateAdviceFor[fault] },
  );
}

/** Entra says of a client certificate that has expired only that it does not accept the signature. */
function expiredCertificate(error: Error, environment: NodeJS.ProcessEnv): UnderstudyError | undefined {
  const { AZURE_CLIENT_CERTIFICATE_PATH: file, AZURE_CLIENT_SECRET: secret } = environment;
  // A secret comes first, where both are set.
  const end = !file || secret ? undefined : endOfCertificate(file);
  if (end === undefined || end.getTime() > Date.now()) return undefined;
  return new UnderstudyError(
    'CredentialError',
    `signing in to Azure: no token: the client certificate "${file ?? ''}" has expired, on ${end.toISOString().slice(0, 10)}`,
    { cause: error, origin: 'sign-in', next: signInAdvice('700027') },
  );
}

/** Undefined where there is no certificate in PEM: the library has said so. */
function endOfCertificate(file: string): Date | undefined {
  try {
    return new X509Certificate(readFileSync(file)).validToDate;
  } catch {
    return undefined;
  }
}
