/** The only file that reads Azure's status codes and decides what they mean for Understudy. */
import { RestError } from '@azure/core-rest-pipeline';
import { certificateFault } from '../errors/certificate.ts';
import { UnderstudyError, isUnderstudyError, messageOf, type ErrorCode, type ErrorDetails } from '../errors/error.ts';
import { certificateAdviceFor, refusalAdvice } from './advice.ts';
import { isSignInFailure, signInError } from './sign-in.ts';

interface Answer {
  status: number;
  code: string | undefined;
  message: string | undefined;
  requestId: string | undefined;
  retryAfterSeconds: number | undefined;
}

/**
 * The blob service's codes for a key that was rotated since it was read, and for a copy's source that it cannot read
 * just now.
 */
const passingRefusals = new Set(['AuthenticationFailed', 'CannotVerifyCopySource']);

/**
 * A throttled (429), timed out (408) or failing (5xx) request may succeed later. So may one with a rotated key: the
 * next attempt reads the new key. All other errors would repeat.
 */
function codeOf({ status, code }: Answer): ErrorCode {
  if (status === 401) return 'CredentialError';
  if (status === 403 && code !== undefined && passingRefusals.has(code)) return 'AzureUnavailable';
  if (status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505))
    return 'AzureUnavailable';
  return 'AzureError';
}

/** Whether Azure throttled: it is neither out nor silent. */
export function isThrottled(error: unknown): boolean {
  return isUnderstudyError(error) && isThrottling(error.details.azure ?? {});
}

/** As `isThrottled`, for a response. */
export function isThrottling({ status }: { status?: number }): boolean {
  return status === 429;
}

/**
 * Whether there was no answer, or a server error. A refusal (401, 403, 404), throttling, an untrusted certificate, or
 * no answer from Entra does not tell how the region is.
 */
export function isOutage(error: unknown): boolean {
  if (!isUnderstudyError(error, 'AzureUnavailable')) return false;
  const status = error.details.azure?.status;
  if (status === undefined) return error.details.untrusted !== true && error.details.origin !== 'sign-in';
  return status === 408 || status >= 500;
}

/** Converts a failed response to an error: "tried what, on what: Azure's code: Azure's message". */
export function answerError(
  tried: string,
  response: {
    status: number;
    bodyAsText?: string | null | undefined;
    headers: { get(name: string): string | undefined };
  },
): UnderstudyError {
  const answer = readAnswer(response);
  const code = codeOf(answer);
  const said = [answer.code, answer.message].filter((part) => part !== undefined && part !== '').join(': ');
  const next = code === 'AzureUnavailable' ? undefined : refusalAdvice(answer);
  return new UnderstudyError(code, `${tried}: ${said === '' ? '' : `${said} `}(HTTP ${answer.status})`, {
    azure: {
      status: answer.status,
      ...(answer.code === undefined ? {} : { code: answer.code }),
      ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
    },
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
    ...(next === undefined ? {} : { next }),
  });
}

/** Codes of failed long-running operations that a retry may resolve: Azure's own failures, not caused by our input. */
const passing =
  /^(InternalServerError|InternalError|ServerTimeout|OperationTimedOut|ServiceUnavailable|TooManyRequests|RetryableError|AllocationFailed)$/i;

/** Converts a failed long-running operation to an error. `body`: what its last poll returned. */
export function operationError(tried: string, status: string, body: unknown, cause: unknown): UnderstudyError {
  const { error, properties } = (body ?? {}) as { error?: unknown; properties?: { error?: unknown } };
  const said = (error ?? properties?.error ?? undefined) as Record<string, unknown> | undefined;
  const code = text(said?.code);
  const parts = [code, deepest(said)].filter((part) => part !== undefined && part !== '');
  return new UnderstudyError(
    codesOf(said).every((each) => passing.test(each)) && code !== undefined ? 'AzureUnavailable' : 'AzureError',
    `${tried}: the operation ${status}: ${parts.length > 0 ? parts.join(': ') : 'Azure gave no reason'}`,
    { azure: code === undefined ? {} : { code }, cause },
  );
}

/**
 * Returns the codes that say what is wrong: those of the innermost details, if any ("DeploymentFailed" alone says
 * nothing).
 */
