/**
 * Requests to a storage service with only a shared access signature: they prove what its holder can do, without our own
 * rights.
 */
import {
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
} from '@azure/core-rest-pipeline';
import { answerError, azureError } from '../errors.ts';
import { wholeAnswers } from '../http/whole-answers.ts';

const version = '2022-11-02';
const pipeline = createPipelineFromOptions({
  retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2000 },
});
/** The timeout of each request is set on the request. */
const client = wholeAnswers(60_000);

/** A request with a signature. */
export interface SignedRequest {
  method: HttpMethods;
  /** Without a query. */
  address: string;
  query?: Record<string, string>;
  /** Without a question mark. */
  token: string;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Returns the body of the response.
 * Errors: those of `answerError`. None of them contains the signature.
 */
export async function sendSigned(
  { method, address, query = {}, token, headers = {}, body }: SignedRequest,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<string> {
  const tried = `${method} ${address}`;
  const asked = new URLSearchParams(query).toString();
  try {
    const response = await pipeline.sendRequest(
      client,
      createPipelineRequest({
        url: `${address}?${[asked, token].filter((each) => each !== '').join('&')}`,
        method,
        timeout: timeoutMs,
        abortSignal: signal,
        headers: createHttpHeaders({ 'x-ms-version': version, ...headers }),
        ...(body === undefined ? {} : { body }),
      }),
    );
    if (response.status >= 400) throw answerError(tried, response);
    return response.bodyAsText ?? '';
  } catch (error) {
    throw azureError(tried, error, signal.aborted);
  }
}
