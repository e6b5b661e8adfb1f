/** Explains failed sign-ins to Azure in one line: what was tried, and what to do. The SDK's own messages do not. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TokenCredential } from '@azure/core-auth';
import { AuthenticationError } from '@azure/identity';
import { certificateFault, describeFault, readCertificate } from '../errors/certificate.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import { certificateAdviceFor, credentialAdvice, signInAdvice } from './advice.ts';

const variables = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET'] as const;

/** Names of the SDK's errors. It documents that they can be distinguished only by name. */
const names = new Set([
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
]);

/** Whether the SDK failed to get a token. */
export function isSignInFailure(error: unknown): error is Error {
  return error instanceof Error && names.has(error.name);
}

/**
 * Explains why there is no token: Entra refused (a wrong secret is final), Entra did not answer (can be retried), or
 * there are no credentials.
 */
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
    return make('CredentialError', `nothing to sign in with: tried ${triedAll(errors ?? [], environment)}`, whoAdvice);
  }
  return make(
    isUnreachable(error) ? 'AzureUnavailable' : 'CredentialError',
    firstLine(messageOf(error)),
    credentialAdvice,
  );
}

const whoAdvice =
  'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (a service principal), or sign in as yourself with "az login", or, on a machine in Azure, give it a managed identity.';

/** Returns Entra's message without its log numbers: "AADSTS7000215: Invalid client secret provided. …". */
function refusalOf(error: Error): { number?: string; said?: string } {
  const { errorResponse } = error as { errorResponse?: { errorDescription?: string } };
  const text = `${errorResponse?.errorDescription ?? ''}\n${error.message}`;
  const [, number, words] = /AADSTS(\d+):?\s*([^\n]*)/.exec(text) ?? [];
  if (number === undefined) return {};
  const said = (words ?? '').replace(/\s*(Trace ID:|- Correlation ID|Timestamp:).*$/, '').trim();
  return { number, said: `AADSTS${number}: ${said}` };
}

/** Sources of credentials, by how their messages name them. More specific names come first. */
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

/** What the explanation is based on. */
export interface Explained {
  environment: NodeJS.ProcessEnv;
  /** Where tokens come from, if known. It is asked if the SDK cannot say what is wrong with it. */
  authority?: { host: string; tenant: string };
}

/**
 * Returns a credential whose errors say what to do. If it has returned a token before and now fails (a managed
 * identity's service may be down for a moment), it is unavailable, not wrong, and can be retried.
 */
export function explained(credential: TokenCredential, { environment, authority }: Explained): TokenCredential {
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
 * The SDK reports "endpoints_resolution_error" for a missing authority, an untrusted certificate, and an unknown
 * tenant. A request of our own tells which.
 */
async function unresolved(
  error: unknown,
  { host, tenant }: { host: string; tenant: string },
  signal: { aborted: boolean } | undefined,
): Promise<unknown> {
  if (!(error instanceof Error) || !/endpoints_resolution_error/.test(error.message) || signal?.aborted === true)
    return error;
  const address = `${host.replace(/\/+$/, '')}/${tenant}/v2.0/.well-known/openid-configuration`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(5000) });
    return answer.ok ? error : new AuthenticationError(answer.status, await answer.text());
  } catch (unanswered) {
    return (await certificateError(unanswered, new URL(address))) ?? unanswered;
  }
}

/** Returns an error about the authority's TLS certificate, if that is the cause: whose it is, and since when. */
async function certificateError(
  unanswered: unknown,
  { hostname, port, host }: URL,
): Promise<UnderstudyError | undefined> {
  const { code } = ((unanswered as Error).cause ?? {}) as { code?: string };
  const fault = code === undefined ? undefined : certificateFault(code);
  if (fault === undefined) return undefined;
  const certificate = await readCertificate({ host: hostname, port: Number(port || 443) });
  const what = describeFault(fault, certificate);
  return new UnderstudyError('AzureUnavailable', `signing in to Azure: no answer (${code ?? ''}) of ${host}: ${what}`, {
    cause: unanswered,
    origin: 'sign-in',
    untrusted: true,
    next: certificateAdviceFor[fault],
  });
}

/** Entra reports an expired client certificate only as an invalid signature. */
function expiredCertificate(error: Error, environment: NodeJS.ProcessEnv): UnderstudyError | undefined {
  const { AZURE_CLIENT_CERTIFICATE_PATH: file, AZURE_CLIENT_SECRET: secret } = environment;
  // If both are set, the secret takes precedence.
  const end = !file || secret ? undefined : endOfCertificate(file);
  if (end === undefined || end.getTime() > Date.now()) return undefined;
  return new UnderstudyError(
    'CredentialError',
    `signing in to Azure: no token: the client certificate "${file ?? ''}" has expired, on ${end.toISOString().slice(0, 10)}`,
    { cause: error, origin: 'sign-in', next: signInAdvice('700027') },
  );
}

/** Undefined if there is no PEM certificate: the SDK has reported that. */
function endOfCertificate(file: string): Date | undefined {
  try {
    return new X509Certificate(readFileSync(file)).validToDate;
  } catch {
    return undefined;
  }
}