function codesOf(error: Record<string, unknown> | undefined): string[] {
  const details = Array.isArray(error?.details) ? (error.details as Record<string, unknown>[]) : [];
  return details.length > 0 ? details.flatMap(codesOf) : [text(error?.code) ?? ''];
}

/**
 * Converts anything an SDK threw to an UnderstudyError. `aborted`: it was our own cancellation, which is returned
 * unchanged.
 */
export function azureError(tried: string, error: unknown, aborted = false): Error {
  if (isUnderstudyError(error)) return error;
  if (aborted && error instanceof Error) return error;
  if (error instanceof RestError && error.statusCode !== undefined) {
    if (error.code === RestError.PARSE_ERROR && error.statusCode < 400) {
      return new UnderstudyError('AzureError', `${tried}: the answer is not JSON (HTTP ${error.statusCode})`, {
        azure: { status: error.statusCode },
        next: 'See whether a proxy stands between here and Azure.',
        cause: error,
      });
    }
    return answerError(tried, {
      status: error.statusCode,
      bodyAsText: error.response?.bodyAsText ?? storageBody(error),
      headers: { get: (name) => error.response?.headers.get(name) },
    });
  }
  if (isSignInFailure(error)) return signInError(tried, error);
  return new UnderstudyError('AzureUnavailable', `${tried}: ${networkMessage(error)}`, {
    cause: error,
    ...certificateAdvice(error),
  });
}

function networkMessage(error: unknown): string {
  const code = causes(error).find((cause) => /^(E[A-Z]+|UND_ERR|SELF_SIGNED|DEPTH|UNABLE_TO|CERT_)/.test(cause));
  if (error instanceof Error && error.name === 'AbortError') return 'no answer in time';
  return `no answer (${code ?? firstLine(messageOf(error))})`;
}

/** Waiting does not help with an untrusted certificate: says what to set, or whom to ask. */
function certificateAdvice(error: unknown): Pick<ErrorDetails, 'untrusted' | 'next'> {
  const fault = causes(error)
    .map(certificateFault)
    .find((each) => each !== undefined);
  return fault === undefined ? {} : { untrusted: true, next: certificateAdviceFor[fault] };
}

function causes(error: unknown): string[] {
  const found: string[] = [];
  for (let at = error; at instanceof Error && found.length < 12; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string') found.push(code);
    if (at instanceof AggregateError) found.push(...at.errors.flatMap(causes));
    found.push(at.message);
  }
  return found;
}

function readAnswer(response: Parameters<typeof answerError>[1]): Answer {
  const body = parse(response.bodyAsText);
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    code: text(body?.code) ?? response.headers.get('x-ms-error-code'),
    message: deepest(body) ?? plain(response.bodyAsText),
    requestId: response.headers.get('x-ms-request-id'),
    retryAfterSeconds: retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined,
  };
}

/** A deployment's error says what is wrong only in its innermost details. */
function deepest(error: Record<string, unknown> | undefined): string | undefined {
  if (!error) return undefined;
  const details = Array.isArray(error.details) ? (error.details as Record<string, unknown>[]) : [];
  const inner = details.map((detail) => [text(detail.code), deepest(detail)].filter(Boolean).join(': '));
  return [text(error.message), ...inner].filter((part) => part !== undefined && part !== '').join(' — ') || undefined;
}

function parse(body: string | null | undefined): Record<string, unknown> | undefined {
  if (!body?.trimStart().startsWith('{')) return undefined;
  try {
    const value = JSON.parse(body) as { error?: Record<string, unknown> };
    return value.error ?? value;
  } catch {
    return undefined; // no JSON: the text itself is the message
  }
}

/** The blob service returns XML: reads its Message element. */
function plain(body: string | null | undefined): string | undefined {
  if (!body) return undefined;
  const message = /<Message>([^<]*)/.exec(body)?.[1] ?? body;
  return firstLine(message).slice(0, 300);
}

function storageBody(error: RestError): string | undefined {
  const code = (error as { code?: string }).code;
  return code === undefined ? undefined : JSON.stringify({ error: { code, message: firstLine(error.message) } });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function firstLine(value: string): string {
  return value.split('\n', 1)[0] ?? '';
}
